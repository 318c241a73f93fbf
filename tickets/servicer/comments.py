"""CommentService: messages to domain objects and back. Decides nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sagamesh.tickets.v1 import comment_pb2, comment_pb2_grpc
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.idempotency import Once, once
from mesh.masks import masked
from mesh.paging import limit_of, number_position, page_of
from tickets import commands, queries, tables
from tickets.ports import Work
from tickets.servicer.messages import caller, comment_message


class CommentServicer(comment_pb2_grpc.CommentServiceServicer):
    """Owns the comments of tickets."""

    SERVICE = comment_pb2.DESCRIPTOR.services_by_name["CommentService"]

    def __init__(
        self, engine: AsyncEngine, begin: Callable[[Once | None], Work], clock: Callable[[], datetime]
    ) -> None:
        """Takes an engine for reads, what begins a transaction, and a clock that tells UTC."""
        self._engine = engine
        self._begin = begin
        self._clock = clock

    async def CreateComment(self, request: comment_pb2.CreateCommentRequest, context: Any) -> comment_pb2.Comment:
        """Raises TicketNotFound, TicketClosed, TextInvalid, TicketChanged."""
        work = self._begin(once(tables.request, request, comment_message))
        ticket_id, text = UUID(request.ticket_id), request.comment.text
        return comment_message(await commands.create_comment(work, ticket_id, text, caller(), self._clock()))

    async def ListComments(
        self, request: comment_pb2.ListCommentsRequest, context: Any
    ) -> comment_pb2.ListCommentsResponse:
        """Oldest first. Raises TicketNotFound."""
        after, limit = number_position(request, request.page_token), limit_of(request)
        found = await queries.list_comments(self._engine, UUID(request.ticket_id), caller(), after=after, limit=limit)
        page = page_of(request, found, comment_message, lambda comment: comment.number)
        return comment_pb2.ListCommentsResponse(comments=page.messages, next_page_token=page.token)

    async def UpdateComment(self, request: comment_pb2.UpdateCommentRequest, context: Any) -> comment_pb2.Comment:
        """Raises TicketNotFound, CommentNotFound, NotYourComment, TicketClosed, EtagMismatch, TextInvalid,
        UpdateMaskInvalid, TicketChanged."""
        comment, fields = request.comment, masked(request.comment, request.update_mask)
        changed = await commands.update_comment(
            self._begin(None),
            UUID(comment.ticket_id),
            UUID(comment.comment_id),
            comment.text if "text" in fields else None,
            caller(),
            etag=request.etag,
            now=self._clock(),
        )
        return comment_message(changed)
