"""The ports over PostgreSQL. Speaks SQL inside the caller's transaction, and never commits.

Locks are taken event by event in the order of their ids; an event's lock is also that of its scores.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from line_provider import tables
from line_provider.domain import Change, Event, History, Ledger, Posting, Revision
from mesh.idempotency import Once
from mesh.signal import Signal
from mesh.uow import UnitOfWork

_EVENT = tables.event.c
_LOCK = select(tables.event).where(_EVENT.event_id == bindparam("id")).with_for_update()
# ANY of one array, not IN of many values: the statement is prepared once, whatever the size of the set.
_LOCK_SET = (
    select(tables.event)
    .where(_EVENT.event_id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(_EVENT.event_id)
    .with_for_update()
)

# What domain.History asks for: the two highest revisions that stand and the highest revoked one. So a score that was
# edited a thousand times costs three index probes.
_HISTORIES = text(
    """SELECT asked.score_id, seen.revision, seen.rate, seen.revoked
    FROM unnest(CAST(:score_ids AS uuid[])) AS asked (score_id)
    CROSS JOIN LATERAL (
        (SELECT revision, rate, revoked FROM score_revision
         WHERE score_id = asked.score_id AND NOT revoked ORDER BY revision DESC LIMIT 2)
        UNION ALL
        (SELECT revision, rate, revoked FROM score_revision
         WHERE score_id = asked.score_id AND revoked ORDER BY revision DESC LIMIT 1)) AS seen
    ORDER BY asked.score_id, seen.revision DESC"""
)

_WRITE_REVISIONS = text(
    """INSERT INTO score_revision (score_id, event_id, revision, rate, revoked)
    SELECT * FROM unnest(CAST(:score_ids AS uuid[]), CAST(:event_ids AS uuid[]), CAST(:revisions AS bigint[]),
                         CAST(:rates AS smallint[]), CAST(:revoked AS boolean[]))
    ON CONFLICT (score_id, revision) DO UPDATE SET revoked = excluded.revoked"""
)

# unnest flattens nested arrays, so each rate's count travels in a column of its own.
_RECOUNT = text(
    """UPDATE event SET histogram = ARRAY[new.one, new.two, new.three, new.four, new.five], status = new.status,
                        version = new.version, update_time = new.update_time
    FROM unnest(CAST(:event_ids AS uuid[]), CAST(:ones AS bigint[]), CAST(:twos AS bigint[]),
                CAST(:threes AS bigint[]), CAST(:fours AS bigint[]), CAST(:fives AS bigint[]),
                CAST(:statuses AS text[]), CAST(:versions AS bigint[]), CAST(:update_times AS timestamptz[]))
         AS new (event_id, one, two, three, four, five, status, version, update_time)
    WHERE event.event_id = new.event_id AND event.version < new.version"""
)


class SqlEvents:
    """Port Events. Watchers of an event are woken when its change is committed."""

    def __init__(self, work: UnitOfWork, changed: Signal) -> None:
        self._work = work
        self._changed = changed

    async def add(self, event: Event) -> None:
        """One statement; a new event wakes nobody."""
        await self._work.connection.execute(insert(tables.event), tables.row_of(event))

    async def lock(self, event_id: UUID) -> Event | None:
        """Waits for whoever holds the event."""
        row = (await self._work.connection.execute(_LOCK, {"id": event_id})).one_or_none()
        return None if row is None else tables.event_of(row)

    async def save(self, event: Event) -> None:
        """Writes the whole row, which the lock keeps from changing underneath."""
        row = tables.row_of(event)
        await self._work.connection.execute(update(tables.event).where(_EVENT.event_id == row.pop("event_id")), row)
        self._work.on_commit(lambda: self._changed.ring(str(event.event_id)))


class SqlScores:
    """Port Scores. A set costs four statements, however many changes it holds."""

    def __init__(self, work: UnitOfWork, changed: Signal) -> None:
        self._work = work
        self._changed = changed

    async def lock(self, changes: Sequence[Change]) -> Ledger:
        """Waits for whoever holds one of the events."""
        events = await self._lock_events(sorted({change.event_id for change in changes}))
        # A statement of its own, after the locks: so it sees all that those who held them before have written.
        histories = await self._histories([change.score_id for change in changes])
        return Ledger(events, histories)

    async def write(self, posting: Posting) -> None:
        """Writes one set of revisions and one of events."""
        if posting.entries:
            await self._connection.execute(_WRITE_REVISIONS, _revision_columns(posting))
        if posting.events:
            await self._connection.execute(_RECOUNT, _event_columns(posting.events))
            self._work.on_commit(lambda: self._ring(posting.events))

    async def _lock_events(self, event_ids: Sequence[UUID]) -> dict[UUID, Event]:
        rows = await self._connection.execute(_LOCK_SET, {"ids": event_ids})
        return {row.event_id: tables.event_of(row) for row in rows}

    async def _histories(self, score_ids: Sequence[UUID]) -> dict[UUID, History]:
        found: dict[UUID, tuple[Revision, ...]] = {}
        for row in await self._connection.execute(_HISTORIES, {"score_ids": score_ids}):
            seen = Revision(row.revision, row.rate, row.revoked)
            found[row.score_id] = (*found.get(row.score_id, ()), seen)
        return {score_id: History(revisions) for score_id, revisions in found.items()}

    def _ring(self, events: Sequence[Event]) -> None:
        for event in events:
            self._changed.ring(str(event.event_id))

    @property
    def _connection(self) -> AsyncConnection:
        return self._work.connection


class EventWork(UnitOfWork):
    """Port Work."""

    def __init__(self, engine: AsyncEngine, changed: Signal, *, once: Once | None = None) -> None:
        super().__init__(engine, once=once)
        self._events = SqlEvents(self, changed)

    @property
    def events(self) -> SqlEvents:
        """The events as this transaction sees them."""
        return self._events


def _revision_columns(posting: Posting) -> dict[str, list[Any]]:  # one type a column
    entries = posting.entries
    return {
        "score_ids": [entry.score_id for entry in entries],
        "event_ids": [entry.event_id for entry in entries],
        "revisions": [entry.revision.revision for entry in entries],
        "rates": [entry.revision.rate for entry in entries],
        "revoked": [entry.revision.revoked for entry in entries],
    }


def _event_columns(events: Sequence[Event]) -> dict[str, list[Any]]:
    histograms = list(zip(*(event.aggregate.histogram for event in events), strict=True))
    return {
        "event_ids": [event.event_id for event in events],
        **dict(zip(("ones", "twos", "threes", "fours", "fives"), map(list, histograms), strict=True)),
        "statuses": [event.aggregate.status.name for event in events],
        "versions": [event.version for event in events],
        "update_times": [event.update_time for event in events],
    }
