"""What commands need of the outside. Protocols only; repository.py, saga.py and clients.py have them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from score_maker.domain import Event, Score


class Events(Protocol):
    """The events, which another service owns. Never asked inside a transaction."""

    async def get(self, event_id: UUID) -> Event:
        """An event as it was at most a second ago. Raises EventNotFound, EventsUnavailable."""
        ...


class Scores(Protocol):
    """The scores."""

    async def add(self, score: Score) -> bool:
        """Keeps a user's first score of an event; False, and nothing kept, when the user has one already."""
        ...

    async def lock_own(self, event_id: UUID, user_id: str) -> Score | None:
        """A user's score of an event, which nobody else changes until this transaction ends."""
        ...

    async def lock(self, score_id: UUID) -> Score:
        """A score that is there (no score ever goes), which nobody else changes until this transaction ends."""
        ...

    async def lock_set(self, sagas: Mapping[UUID, UUID]) -> Sequence[Score]:
        """Of the scores in `sagas` (score id -> saga id), those whose last change is that saga's; locked."""
        ...

    async def save(self, scores: Sequence[Score]) -> None:
        """Keeps what changed of locked scores, each by one step. Raises LostUpdate for any other change."""
        ...


class LostUpdate(Exception):
    """A score was to be saved over something else than what it was made from."""


class Sagas(Protocol):
    """Starts sagas in this transaction."""

    async def rate(self, score: Score, submitted_at: datetime) -> None:
        """Has the event count the score's revision."""
        ...

    async def withdraw(self, score: Score, submitted_at: datetime) -> None:
        """Has the event stop counting the score."""
        ...


class Work(Protocol):
    """A transaction over scores and their sagas: rolled back unless committed."""

    @property
    def scores(self) -> Scores:
        """The scores as this transaction sees them."""
        ...

    @property
    def sagas(self) -> Sagas:
        """What starts sagas in this transaction."""
        ...

    async def commit(self, answer: object = None) -> None:
        """Makes it durable; `answer` is what a repetition of the request will get."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
