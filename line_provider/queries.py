"""Reads: SQL to events. Nothing is locked or changed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from line_provider import tables
from line_provider.domain import Event, Status
from line_provider.errors import EventNotFound
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


def _conditions(wanted: EventFilter, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(_EVENT.status == wanted.status)
    if wanted.open is True:
        conditions.append(and_(_EVENT.finished_at.is_(None), _EVENT.deadline > now))
    if wanted.open is False:
        conditions.append(or_(_EVENT.finished_at.is_not(None), _EVENT.deadline <= now))
    return conditions
