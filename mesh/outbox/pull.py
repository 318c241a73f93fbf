"""What a relay may have next: due messages from the buckets that it holds, in order, none behind an unsettled one."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.outbox.leases import Lease, balance, leave
from mesh.signal import Signal
from mesh.uow import UnitOfWork


@dataclass(frozen=True, slots=True)
class Leased:
    """A message handed out: its envelope in the wire format, and the epoch that fences a report of its failure."""

    envelope: bytes
    epoch: int
    attempts: int


@dataclass(frozen=True, slots=True)
class PullOrder:
    """What a relay asks for. `in_flight` is what it holds unsettled; `skip` are destinations it backs off from."""

    owner: str
    limit: int
    wait: float
    in_flight: Sequence[UUID]
    skip: Sequence[str]


# A key is held while a message of it is in flight, waits for its next attempt, or was given up and parked. The key set
# is hashed once; a NOT EXISTS per row would collapse with the number of keys. LATERAL keeps each bucket's scan short.
_NEXT = text(
    """WITH held AS (
        SELECT bucket, epoch FROM outbox_bucket WHERE owner = :owner AND expire_time > now()),
    target AS (
        SELECT destination FROM outbox_destination WHERE NOT paused AND destination <> ALL(CAST(:skip AS text[])))
    SELECT next.envelope, next.attempts, next.epoch
    FROM (
        SELECT waiting.seq, waiting.envelope, waiting.attempts, held.epoch
        FROM held CROSS JOIN target CROSS JOIN LATERAL (
            SELECT seq, envelope, attempts FROM outbox
            WHERE outbox.destination = target.destination AND outbox.bucket = held.bucket
              AND (outbox.destination, outbox.ordering_key) NOT IN (
                SELECT destination, ordering_key FROM outbox WHERE message_id = ANY(CAST(:in_flight AS uuid[]))
                UNION ALL
                SELECT destination, ordering_key FROM outbox WHERE not_before > now()
                UNION ALL
                SELECT destination, ordering_key FROM dead_letter WHERE parked)
            ORDER BY seq LIMIT :per_bucket) AS waiting
    ) AS next ORDER BY next.seq LIMIT :limit"""
)


class Puller:
    """Serves pulls of one replica. `ttl` is a lease's length in seconds; `poll` is how often a waiting pull looks by
    itself, for what no ring announced."""

    def __init__(self, engine: AsyncEngine, signal: Signal, *, ttl: float, poll: float) -> None:
        self._engine = engine
        self._reads = engine.execution_options(isolation_level="AUTOCOMMIT")  # a look is one round trip, not three
        self._signal = signal
        self._ttl = ttl
        self._poll = poll
        self._balanced: dict[str, tuple[float, Lease]] = {}

    async def pull(self, order: PullOrder, draining: asyncio.Event) -> tuple[list[Leased], Lease]:
        """Messages as soon as there are any, else nothing after the wait (capped at 0.3 of the lease) or when the
        server drains. No connection is held while waiting."""
        end = time.monotonic() + min(order.wait, self._ttl * 0.3)
        with self._signal.listen_to_all_but(order.skip) as bell:
            while True:
                bell.clear()
                lease = await self._lease(order)
                messages = await self._due(order, lease)
                remaining = end - time.monotonic()
                if messages or remaining <= 0 or draining.is_set():
                    return messages, lease
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), min(self._poll, remaining))

    async def leave(self, owner: str) -> None:
        """Gives back the buckets of a relay that stops."""
        self._balanced.pop(owner, None)
        async with UnitOfWork(self._engine) as work:
            await leave(work.connection, owner)
            await work.commit()

    async def _lease(self, order: PullOrder) -> Lease:
        """The relay's lease, rebalanced when a sixth of it has passed or while it holds nothing."""
        now = time.monotonic()
        at, lease = self._balanced.get(order.owner, (0.0, Lease(0, 0.0)))
        age = now - at
        if lease.buckets and age < self._ttl / 6:
            return Lease(lease.buckets, lease.remaining - age)
        async with UnitOfWork(self._engine) as work:
            lease = await balance(work.connection, order.owner, self._ttl, order.in_flight)
            await work.commit()
        self._balanced = {o: seen for o, seen in self._balanced.items() if now - seen[0] < 10 * self._ttl}
        self._balanced[order.owner] = (now, lease)
        return lease

    async def _due(self, order: PullOrder, lease: Lease) -> list[Leased]:
        if not lease.buckets:
            return []
        parameters = {
            "owner": order.owner,
            "skip": list(order.skip),
            "in_flight": list(order.in_flight),
            "per_bucket": max(32, 4 * order.limit // lease.buckets),
            "limit": order.limit,
        }
        async with UnitOfWork(self._reads) as work:
            rows = await work.connection.execute(_NEXT, parameters)
        return [Leased(row.envelope, row.epoch, row.attempts) for row in rows]
