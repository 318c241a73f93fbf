"""The tables of line_provider, and its rows as domain objects. Only this service reads or writes them."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Enum,
    MetaData,
    Row,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

from line_provider.domain import Aggregate, Event, Status
from mesh.idempotency import request_table

metadata = MetaData()

event = Table(
    "event",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("title", Text, nullable=False),
    Column("deadline", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    Column("histogram", ARRAY(BigInteger, dimensions=1), nullable=False),
    Column("status", Enum(Status, native_enum=False), nullable=False),  # follows the histogram; kept to be filtered by
    Column("edit", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

score_revision = Table(
    "score_revision",
    metadata,
    Column("score_id", Uuid, primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("rate", SmallInteger),  # NULL: the score was withdrawn
    Column("revoked", Boolean, nullable=False),
)

request = request_table(metadata)


def event_of(row: Row[Any]) -> Event:
    """A row of `event` as an event."""
    return Event(
        event_id=row.event_id,
        title=row.title,
        deadline=row.deadline,
        create_time=row.create_time,
        update_time=row.update_time,
        finished_at=row.finished_at,
        aggregate=Aggregate(tuple(row.histogram)),
        edit=row.edit,
        version=row.version,
    )


def row_of(event: Event) -> dict[str, Any]:  # one type a column
    """An event as a row of `event`."""
    return {
        "event_id": event.event_id,
        "title": event.title,
        "deadline": event.deadline,
        "finished_at": event.finished_at,
        "histogram": list(event.aggregate.histogram),
        "status": event.aggregate.status,
        "edit": event.edit,
        "version": event.version,
        "create_time": event.create_time,
        "update_time": event.update_time,
    }
