"""Messages put into score_maker's outbox without the service: what that many submitted scores would have left.

Scores, sagas, log and messages are built by the service's own code and copied into the tables; that each of them
becomes CONFIRMED afterwards shows that they are what the service would have written.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sagamesh.line_provider.v1.commands_pb2 import ApplyScore
from sagamesh.mesh.v1.envelope_pb2 import SagaStep

from mesh.identifiers import new_id
from mesh.outbox.store import OutboxRow, seal
from mesh.saga.machine import Direction, Report, State
from score_maker.domain import Score, first_score
from score_maker.saga import LINE_PROVIDER
from score_maker.tables import row_of

_STEP = "apply_score"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A score whose saga waits for its first message."""

    score: Score
    command: ApplyScore
    message: OutboxRow


async def fill(dsn: str, event_ids: Iterable[str], scores_per_event: int) -> list[OutboxRow]:
    """Writes scores of the events, each by a user of its own, and returns their messages."""
    waiting = list(_waiting(event_ids, scores_per_event))
    connection = await asyncpg.connect(dsn)
    async with connection.transaction():
        await _copy(connection, "score", [_score_row(one) for one in waiting])
        await _copy(connection, "saga", [_saga_row(one) for one in waiting])
        await _copy(connection, "saga_log", [_log_row(one) for one in waiting])
        await _copy(connection, "outbox", [_outbox_row(one) for one in waiting])
    # Rows that had gathered one by one would have been vacuumed and counted by now.
    await connection.execute("VACUUM (ANALYZE) score, saga, saga_log, outbox")
    await connection.close()
    return [one.message for one in waiting]


def _waiting(event_ids: Iterable[str], scores_per_event: int) -> Iterator[Waiting]:
    events = list(event_ids)
    for number in range(scores_per_event):
        for event_id in events:
            yield _one(event_id, f"waiting-{number}", 1 + number % 5)


def _one(event_id: str, user: str, rate: int) -> Waiting:
    now = datetime.now(UTC)
    score = first_score(new_id(), UUID(event_id), user, rate, new_id(), now)
    key = str(score.score_id)
    command = ApplyScore(score_id=key, event_id=event_id, revision=1, rate=rate, submitted_at=now)
    step = SagaStep(saga_id=str(score.saga_id), step=_STEP, direction=SagaStep.DO)
    return Waiting(score, command, seal(new_id(), LINE_PROVIDER, key, command, saga_step=step))


async def _copy(connection: asyncpg.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    records = [tuple(row.values()) for row in rows]
    await connection.copy_records_to_table(table, columns=list(rows[0]), records=records)


def _score_row(one: Waiting) -> dict[str, Any]:
    return row_of(one.score) | {"status": one.score.status.name}


def _saga_row(one: Waiting) -> dict[str, Any]:
    return {
        "saga_id": one.score.saga_id,
        "name": "rate",
        "version": 1,
        "state": int(State.RUNNING),
        "step": _STEP,
        "direction": int(Direction.DO),
        "message_id": one.message.message_id,
        "entity_id": str(one.score.score_id),
        "ordering_key": one.message.ordering_key,
        "owner": f"user:{one.score.user_id}",
        "input": one.command.SerializeToString(),
        "deadline": datetime.now(UTC) + timedelta(minutes=15),
    }


def _log_row(one: Waiting) -> dict[str, Any]:
    return {
        "saga_id": one.score.saga_id,
        "step": _STEP,
        "direction": int(Direction.DO),
        "kind": int(Report.SENT),
    }


def _outbox_row(one: Waiting) -> dict[str, Any]:
    message = one.message
    return {
        "message_id": message.message_id,
        "bucket": message.bucket,
        "destination": message.destination,
        "ordering_key": message.ordering_key,
        "envelope": message.envelope,
        "saga_id": message.saga_id,
    }
