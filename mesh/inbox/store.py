"""Handled messages as rows. The row is inserted before the handler runs, so that a second delivery of the same
message waits for the first to commit or roll back."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from google.protobuf.any_pb2 import Any as AnyProto
from google.rpc.status_pb2 import Status
from sagamesh.mesh.v1.envelope_pb2 import Outcome
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_CLAIM = text(
    """INSERT INTO inbox (message_id, code) SELECT id, :ok FROM unnest(CAST(:message_ids AS uuid[])) AS id
    ON CONFLICT DO NOTHING RETURNING message_id"""
)
_ANSWERS = text("SELECT message_id, code, reply, error FROM inbox WHERE message_id = ANY(:message_ids)")
_REMEMBER = text(
    """UPDATE inbox SET code = new.code, reply = new.reply, error = new.error
    FROM unnest(CAST(:message_ids AS uuid[]), CAST(:codes AS smallint[]), CAST(:replies AS bytea[]),
                CAST(:errors AS bytea[])) AS new (message_id, code, reply, error)
    WHERE inbox.message_id = new.message_id"""
)
_FORGET = text("DELETE FROM inbox WHERE message_id = ANY(:message_ids)")


async def claim(connection: AsyncConnection, message_ids: Sequence[UUID]) -> set[UUID]:
    """Claims messages and returns those that are new. Sorted, so that two batches cannot deadlock."""
    rows = await connection.execute(_CLAIM, {"message_ids": sorted(message_ids), "ok": Outcome.OK})
    return {row.message_id for row in rows}


async def answers(connection: AsyncConnection, message_ids: Sequence[UUID]) -> dict[UUID, Outcome]:
    """The stored outcomes of messages that were handled before."""
    if not message_ids:
        return {}
    rows = await connection.execute(_ANSWERS, {"message_ids": list(message_ids)})
    return {
        row.message_id: Outcome(
            message_id=str(row.message_id),
            code=row.code,
            reply=AnyProto.FromString(row.reply) if row.reply else None,
            error=Status.FromString(row.error) if row.error else None,
        )
        for row in rows
    }


async def conclude(connection: AsyncConnection, outcomes: Mapping[UUID, Outcome]) -> None:
    """Stores what became of claimed messages, and forgets those that are to come again. A claim stands for OK
    without a reply, so the common case writes nothing more."""
    kept = {m: o for m, o in outcomes.items() if o.code == Outcome.REJECT or o.HasField("reply")}
    again = [m for m, o in outcomes.items() if o.code not in (Outcome.OK, Outcome.REJECT)]
    if kept:
        await connection.execute(
            _REMEMBER,
            {
                "message_ids": list(kept),
                "codes": [int(o.code) for o in kept.values()],
                "replies": [o.reply.SerializeToString() if o.HasField("reply") else None for o in kept.values()],
                "errors": [o.error.SerializeToString() if o.HasField("error") else None for o in kept.values()],
            },
        )
    if again:
        await connection.execute(_FORGET, {"message_ids": again})
