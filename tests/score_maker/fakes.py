"""The ports of score_maker in memory. Those of scores pass the same suite as repository.py: see test_repository.py."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self
from uuid import UUID

from score_maker.domain import MOVES, Event, Score
from score_maker.errors import EventNotFound, EventsUnavailable
from score_maker.ports import LostUpdate


@dataclass(frozen=True)
class Started:
    """A saga that was started: which, for which revision of which score."""

    name: str
    score_id: UUID
    saga_id: UUID
    revision: int
    rate: int
    submitted_at: datetime


@dataclass
class Store:
    """What is durable."""

    scores: dict[UUID, Score] = field(default_factory=dict[UUID, Score])
    sagas: list[Started] = field(default_factory=list[Started])

    @classmethod
    def of(cls, *scores: Score) -> "Store":
        return cls({score.score_id: score for score in scores})

    def copy(self) -> "Store":
        return Store(dict(self.scores), list(self.sagas))


class FakeEvents:
    """Port Events."""

    def __init__(self, *events: Event, is_reachable: bool = True) -> None:
        self._events = {event.event_id: event for event in events}
        self._is_reachable = is_reachable

    async def get(self, event_id: UUID) -> Event:
        if not self._is_reachable:
            raise EventsUnavailable
        if event_id not in self._events:
            raise EventNotFound(field="event_id")
        return self._events[event_id]


class FakeScores:
    """Port Scores."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, score: Score) -> bool:
        if await self.lock_own(score.event_id, score.user_id) is not None:
            return False
        self._store.scores[score.score_id] = score
        return True

    async def lock_own(self, event_id: UUID, user_id: str) -> Score | None:
        own = (s for s in self._store.scores.values() if (s.event_id, s.user_id) == (event_id, user_id))
        return next(own, None)

    async def lock(self, score_id: UUID) -> Score:
        return self._store.scores[score_id]

    async def lock_set(self, sagas: Mapping[UUID, UUID]) -> Sequence[Score]:
        found = [self._store.scores[score_id] for score_id in sorted(sagas) if score_id in self._store.scores]
        return [score for score in found if sagas[score.score_id] == score.saga_id]

    async def save(self, scores: Sequence[Score]) -> None:
        if not all(map(self._is_one_step, scores)):
            raise LostUpdate
        self._store.scores |= {score.score_id: score for score in scores}

    def _is_one_step(self, score: Score) -> bool:
        before = self._store.scores.get(score.score_id)
        if before is None or before.version != score.version - 1:
            return False
        return (before.status, score.status) in MOVES


class FakeSagas:
    """Port Sagas."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def rate(self, score: Score, submitted_at: datetime) -> None:
        self._start("rate", score, submitted_at)

    async def withdraw(self, score: Score, submitted_at: datetime) -> None:
        self._start("withdraw", score, submitted_at)

    def _start(self, name: str, score: Score, at: datetime) -> None:
        self._store.sagas.append(Started(name, score.score_id, score.saga_id, score.revision, score.rate, at))


class FakeWork:
    """Port Work: a copy of the store that takes its place when it commits."""

    def __init__(self, store: Store, races: Iterable[Score] = ()) -> None:
        """`races` are what others commit just before this work begins."""
        self._store = store
        self._races = races
        self.answer: object = None

    async def __aenter__(self) -> Self:
        self._store.scores |= {score.score_id: score for score in self._races}
        self._draft = self._store.copy()
        self.scores = FakeScores(self._draft)
        self.sagas = FakeSagas(self._draft)
        return self

    async def commit(self, answer: object = None) -> None:
        self._store.scores, self._store.sagas = self._draft.scores, self._draft.sagas
        self.answer = answer

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        del self._draft
