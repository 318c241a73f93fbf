"""What commands need of the outside. Protocols only; repository.py has them over PostgreSQL."""

from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from tickets.domain import Change, Comment, Ticket


class Tickets(Protocol):
    """The tickets and their histories."""

    async def add(self, ticket: Ticket, change: Change) -> None:
        """Keeps a new ticket."""
        ...

    async def lock(self, ticket_id: UUID) -> Ticket | None:
        """The ticket, which nobody else changes until this transaction ends; None when there is none."""
        ...

    async def save(self, before: Ticket, after: Ticket, change: Change) -> None:
        """Keeps what changed of a locked ticket, by one step, and the change that made it. Raises TicketChanged for a
        ticket that is not as `before` says, or may not become as `after` says."""
        ...


class Comments(Protocol):
    """The comments of tickets. Whoever changes one has its ticket locked."""

    async def add(self, comment: Comment) -> None:
        """Keeps a new comment."""
        ...

    async def get(self, ticket_id: UUID, comment_id: UUID) -> Comment | None:
        """A comment of that ticket; None when there is none."""
        ...

    async def save(self, comment: Comment) -> None:
        """Keeps what changed of a comment."""
        ...


class Work(Protocol):
    """A transaction over tickets and their comments: rolled back unless committed."""

    @property
    def tickets(self) -> Tickets:
        """The tickets as this transaction sees them."""
        ...

    @property
    def comments(self) -> Comments:
        """The comments as this transaction sees them."""
        ...

    async def commit(self, answer: object = None) -> None:
        """Makes it durable; `answer` is what a repetition of the request will get."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
