"""The tables of score_maker, and its rows as domain objects. Only this service reads or writes them.

The mesh's own tables (outbox, sagas) are in the same database and belong to the mesh.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Enum, MetaData, Row, SmallInteger, Table, Text, Uuid

from mesh.idempotency import request_table
from score_maker.domain import Score, Standing, Status

metadata = MetaData()

score = Table(
    "score",
    metadata,
    Column("score_id", Uuid, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("status", Enum(Status, native_enum=False), nullable=False),
    Column("rate", SmallInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("drawn", BigInteger, nullable=False),
    Column("standing_status", Enum(Status, native_enum=False)),  # the three are NULL together: nothing stands
    Column("standing_revision", BigInteger),
    Column("standing_rate", SmallInteger),
    Column("reason", Text, nullable=False),
    Column("saga_id", Uuid, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

request = request_table(metadata)


def score_of(row: Row[Any]) -> Score:
    """A row of `score` as a score."""
    status: Status | None = row.standing_status
    return Score(
        score_id=row.score_id,
        event_id=row.event_id,
        user_id=row.user_id,
        status=row.status,
        rate=row.rate,
        revision=row.revision,
        drawn=row.drawn,
        saga_id=row.saga_id,
        create_time=row.create_time,
        update_time=row.update_time,
        standing=None if status is None else Standing(status, row.standing_revision, row.standing_rate),
        reason=row.reason,
        version=row.version,
    )


def row_of(score: Score) -> dict[str, Any]:  # one type a column
    """A score as a row of `score`."""
    standing = score.standing
    return {
        "score_id": score.score_id,
        "event_id": score.event_id,
        "user_id": score.user_id,
        "status": score.status,
        "rate": score.rate,
        "revision": score.revision,
        "drawn": score.drawn,
        "standing_status": standing.status if standing else None,
        "standing_revision": standing.revision if standing else None,
        "standing_rate": standing.rate if standing else None,
        "reason": score.reason,
        "saga_id": score.saga_id,
        "version": score.version,
        "create_time": score.create_time,
        "update_time": score.update_time,
    }
