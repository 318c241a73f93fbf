"""Messages given up: kept for reading, and put back at their place in the order when an operator says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from google.rpc.status_pb2 import Status
from sagamesh.mesh.v1 import outbox_pb2
from sagamesh.mesh.v1.envelope_pb2 import Envelope
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from mesh.errors import FailedPrecondition, NotFound
from mesh.identifiers import created_at
from mesh.outbox.rows import QueuedRow
from mesh.saga.engine import Sagas, StepReport
from mesh.saga.machine import Report
from mesh.uow import UnitOfWork


class DeadLetterNotFound(NotFound):
    """There is no such dead letter."""

    reason = "DEAD_LETTER_NOT_FOUND"


class NotRedrivable(FailedPrecondition):
    """This dead letter is kept for reading only: its saga was taken back, or its destination refused it for good."""

    reason = "DEAD_LETTER_NOT_REDRIVABLE"


class TooOldToRedrive(FailedPrecondition):
    """The message is older than what inboxes remember, so a second effect could not be ruled out."""

    reason = "DEAD_LETTER_TOO_OLD"


@dataclass(frozen=True, slots=True)
class Burial:
    """A message to give up. `parked` holds back the later messages of its key until it is redriven."""

    row: QueuedRow
    error: Status
    redrivable: bool
    parked: bool


_BURY = text(
    """INSERT INTO dead_letter (message_id, seq, bucket, destination, ordering_key, envelope, saga_id, attempts, error,
                                redrivable, parked, create_time)
    SELECT * FROM unnest(CAST(:message_ids AS uuid[]), CAST(:seqs AS bigint[]), CAST(:buckets AS smallint[]),
                         CAST(:destinations AS text[]), CAST(:ordering_keys AS text[]), CAST(:envelopes AS bytea[]),
                         CAST(:saga_ids AS uuid[]), CAST(:attempts AS integer[]), CAST(:errors AS bytea[]),
                         CAST(:redrivable AS boolean[]), CAST(:parked AS boolean[]),
                         CAST(:create_times AS timestamptz[]))"""
)
_LOCK = text("SELECT * FROM dead_letter WHERE message_id = :message_id FOR UPDATE")
_PUT_BACK = text(
    """WITH back AS (DELETE FROM dead_letter WHERE message_id = :message_id RETURNING *)
    INSERT INTO outbox (seq, message_id, bucket, destination, ordering_key, envelope, saga_id, create_time)
    SELECT seq, message_id, bucket, destination, ordering_key, envelope, saga_id, create_time FROM back"""
)
_LIST = text(
    """SELECT * FROM dead_letter WHERE CAST(:after AS uuid) IS NULL OR message_id > :after
    ORDER BY message_id LIMIT :limit"""
)
_PRUNE = text("DELETE FROM dead_letter WHERE NOT parked AND message_id < :bound")


async def bury(connection: AsyncConnection, burials: Sequence[Burial]) -> None:
    """Keeps messages whose rows leave the outbox, as a set."""
    if not burials:
        return
    await connection.execute(
        _BURY,
        {
            "message_ids": [b.row.message_id for b in burials],
            "seqs": [b.row.seq for b in burials],
            "buckets": [b.row.bucket for b in burials],
            "destinations": [b.row.destination for b in burials],
            "ordering_keys": [b.row.ordering_key for b in burials],
            "envelopes": [b.row.envelope for b in burials],
            "saga_ids": [b.row.saga_id for b in burials],
            "attempts": [b.row.attempts + 1 for b in burials],
            "errors": [b.error.SerializeToString() for b in burials],
            "redrivable": [b.redrivable for b in burials],
            "parked": [b.parked for b in burials],
            "create_times": [b.row.create_time for b in burials],
        },
    )


async def redrive(work: UnitOfWork, sagas: Sagas, message_id: UUID, remembered: timedelta) -> None:
    """Puts a dead letter back where it was in its key's order, with all its attempts, and its saga back to work.

    `remembered` is how long inboxes keep what they have handled. Raises DeadLetterNotFound, NotRedrivable,
    TooOldToRedrive.
    """
    letter = (await work.connection.execute(_LOCK, {"message_id": message_id})).one_or_none()
    if letter is None:
        raise DeadLetterNotFound(field="message_id")
    if not letter.redrivable:
        raise NotRedrivable(field="message_id")
    if created_at(message_id) < datetime.now(UTC) - remembered:
        raise TooOldToRedrive(field="message_id")
    await work.connection.execute(_PUT_BACK, {"message_id": message_id})
    if letter.saga_id is not None:
        await sagas.apply(work, [StepReport(letter.saga_id, message_id, Report.REDRIVEN)])


async def list_dead_letters(
    connection: AsyncConnection, *, after: UUID | None, limit: int
) -> list[outbox_pb2.DeadLetter]:
    """Dead letters in the order in which their messages were produced."""
    rows = await connection.execute(_LIST, {"after": after, "limit": limit})
    letters: list[outbox_pb2.DeadLetter] = []
    for row in rows:
        letter = outbox_pb2.DeadLetter(
            envelope=Envelope.FromString(row.envelope),
            error=Status.FromString(row.error),
            attempts=row.attempts,
            redrivable=row.redrivable,
            parked=row.parked,
        )
        letter.dead_time.FromDatetime(row.dead_time)
        letters.append(letter)
    return letters


async def prune(connection: AsyncConnection, bound: UUID) -> int:
    """Forgets letters older than the UUIDv7 `bound` that nothing waits for; returns how many."""
    return (await connection.execute(_PRUNE, {"bound": bound})).rowcount
