"""Reads: SQL to tickets, comments and changes. Nothing is locked or changed. Whoever may not see a ticket reads nothing
of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Text, bindparam, func, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.texts import is_line
from mesh.uow import UnitOfWork
from tickets import tables
from tickets.domain import Caller, Change, Comment, Priority, Status, Ticket
from tickets.errors import NotYourTickets, QueryInvalid, TicketNotFound

QUERY_LENGTH = 200

_TICKET = tables.ticket.c
_GET = select(*tables.TICKET).where(_TICKET.ticket_id == bindparam("id"))
_COMMENTS = (
    select(tables.comment)
    .where(tables.comment.c.ticket_id == bindparam("id"), tables.comment.c.number > bindparam("after"))
    .order_by(tables.comment.c.number)
    .limit(bindparam("limit"))
)
_CHANGES = (
    select(tables.change)
    .where(tables.change.c.ticket_id == bindparam("id"), tables.change.c.version > bindparam("after"))
    .order_by(tables.change.c.version)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets to list; None does not filter."""

    status: Status | None = None
    priority: Priority | None = None
    assignee_id: str | None = None
    author_id: str | None = None
    tag: str | None = None


async def read_ticket(engine: AsyncEngine, ticket_id: UUID) -> Ticket:
    """A ticket, whoever asks. Raises TicketNotFound."""
    async with UnitOfWork(engine) as work:
        row = (await work.connection.execute(_GET, {"id": ticket_id})).one_or_none()
    if row is None:
        raise TicketNotFound(field="ticket_id")
    return tables.ticket_of(row)


async def get_ticket(engine: AsyncEngine, ticket_id: UUID, caller: Caller) -> Ticket:
    """A ticket that the caller may see. Raises TicketNotFound."""
    ticket = await read_ticket(engine, ticket_id)
    ticket.expect_sight(caller, field="ticket_id")
    return ticket


async def list_tickets(
    engine: AsyncEngine, wanted: TicketFilter, caller: Caller, *, before: UUID | None, limit: int
) -> Sequence[Ticket]:
    """At most `limit` tickets that the caller may see, with an id below `before`, newest first.

    Raises NotYourTickets when another user's are asked for.
    """
    if not caller.is_agent and wanted.author_id not in (None, caller.user_id):
        raise NotYourTickets(field="author_id")
    return await _newest(engine, _conditions(wanted), caller, before, limit)


async def search_tickets(
    engine: AsyncEngine, query: str, caller: Caller, *, before: UUID | None, limit: int
) -> Sequence[Ticket]:
    """As list_tickets, those whose subject, text or tags hold the words. Raises QueryInvalid."""
    if not is_line(query, QUERY_LENGTH):
        raise QueryInvalid(field="query")
    asked = func.websearch_to_tsquery(literal("simple", literal_execute=True), literal(query, Text))
    return await _newest(engine, [_TICKET.words.bool_op("@@")(asked)], caller, before, limit)


async def list_comments(
    engine: AsyncEngine, ticket_id: UUID, caller: Caller, *, after: int, limit: int
) -> Sequence[Comment]:
    """At most `limit` comments with a number above `after`, oldest first. Raises TicketNotFound."""
    await get_ticket(engine, ticket_id, caller)
    async with UnitOfWork(engine) as work:
        asked = {"id": ticket_id, "after": after, "limit": limit}
        return list(map(tables.comment_of, await work.connection.execute(_COMMENTS, asked)))


async def list_changes(
    engine: AsyncEngine, ticket_id: UUID, caller: Caller, *, after: int, limit: int
) -> Sequence[Change]:
    """At most `limit` changes with a version above `after`, oldest first. Raises TicketNotFound."""
    await get_ticket(engine, ticket_id, caller)
    async with UnitOfWork(engine) as work:
        asked = {"id": ticket_id, "after": after, "limit": limit}
        return list(map(tables.change_of, await work.connection.execute(_CHANGES, asked)))


async def _newest(
    engine: AsyncEngine, conditions: list[ColumnElement[bool]], caller: Caller, before: UUID | None, limit: int
) -> Sequence[Ticket]:
    query = select(*tables.TICKET).where(*conditions).order_by(_TICKET.ticket_id.desc()).limit(limit)
    if not caller.is_agent:
        query = query.where(_TICKET.author_id == caller.user_id)
    if before is not None:
        query = query.where(_TICKET.ticket_id < before)
    async with UnitOfWork(engine) as work:
        return list(map(tables.ticket_of, await work.connection.execute(query)))


def _conditions(wanted: TicketFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(_TICKET.status == wanted.status)
    if wanted.priority is not None:
        conditions.append(_TICKET.priority == wanted.priority)
    if wanted.assignee_id is not None:
        conditions.append(_TICKET.assignee_id == wanted.assignee_id)
    if wanted.author_id is not None:
        conditions.append(_TICKET.author_id == wanted.author_id)
    if wanted.tag is not None:
        conditions.append(_TICKET.tags.contains([wanted.tag]))
    return conditions
