"""Leases on the outbox's buckets: every live relay holds its share, and an epoch fences who has lost it.

All times are the database's. The epoch rises when a bucket changes hands, never on renewal. SKIP LOCKED only takes
leases: it never decides which message is next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from mesh.schema import BUCKETS
from mesh.telemetry import MECHANISMS

_CHURN = Counter(
    "sagamesh_outbox_lease_changes", "Buckets that relays acquired or released", ["change"], registry=MECHANISMS
)


@dataclass(frozen=True, slots=True)
class Lease:
    """What a relay holds: how many buckets, and for how many seconds the shortest lease still holds."""

    buckets: int
    remaining: float


_HEARTBEAT = text(
    """INSERT INTO outbox_relay (owner, expire_time) VALUES (:owner, now() + make_interval(secs => :ttl))
    ON CONFLICT (owner) DO UPDATE SET expire_time = excluded.expire_time"""
)
_FORGET = text("DELETE FROM outbox_relay WHERE expire_time < now() - interval '1 minute'")
_SHARE = text("SELECT count(*) FROM outbox_relay WHERE expire_time > now()")
_RENEW = text(
    """UPDATE outbox_bucket SET expire_time = now() + make_interval(secs => :ttl)
    WHERE owner = :owner AND expire_time > now()"""
)
_RELEASE = text(
    """UPDATE outbox_bucket SET owner = NULL, expire_time = NULL WHERE bucket IN (
        SELECT bucket FROM outbox_bucket
        WHERE owner = :owner AND bucket NOT IN (SELECT bucket FROM outbox WHERE message_id = ANY(:in_flight))
        ORDER BY bucket LIMIT :excess FOR UPDATE SKIP LOCKED)"""
)
_TAKE = text(
    """UPDATE outbox_bucket
    SET owner = :owner, epoch = epoch + 1, expire_time = now() + make_interval(secs => :ttl)
    WHERE bucket IN (
        SELECT bucket FROM outbox_bucket WHERE expire_time IS NULL OR expire_time <= now()
        ORDER BY bucket LIMIT :wanted FOR UPDATE SKIP LOCKED)"""
)
_HELD = text(
    """SELECT count(*) AS buckets, coalesce(extract(epoch FROM min(expire_time) - now()), 0) AS remaining
    FROM outbox_bucket WHERE owner = :owner AND expire_time > now()"""
)


_LEAVE = (
    text("UPDATE outbox_bucket SET owner = NULL, expire_time = NULL WHERE owner = :owner"),
    text("DELETE FROM outbox_relay WHERE owner = :owner"),
)


async def leave(connection: AsyncConnection, owner: str) -> None:
    """Gives back everything that `owner` holds, so that others need not wait for its leases to expire."""
    for statement in _LEAVE:
        await connection.execute(statement, {"owner": owner})


async def balance(connection: AsyncConnection, owner: str, ttl: float, in_flight: Sequence[UUID]) -> Lease:
    """Renews what `owner` holds, gives up what is above its share (no bucket with a message in flight), and takes
    free buckets up to its share. A relay without buckets is counted too, so that a newcomer gets its share."""
    who = {"owner": owner, "ttl": ttl}
    await connection.execute(_HEARTBEAT, who)
    await connection.execute(_FORGET)
    share = -(-BUCKETS // (await connection.execute(_SHARE)).scalar_one())
    held = (await connection.execute(_RENEW, who)).rowcount
    if held > share:
        gone = await connection.execute(
            _RELEASE, {"owner": owner, "in_flight": list(in_flight), "excess": held - share}
        )
        _CHURN.labels("released").inc(gone.rowcount)
    elif held < share:
        taken = await connection.execute(_TAKE, {**who, "wanted": share - held})
        _CHURN.labels("acquired").inc(taken.rowcount)
    row = (await connection.execute(_HELD, {"owner": owner})).one()
    return Lease(row.buckets, float(row.remaining))
