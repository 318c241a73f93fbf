"""Messages on their way out, as rows. A message is written in the transaction of the change that it announces."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.message import Message
from sagamesh.mesh.v1.envelope_pb2 import Envelope, SagaStep
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from mesh.schema import BUCKETS


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A message as it is stored: the envelope in the wire format, and what queries need of it."""

    message_id: UUID
    bucket: int
    destination: str
    ordering_key: str
    envelope: bytes
    saga_id: UUID | None


_APPEND = text(
    """INSERT INTO outbox (message_id, bucket, destination, ordering_key, envelope, saga_id)
    SELECT * FROM unnest(CAST(:message_ids AS uuid[]), CAST(:buckets AS smallint[]), CAST(:destinations AS text[]),
                         CAST(:ordering_keys AS text[]), CAST(:envelopes AS bytea[]), CAST(:saga_ids AS uuid[]))"""
)


def seal(
    message_id: UUID,
    destination: str,
    ordering_key: str,
    payload: Message,
    *,
    saga_step: SagaStep | None = None,
    traceparent: str = "",
) -> OutboxRow:
    """A message ready for the outbox."""
    envelope = Envelope(
        message_id=str(message_id),
        destination=destination,
        type=payload.DESCRIPTOR.full_name,
        payload=payload.SerializeToString(),
        ordering_key=ordering_key,
        saga_step=saga_step,
        traceparent=traceparent,
    )
    envelope.create_time.FromDatetime(datetime.now(UTC))
    saga_id = UUID(saga_step.saga_id) if saga_step is not None else None
    return OutboxRow(
        message_id, bucket_of(ordering_key), destination, ordering_key, envelope.SerializeToString(), saga_id
    )


def bucket_of(ordering_key: str) -> int:
    """The bucket of a key: stable across processes and releases, since rows store it."""
    return zlib.crc32(ordering_key.encode()) % BUCKETS


async def append(connection: AsyncConnection, rows: Sequence[OutboxRow]) -> None:
    """Writes messages, in order. The rows of their aggregates must be locked by now: that makes the order of the
    sequence the order of the changes."""
    if not rows:
        return
    await connection.execute(
        _APPEND,
        {
            "message_ids": [row.message_id for row in rows],
            "buckets": [row.bucket for row in rows],
            "destinations": [row.destination for row in rows],
            "ordering_keys": [row.ordering_key for row in rows],
            "envelopes": [row.envelope for row in rows],
            "saga_ids": [row.saga_id for row in rows],
        },
    )
