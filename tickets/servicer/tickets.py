"""TicketService: messages to domain objects and back. Decides nothing."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sagamesh.tickets.v1 import ticket_pb2, ticket_pb2_grpc
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.idempotency import Once, RequestWithId, once
from mesh.paging import id_position, limit_of, number_position, page_of
from mesh.watch import Watch
from tickets import commands, queries, tables
from tickets.domain import Move, Ticket
from tickets.ports import Work
from tickets.servicer.messages import caller, change_message, edit_draft, new_draft, ticket_filter, ticket_message


class TicketServicer(ticket_pb2_grpc.TicketServiceServicer):
    """Owns tickets."""

    SERVICE = ticket_pb2.DESCRIPTOR.services_by_name["TicketService"]

    def __init__(
        self,
        engine: AsyncEngine,
        begin: Callable[[Once | None], Work],
        watch: Watch[Ticket],
        clock: Callable[[], datetime],
    ) -> None:
        """Takes an engine for reads, what begins a transaction, and a clock that tells UTC."""
        self._engine = engine
        self._begin = begin
        self._watch = watch
        self._clock = clock

    async def CreateTicket(self, request: ticket_pb2.CreateTicketRequest, context: Any) -> ticket_pb2.Ticket:
        """Raises SubjectInvalid, TextInvalid, TagInvalid, AgentsOnly."""
        draft = new_draft(request.ticket)
        return _shown(await commands.create_ticket(self._once(request), draft, caller(), self._clock()))

    async def GetTicket(self, request: ticket_pb2.GetTicketRequest, context: Any) -> ticket_pb2.Ticket:
        """Raises TicketNotFound."""
        return _shown(await queries.get_ticket(self._engine, UUID(request.ticket_id), caller()))

    async def ListTickets(self, request: ticket_pb2.ListTicketsRequest, context: Any) -> ticket_pb2.ListTicketsResponse:
        """Newest first. Raises NotYourTickets, UserIdInvalid, TagInvalid."""
        before, limit = id_position(request, request.page_token), limit_of(request)
        found = await queries.list_tickets(self._engine, ticket_filter(request), caller(), before=before, limit=limit)
        page = page_of(request, found, _shown, _id)
        return ticket_pb2.ListTicketsResponse(tickets=page.messages, next_page_token=page.token)

    async def SearchTickets(
        self, request: ticket_pb2.SearchTicketsRequest, context: Any
    ) -> ticket_pb2.SearchTicketsResponse:
        """Newest first. Raises QueryInvalid."""
        before, limit = id_position(request, request.page_token), limit_of(request)
        found = await queries.search_tickets(self._engine, request.query, caller(), before=before, limit=limit)
        page = page_of(request, found, _shown, _id)
        return ticket_pb2.SearchTicketsResponse(tickets=page.messages, next_page_token=page.token)

    async def UpdateTicket(self, request: ticket_pb2.UpdateTicketRequest, context: Any) -> ticket_pb2.Ticket:
        """Raises TicketNotFound, EtagMismatch, TicketClosed, SubjectInvalid, TextInvalid, TagInvalid, NotYourText,
        AgentsOnly, UpdateMaskInvalid, TicketChanged."""
        ticket_id, draft, now = UUID(request.ticket.ticket_id), edit_draft(request), self._clock()
        work = self._begin(None)
        return _shown(await commands.update_ticket(work, ticket_id, draft, caller(), etag=request.etag, now=now))

    async def AnswerTicket(self, request: ticket_pb2.AnswerTicketRequest, context: Any) -> ticket_pb2.Ticket:
        """Raises TicketNotFound, EtagMismatch, TransitionNotAllowed, TextInvalid, TicketChanged."""
        work, ticket_id, now = self._once(request), UUID(request.ticket_id), self._clock()
        return _shown(await commands.answer_ticket(work, ticket_id, request.text, caller(), etag=request.etag, now=now))

    async def AwaitReply(self, request: ticket_pb2.AwaitReplyRequest, context: Any) -> ticket_pb2.Ticket:
        """Raises TicketNotFound, EtagMismatch, TransitionNotAllowed, TicketChanged."""
        return await self._move(request, Move.AWAIT_REPLY)

    async def CloseTicket(self, request: ticket_pb2.CloseTicketRequest, context: Any) -> ticket_pb2.Ticket:
        """Raises TicketNotFound, EtagMismatch, TransitionNotAllowed, TicketChanged."""
        return await self._move(request, Move.CLOSE)

    async def AssignTicket(self, request: ticket_pb2.AssignTicketRequest, context: Any) -> ticket_pb2.Ticket:
        """Raises TicketNotFound, EtagMismatch, TicketClosed, UserIdInvalid, TicketChanged."""
        work, ticket_id, assignee_id = self._begin(None), UUID(request.ticket_id), request.assignee_id or None
        ticket = await commands.assign_ticket(
            work, ticket_id, assignee_id, caller(), etag=request.etag, now=self._clock()
        )
        return _shown(ticket)

    async def ListChanges(self, request: ticket_pb2.ListChangesRequest, context: Any) -> ticket_pb2.ListChangesResponse:
        """Oldest first. Raises TicketNotFound."""
        after, limit = number_position(request, request.page_token), limit_of(request)
        found = await queries.list_changes(self._engine, UUID(request.ticket_id), caller(), after=after, limit=limit)
        page = page_of(request, found, change_message, lambda change: change.version)
        return ticket_pb2.ListChangesResponse(changes=page.messages, next_page_token=page.token)

    async def WatchTicket(
        self, request: ticket_pb2.WatchTicketRequest, context: Any
    ) -> AsyncIterator[ticket_pb2.Ticket]:
        """Raises TicketNotFound. Ends when the server stops."""
        ticket_id = UUID(request.ticket_id)
        await queries.get_ticket(self._engine, ticket_id, caller())
        async for ticket in self._watch.follow(ticket_id, after_version=request.after_version):
            yield _shown(ticket)

    async def _move(
        self, request: ticket_pb2.AwaitReplyRequest | ticket_pb2.CloseTicketRequest, move: Move
    ) -> ticket_pb2.Ticket:
        work, ticket_id, now = self._once(request), UUID(request.ticket_id), self._clock()
        return _shown(await commands.move_ticket(work, ticket_id, move, caller(), etag=request.etag, now=now))

    def _once(self, request: RequestWithId) -> Work:
        return self._begin(once(tables.request, request, _shown))


def _shown(ticket: Ticket) -> ticket_pb2.Ticket:
    return ticket_message(ticket, caller())


def _id(ticket: Ticket) -> UUID:
    return ticket.ticket_id
