"""A running tickets on a real database and real sockets, and a client of it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from grpc import aio
from pydantic import SecretStr
from sagamesh.tickets.v1 import comment_pb2, comment_pb2_grpc, ticket_pb2, ticket_pb2_grpc

from mesh.server import Server
from tests.mesh.echo import Keys
from tests.services import bearer, of_worker
from tickets.settings import Settings
from tickets.wiring import wire

Ticket = ticket_pb2.Ticket
Comment = comment_pb2.Comment
Change = ticket_pb2.Change
AGENTS = {"ann", "ben", "cleo"}
"""Who supports; everybody else is a customer."""


@dataclass(frozen=True)
class Desk:
    """The server and stubs of it. Whoever is not named in a call is alice, a customer, or ann, an agent."""

    server: Server
    channel: aio.Channel
    keys: Keys
    tickets: "ticket_pb2_grpc.TicketServiceAsyncStub"
    comments: "comment_pb2_grpc.CommentServiceAsyncStub"
    worker: Mapping[str, Any]

    def user(self, name: str, *roles: str) -> Mapping[str, Any]:
        """Call options of a user."""
        return bearer(self.keys, name, *roles, *(["agent"] if name in AGENTS else []))

    async def open(
        self, subject: str = "Help", text: str = "It is broken.", *, by: str = "alice", **more: Any
    ) -> Ticket:
        """A new ticket; what is in `more` is of the ticket, but for the request's `request_id`."""
        request_id = more.pop("request_id", "")
        ticket = Ticket(subject=subject, text=text, **more)
        request = ticket_pb2.CreateTicketRequest(ticket=ticket, request_id=request_id)
        return await self.tickets.CreateTicket(request, **self.user(by))

    async def get(self, ticket_id: str, *, by: str = "ann") -> Ticket:
        """A ticket as it is."""
        return await self.tickets.GetTicket(ticket_pb2.GetTicketRequest(ticket_id=ticket_id), **self.user(by))

    async def answer(self, ticket_id: str, text: str = "Try again.", *, by: str = "ann", **more: str) -> Ticket:
        """Answers a ticket."""
        request = ticket_pb2.AnswerTicketRequest(ticket_id=ticket_id, text=text, **more)
        return await self.tickets.AnswerTicket(request, **self.user(by))

    async def await_reply(self, ticket_id: str, *, by: str = "alice", **more: str) -> Ticket:
        """Says that a reply is owed."""
        request = ticket_pb2.AwaitReplyRequest(ticket_id=ticket_id, **more)
        return await self.tickets.AwaitReply(request, **self.user(by))

    async def close(self, ticket_id: str, *, by: str = "alice", **more: str) -> Ticket:
        """Closes a ticket."""
        request = ticket_pb2.CloseTicketRequest(ticket_id=ticket_id, **more)
        return await self.tickets.CloseTicket(request, **self.user(by))

    async def assign(self, ticket_id: str, assignee_id: str = "ben", *, by: str = "ann", **more: str) -> Ticket:
        """Gives a ticket to an agent."""
        request = ticket_pb2.AssignTicketRequest(ticket_id=ticket_id, assignee_id=assignee_id, **more)
        return await self.tickets.AssignTicket(request, **self.user(by))

    async def update(self, ticket_id: str, *paths: str, by: str = "alice", etag: str = "", **fields: Any) -> Ticket:
        """Changes fields of a ticket."""
        ticket, mask = Ticket(ticket_id=ticket_id, **fields), FieldMask(paths=paths)
        request = ticket_pb2.UpdateTicketRequest(ticket=ticket, update_mask=mask, etag=etag)
        return await self.tickets.UpdateTicket(request, **self.user(by))

    async def comment(self, ticket_id: str, text: str = "Hello?", *, by: str = "alice", **more: Any) -> Comment:
        """Comments on a ticket; what is in `more` is of the comment, but for the request's `request_id`."""
        request_id = more.pop("request_id", "")
        comment = Comment(text=text, **more)
        request = comment_pb2.CreateCommentRequest(ticket_id=ticket_id, comment=comment, request_id=request_id)
        return await self.comments.CreateComment(request, **self.user(by))

    async def rewrite(self, comment: Comment, text: str, *paths: str, by: str = "alice", etag: str = "") -> Comment:
        """Changes the text of a comment."""
        changed = Comment(ticket_id=comment.ticket_id, comment_id=comment.comment_id, text=text)
        mask = FieldMask(paths=paths)
        request = comment_pb2.UpdateCommentRequest(comment=changed, update_mask=mask, etag=etag)
        return await self.comments.UpdateComment(request, **self.user(by))

    async def said(self, ticket_id: str, *, by: str = "ann", page_size: int = 500) -> list[Comment]:
        """All comments on a ticket."""
        found, token = list[Comment](), ""
        while True:
            request = comment_pb2.ListCommentsRequest(ticket_id=ticket_id, page_size=page_size, page_token=token)
            page = await self.comments.ListComments(request, **self.user(by))
            found += page.comments
            if not (token := page.next_page_token):
                return found

    async def history(self, ticket_id: str, *, by: str = "ann", page_size: int = 500) -> list[Change]:
        """All that happened to a ticket."""
        found, token = list[Change](), ""
        while True:
            request = ticket_pb2.ListChangesRequest(ticket_id=ticket_id, page_size=page_size, page_token=token)
            page = await self.tickets.ListChanges(request, **self.user(by))
            found += page.changes
            if not (token := page.next_page_token):
                return found


@asynccontextmanager
async def serving(dsn: str, keys: Keys, **options: Any) -> AsyncGenerator[Desk]:
    """tickets on a migrated database."""
    chosen: dict[str, Any] = {"drain_grace_seconds": 2.0, **options}
    server = wire(Settings(listen="127.0.0.1:0", database_dsn=SecretStr(dsn), jwks=str(keys.jwks), **chosen))
    async with server, aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield Desk(
            server,
            channel,
            keys,
            ticket_pb2_grpc.TicketServiceStub(channel),
            comment_pb2_grpc.CommentServiceStub(channel),
            of_worker(keys),
        )
