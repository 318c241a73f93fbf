"""The ports of tickets in memory. They pass the same suite as repository.py: see test_repository.py."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from uuid import UUID

from tickets.domain import STEPS, Change, Comment, Ticket
from tickets.errors import TicketChanged


@dataclass
class Store:
    """What is durable."""

    tickets: dict[UUID, Ticket] = field(default_factory=dict[UUID, Ticket])
    comments: dict[UUID, Comment] = field(default_factory=dict[UUID, Comment])
    changes: list[Change] = field(default_factory=list[Change])

    @classmethod
    def of(cls, *tickets: Ticket) -> "Store":
        return cls({ticket.ticket_id: ticket for ticket in tickets})

    def copy(self) -> "Store":
        return Store(dict(self.tickets), dict(self.comments), list(self.changes))


class FakeTickets:
    """Port Tickets."""

    def __init__(self, store: Store, meanwhile: Callable[[Store], None]) -> None:
        self._store = store
        self._meanwhile = meanwhile

    async def add(self, ticket: Ticket, change: Change) -> None:
        self._store.tickets[ticket.ticket_id] = ticket
        self._store.changes.append(change)

    async def lock(self, ticket_id: UUID) -> Ticket | None:
        return self._store.tickets.get(ticket_id)

    async def save(self, before: Ticket, after: Ticket, change: Change) -> None:
        self._meanwhile(self._store)
        kept = self._store.tickets.get(after.ticket_id)
        if kept is None or kept.version != after.version - 1 or (kept.status, after.status) not in STEPS:
            raise TicketChanged
        self._store.tickets[after.ticket_id] = after
        self._store.changes.append(change)


class FakeComments:
    """Port Comments."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, comment: Comment) -> None:
        self._store.comments[comment.comment_id] = comment

    async def get(self, ticket_id: UUID, comment_id: UUID) -> Comment | None:
        comment = self._store.comments.get(comment_id)
        return comment if comment is not None and comment.ticket_id == ticket_id else None

    async def save(self, comment: Comment) -> None:
        self._store.comments[comment.comment_id] = comment


class FakeWork:
    """Port Work: a copy of the store that takes its place when it commits."""

    def __init__(self, store: Store, meanwhile: Callable[[Store], None] = lambda _store: None) -> None:
        """`meanwhile` is what others do to the tickets although they are locked."""
        self._store = store
        self._meanwhile = meanwhile
        self.answer: object = None

    async def __aenter__(self) -> Self:
        self._draft = self._store.copy()
        self.tickets = FakeTickets(self._draft, self._meanwhile)
        self.comments = FakeComments(self._draft)
        return self

    async def commit(self, answer: object = None) -> None:
        self._store.tickets, self._store.comments = self._draft.tickets, self._draft.comments
        self._store.changes = self._draft.changes
        self.answer = answer

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        del self._draft
