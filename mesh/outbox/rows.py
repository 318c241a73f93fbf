"""Rows of the outbox as settling sees them. They are locked in the order of their sequence, before any saga."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from sagamesh.mesh.v1.envelope_pb2 import Envelope
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True)
class QueuedRow:
    """A message that waits in the outbox."""

    seq: int
    message_id: UUID
    bucket: int
    destination: str
    ordering_key: str
    envelope: bytes
    saga_id: UUID | None
    attempts: int
    create_time: datetime

    @cached_property
    def direction(self) -> int | None:
        """What it asks of its saga's step (SagaStep.Direction); None outside sagas."""
        return Envelope.FromString(self.envelope).saga_step.direction if self.saga_id is not None else None


_LOCK = text(
    """SELECT seq, message_id, bucket, destination, ordering_key, envelope, saga_id, attempts, create_time
    FROM outbox WHERE message_id = ANY(:message_ids) ORDER BY seq FOR UPDATE"""
)
_DELETE = text("DELETE FROM outbox WHERE seq = ANY(:seqs)")


async def lock(connection: AsyncConnection, message_ids: Sequence[UUID]) -> dict[UUID, QueuedRow]:
    """Locks the rows that are still there, and returns them by message id."""
    if not message_ids:
        return {}
    found = await connection.execute(_LOCK, {"message_ids": list(message_ids)})
    rows = [QueuedRow(**row) for row in found.mappings()]
    return {row.message_id: row for row in rows}


async def delete(connection: AsyncConnection, seqs: Sequence[int]) -> None:
    """Deletes rows that `lock` returned."""
    if seqs:
        await connection.execute(_DELETE, {"seqs": list(seqs)})
