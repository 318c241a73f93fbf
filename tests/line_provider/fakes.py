"""The ports of line_provider in memory. They pass the same suite as repository.py: see test_repository.py."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from uuid import UUID

from line_provider.domain import Change, Event, History, Ledger, Posting, Revision


@dataclass
class Store:
    """What is durable."""

    events: dict[UUID, Event] = field(default_factory=dict[UUID, Event])
    revisions: dict[UUID, dict[int, Revision]] = field(default_factory=dict[UUID, dict[int, Revision]])

    def copy(self) -> "Store":
        return Store(dict(self.events), {score: dict(seen) for score, seen in self.revisions.items()})


class FakeEvents:
    """Port Events."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, event: Event) -> None:
        self._store.events[event.event_id] = event

    async def lock(self, event_id: UUID) -> Event | None:
        return self._store.events.get(event_id)

    async def save(self, event: Event) -> None:
        self._store.events[event.event_id] = event


class FakeScores:
    """Port Scores."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def lock(self, changes: Sequence[Change]) -> Ledger:
        events = {c.event_id: self._store.events[c.event_id] for c in changes if c.event_id in self._store.events}
        return Ledger(events, {c.score_id: self._history(c.score_id) for c in changes})

    async def write(self, posting: Posting) -> None:
        for entry in posting.entries:
            self._store.revisions.setdefault(entry.score_id, {})[entry.revision.revision] = entry.revision
        for event in posting.events:
            self._store.events[event.event_id] = event

    def _history(self, score_id: UUID) -> History:
        seen = self._store.revisions.get(score_id, {})
        return History(tuple(seen[revision] for revision in sorted(seen, reverse=True)))


class FakeWork:
    """Port Work: a copy of the store that takes its place when it commits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.answer: object = None
        self.commits = 0

    async def __aenter__(self) -> Self:
        self._draft = self._store.copy()
        self.events = FakeEvents(self._draft)
        return self

    async def commit(self, answer: object = None) -> None:
        self._store.events, self._store.revisions = self._draft.events, self._draft.revisions
        self.answer = answer
        self.commits += 1

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        del self._draft
