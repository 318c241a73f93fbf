"""The ports over PostgreSQL. Speaks SQL inside the caller's transaction, and never commits.

A ticket is changed under its row's lock, which is also that of its comments. `save` checks once more that the change
is one legal step from the row.
"""

from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.idempotency import Once
from mesh.signal import Signal
from mesh.uow import UnitOfWork
from tickets import tables
from tickets.domain import STEPS, Change, Comment, Status, Ticket
from tickets.errors import TicketChanged

_TICKET = tables.ticket.c
_COMMENT = tables.comment.c
_LOCK = select(*tables.TICKET).where(_TICKET.ticket_id == bindparam("id")).with_for_update()
_GET_COMMENT = select(tables.comment).where(
    _COMMENT.comment_id == bindparam("id"), _COMMENT.ticket_id == bindparam("ticket")
)
_ORIGINS = {after: [before for before, other in STEPS if other is after] for after in Status}


class SqlTickets:
    """Port Tickets. Watchers of a ticket are woken when its change is committed."""

    def __init__(self, work: UnitOfWork, changed: Signal) -> None:
        self._work = work
        self._changed = changed

    async def add(self, ticket: Ticket, change: Change) -> None:
        """Two statements; a new ticket wakes nobody."""
        await self._work.connection.execute(insert(tables.ticket), tables.row_of_ticket(ticket))
        await self._work.connection.execute(insert(tables.change), tables.row_of_change(change))

    async def lock(self, ticket_id: UUID) -> Ticket | None:
        """Waits for whoever holds the ticket."""
        row = (await self._work.connection.execute(_LOCK, {"id": ticket_id})).one_or_none()
        return None if row is None else tables.ticket_of(row)

    async def save(self, before: Ticket, after: Ticket, change: Change) -> None:
        """Writes only the columns that changed: so a comment touches no index, and no text is written twice."""
        was = tables.row_of_ticket(before)
        row = {name: value for name, value in tables.row_of_ticket(after).items() if value != was[name]}
        row["version"] = after.version  # also where it is the same, which then is refused
        is_a_step = (_TICKET.version == after.version - 1, _TICKET.status.in_(_ORIGINS[after.status]))
        saved = await self._work.connection.execute(
            update(tables.ticket).where(_TICKET.ticket_id == after.ticket_id, *is_a_step).values(row)
        )
        if saved.rowcount != 1:
            raise TicketChanged
        await self._work.connection.execute(insert(tables.change), tables.row_of_change(change))
        self._work.on_commit(lambda: self._changed.ring(str(after.ticket_id)))


class SqlComments:
    """Port Comments."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def add(self, comment: Comment) -> None:
        """One statement."""
        await self._work.connection.execute(insert(tables.comment), tables.row_of_comment(comment))

    async def get(self, ticket_id: UUID, comment_id: UUID) -> Comment | None:
        """Locks nothing: the ticket is locked."""
        asked = {"id": comment_id, "ticket": ticket_id}
        row = (await self._work.connection.execute(_GET_COMMENT, asked)).one_or_none()
        return None if row is None else tables.comment_of(row)

    async def save(self, comment: Comment) -> None:
        """Writes the whole row."""
        row = tables.row_of_comment(comment)
        await self._work.connection.execute(
            update(tables.comment).where(_COMMENT.comment_id == row.pop("comment_id")), row
        )


class TicketWork(UnitOfWork):
    """Port Work."""

    def __init__(self, engine: AsyncEngine, changed: Signal, *, once: Once | None = None) -> None:
        super().__init__(engine, once=once)
        self._tickets = SqlTickets(self, changed)
        self._comments = SqlComments(self)

    @property
    def tickets(self) -> SqlTickets:
        """The tickets as this transaction sees them."""
        return self._tickets

    @property
    def comments(self) -> SqlComments:
        """The comments as this transaction sees them."""
        return self._comments
