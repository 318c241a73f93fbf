"""Sagas and their log as rows. Decides nothing; every function runs in the caller's transaction."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from google.protobuf.any_pb2 import Any as AnyProto
from google.rpc.status_pb2 import Status
from sagamesh.mesh.v1 import saga_pb2
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from mesh.outbox.store import OutboxRow
from mesh.saga.machine import Direction, Report, Standing, State


@dataclass(frozen=True, slots=True)
class SagaRow:
    """A saga as it is stored. `message_id` is the message that its current step waits for."""

    saga_id: UUID
    name: str
    version: int
    standing: Standing
    message_id: UUID
    entity_id: str
    ordering_key: str
    owner: str
    input: bytes
    replies: bytes
    error: bytes
    traceparent: str
    deadline: datetime


@dataclass(frozen=True, slots=True)
class LogRow:
    """One line of a saga's log."""

    saga_id: UUID
    step: str
    direction: Direction
    kind: Report
    error: bytes = b""


_INSERT = text(
    """WITH started AS (
        INSERT INTO saga (saga_id, name, version, state, step, direction, message_id, entity_id, ordering_key, owner,
                          input, traceparent, deadline)
        VALUES (:saga_id, :name, :version, :state, :step, :direction, :message_id, :entity_id, :ordering_key, :owner,
                :input, :traceparent, :deadline)),
    logged AS (
        INSERT INTO saga_log (saga_id, step, direction, kind) VALUES (:saga_id, :step, :direction, :sent))
    INSERT INTO outbox (message_id, bucket, destination, ordering_key, envelope, saga_id)
    VALUES (:message_id, :bucket, :destination, :ordering_key, :envelope, :saga_id)"""
)

_LOCK = text("SELECT * FROM saga WHERE saga_id = ANY(:saga_ids) ORDER BY saga_id FOR UPDATE")

_ADVANCE = text(
    """WITH changed AS (
        UPDATE saga SET state = new.state, step = new.step, direction = new.direction, message_id = new.message_id,
                        replies = new.replies, error = new.error, update_time = now()
        FROM unnest(CAST(:saga_ids AS uuid[]), CAST(:states AS smallint[]), CAST(:steps AS text[]),
                    CAST(:directions AS smallint[]), CAST(:message_ids AS uuid[]), CAST(:replies AS bytea[]),
                    CAST(:errors AS bytea[])) AS new (saga_id, state, step, direction, message_id, replies, error)
        WHERE saga.saga_id = new.saga_id)
    INSERT INTO saga_log (saga_id, step, direction, kind, error)
    SELECT * FROM unnest(CAST(:log_saga_ids AS uuid[]), CAST(:log_steps AS text[]), CAST(:log_directions AS smallint[]),
                         CAST(:log_kinds AS smallint[]), CAST(:log_errors AS bytea[]))"""
)

_READ_LOG = text("SELECT * FROM saga_log WHERE saga_id = :saga_id ORDER BY seq")

_READ = text("SELECT * FROM saga WHERE saga_id = :saga_id")

_LIST = text(
    """SELECT * FROM saga
    WHERE (CAST(:state AS smallint) = 0 OR state = :state) AND (CAST(:entity_id AS text) = '' OR entity_id = :entity_id)
      AND (CAST(:before AS uuid) IS NULL OR saga_id < :before)
    ORDER BY saga_id DESC LIMIT :limit"""
)


_PRUNE = text(
    """WITH ended AS (DELETE FROM saga WHERE saga_id < :bound AND state IN (3, 5) RETURNING saga_id),
    forgotten AS (DELETE FROM saga_log WHERE saga_id IN (SELECT saga_id FROM ended))
    SELECT count(*) FROM ended"""
)


async def insert(connection: AsyncConnection, row: SagaRow, message: OutboxRow) -> None:
    """Writes a new saga, the first line of its log and its first message, in one round trip."""
    await connection.execute(
        _INSERT,
        {
            "saga_id": row.saga_id,
            "name": row.name,
            "version": row.version,
            "state": row.standing.state,
            "step": row.standing.step,
            "direction": row.standing.direction,
            "message_id": row.message_id,
            "entity_id": row.entity_id,
            "ordering_key": row.ordering_key,
            "owner": row.owner,
            "input": row.input,
            "traceparent": row.traceparent,
            "deadline": row.deadline,
            "sent": Report.SENT,
            "bucket": message.bucket,
            "destination": message.destination,
            "envelope": message.envelope,
        },
    )


