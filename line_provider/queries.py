"""Reads: SQL to events. Nothing is locked or changed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from line_provider import tables
from line_provider.domain import Event, Status
from line_provider.errors import EventNotFound
from mesh.signal import Signal
from mesh.uow import UnitOfWork

_EVENT = tables.event.c
_GET = select(tables.event).where(_EVENT.event_id == bindparam("id"))


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events to list; None does not filter."""

    open: bool | None = None
    status: Status | None = None


async def get_event(engine: AsyncEngine, event_id: UUID) -> Event:
    """An event. Raises EventNotFound."""
    async with UnitOfWork(engine) as work:
        row = (await work.connection.execute(_GET, {"id": event_id})).one_or_none()
    if row is None:
        raise EventNotFound(field="event_id")
    return tables.event_of(row)


async def list_events(
    engine: AsyncEngine, wanted: EventFilter, *, now: datetime, before: UUID | None, limit: int
) -> list[Event]:
    """At most `limit` events with an id below `before`, newest first."""
    query = select(tables.event).where(*_conditions(wanted, now)).order_by(_EVENT.event_id.desc()).limit(limit)
    if before is not None:
        query = query.where(_EVENT.event_id < before)
    async with UnitOfWork(engine) as work:
        return [tables.event_of(row) for row in await work.connection.execute(query)]


class EventWatch:
    """Follows events as they change. Watchers of one event that a change wakes together share one read."""

    def __init__(
        self, engine: AsyncEngine, changed: Signal, stopping: asyncio.Event, *, look_again: float = 2.0
    ) -> None:
        """`changed` rings with an event's id. A ring may be lost, so watchers also look every `look_again` seconds."""
        self._engine = engine
        self._changed = changed
        self._stopping = stopping
        self._look_again = look_again
        self._looks: dict[UUID, asyncio.Task[Event]] = {}

    async def follow(self, event_id: UUID, *, after_version: int) -> AsyncIterator[Event]:
        """The event whenever its version is above the last one given, until the server stops.

        Raises EventNotFound.
        """
        with self._changed.listen(str(event_id)) as rung:
            while not self._stopping.is_set():
                rung.clear()
                event = await self._look(event_id)
                if event.version > after_version:
                    after_version = event.version
                    yield event
                await _first_of(rung, self._stopping, self._look_again)

    async def _look(self, event_id: UUID) -> Event:
        look = self._looks.get(event_id)
        if look is None:
            look = self._looks[event_id] = asyncio.create_task(self._read(event_id))
        return await asyncio.shield(look)  # one watcher that leaves must not take the read from the others

    async def _read(self, event_id: UUID) -> Event:
        del self._looks[event_id]  # whoever asks from here on may know of a later change, and needs a later read
        return await get_event(self._engine, event_id)


def _conditions(wanted: EventFilter, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(_EVENT.status == wanted.status)
    if wanted.open is True:
        conditions.append(and_(_EVENT.finished_at.is_(None), _EVENT.deadline > now))
    if wanted.open is False:
        conditions.append(or_(_EVENT.finished_at.is_not(None), _EVENT.deadline <= now))
    return conditions


async def _first_of(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    waits = [asyncio.create_task(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
