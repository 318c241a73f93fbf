"""What commands need of the outside. Protocols only; repository.py has them over PostgreSQL."""

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from line_provider.domain import Change, Event, Ledger, Posting


class Events(Protocol):
    """The events, one at a time."""

    async def add(self, event: Event) -> None:
        """Keeps a new event."""
        ...

    async def lock(self, event_id: UUID) -> Event | None:
        """The event, which nobody else changes until this transaction ends; None when there is none."""
        ...

    async def save(self, event: Event) -> None:
        """Keeps what a manager may change of a locked event."""
        ...


class Scores(Protocol):
    """Events and the scores that they count, as sets."""

    async def lock(self, changes: Sequence[Change]) -> Ledger:
        """Everything that the changes are about, which nobody else changes until this transaction ends."""
        ...

    async def write(self, posting: Posting) -> None:
        """Keeps what changed of locked events and scores."""
        ...


class Work(Protocol):
    """A transaction over events: rolled back unless committed."""

    @property
    def events(self) -> Events:
        """The events as this transaction sees them."""
        ...

    async def commit(self, answer: object = None) -> None:
        """Makes it durable; `answer` is what a repetition of the request will get."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