async def lock(connection: AsyncConnection, saga_ids: Sequence[UUID]) -> dict[UUID, SagaRow]:
    """Locks sagas in the order of their ids, and returns them."""
    rows = await connection.execute(_LOCK, {"saga_ids": list(saga_ids)})
    return {row["saga_id"]: _row(row) for row in rows.mappings()}


async def advance(connection: AsyncConnection, rows: Sequence[SagaRow], log: Sequence[LogRow]) -> None:
    """Writes what may change of locked sagas and appends lines to their logs, as one set."""
    if not rows:
        return
    await connection.execute(
        _ADVANCE,
        {
            "saga_ids": [row.saga_id for row in rows],
            "states": [int(row.standing.state) for row in rows],
            "steps": [row.standing.step for row in rows],
            "directions": [int(row.standing.direction) for row in rows],
            "message_ids": [row.message_id for row in rows],
            "replies": [row.replies for row in rows],
            "errors": [row.error for row in rows],
            "log_saga_ids": [line.saga_id for line in log],
            "log_steps": [line.step for line in log],
            "log_directions": [int(line.direction) for line in log],
            "log_kinds": [int(line.kind) for line in log],
            "log_errors": [line.error for line in log],
        },
    )


async def read_saga(connection: AsyncConnection, saga_id: UUID) -> saga_pb2.Saga | None:
    """A saga with its log, or None."""
    row = (await connection.execute(_READ, {"saga_id": saga_id})).mappings().one_or_none()
    if row is None:
        return None
    saga = to_proto(row)
    for line in (await connection.execute(_READ_LOG, {"saga_id": saga_id})).mappings():
        entry = saga.log.add(step=line["step"], direction=line["direction"], kind=line["kind"])
        entry.time.FromDatetime(line["time"])
        if line["error"]:
            entry.error.ParseFromString(line["error"])
    return saga


async def list_sagas(
    connection: AsyncConnection, *, state: int, entity_id: str, before: UUID | None, limit: int
) -> list[saga_pb2.Saga]:
    """Sagas without their logs, newest first; state 0 and entity_id "" do not filter."""
    parameters = {"state": state, "entity_id": entity_id, "before": before, "limit": limit}
    return [to_proto(row) for row in (await connection.execute(_LIST, parameters)).mappings()]


async def prune(connection: AsyncConnection, bound: UUID) -> int:
    """Forgets ended sagas that started before the UUIDv7 `bound`, with their logs; returns how many."""
    return (await connection.execute(_PRUNE, {"bound": bound})).scalar_one()


def to_proto(row: RowMapping) -> saga_pb2.Saga:
    """A row of the saga table as its message."""
    final = row["state"] in (State.COMPLETED, State.COMPENSATED)
    saga = saga_pb2.Saga(
        saga_id=str(row["saga_id"]),
        name=row["name"],
        version=row["version"],
        state=row["state"],
        step="" if final else row["step"],
        owner=row["owner"],
        entity_id=row["entity_id"],
    )
    if row["error"]:
        saga.error.CopyFrom(Status.FromString(row["error"]))
    for name in ("deadline", "create_time", "update_time"):
        getattr(saga, name).FromDatetime(row[name])
    return saga


def pack_replies(replies: Mapping[str, AnyProto]) -> bytes:
    """Replies by step, as they are stored."""
    return json.dumps({step: b64encode(reply.SerializeToString()).decode() for step, reply in replies.items()}).encode()


def unpack_replies(stored: bytes) -> dict[str, AnyProto]:
    """The inverse of pack_replies; nothing stored is no replies."""
    packed: dict[str, str] = json.loads(stored) if stored else {}
    return {step: AnyProto.FromString(b64decode(reply)) for step, reply in packed.items()}


def _row(row: RowMapping) -> SagaRow:
    fields: dict[str, Any] = {name: row[name] for name in SagaRow.__slots__ if name != "standing"}
    standing = Standing(State(row["state"]), row["step"], Direction(row["direction"]))
    return SagaRow(standing=standing, **fields)
