"""How much waits, for how long, and behind what: for operators and for metrics."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from mesh.errors import Refusal
from mesh.telemetry import MECHANISMS
from mesh.uow import UnitOfWork

_log = logging.getLogger(__name__)
_DEPTH = Gauge("sagamesh_outbox_depth", "Messages waiting in the outbox", ["destination"], registry=MECHANISMS)
_OLDEST = Gauge(
    "sagamesh_outbox_oldest_age_seconds", "Age of the oldest waiting message", ["destination"], registry=MECHANISMS
)
_DEAD = Gauge("sagamesh_outbox_dead_letters", "Messages given up", ["destination"], registry=MECHANISMS)
_PARKED = Gauge(
    "sagamesh_outbox_parked_keys", "Keys that wait behind a dead letter", ["destination"], registry=MECHANISMS
)
_SAGAS = Gauge("sagamesh_sagas_overdue", "Sagas past their deadline or stuck, by state", ["state"], registry=MECHANISMS)
_TRANSACTION = Gauge(
    "sagamesh_oldest_transaction_seconds",
    "Age of the database's oldest transaction (it bloats queues)",
    registry=MECHANISMS,
)


@dataclass(frozen=True, slots=True)
class DestinationBacklog:
    """What waits for one destination; `oldest_age` in seconds."""

    destination: str
    depth: int
    oldest_age: float
    dead_letters: int
    parked_keys: int
    paused: bool


_BACKLOG = text(
    """SELECT d.destination, d.paused, coalesce(o.depth, 0) AS depth, coalesce(o.oldest_age, 0) AS oldest_age,
              coalesce(l.dead_letters, 0) AS dead_letters, coalesce(l.parked_keys, 0) AS parked_keys
    FROM outbox_destination d
    LEFT JOIN (SELECT destination, count(*) AS depth, extract(epoch FROM now() - min(create_time)) AS oldest_age
               FROM outbox GROUP BY destination) o USING (destination)
    LEFT JOIN (SELECT destination, count(*) AS dead_letters,
                      count(DISTINCT ordering_key) FILTER (WHERE parked) AS parked_keys
               FROM dead_letter GROUP BY destination) l USING (destination)
    ORDER BY d.destination"""
)
_OVERDUE = text(
    """SELECT count(*) FILTER (WHERE state = 6) AS stuck, count(*) FILTER (WHERE state = 2 AND deadline < now()) AS late
    FROM saga WHERE state IN (2, 6)"""
)
_OLDEST_TRANSACTION = text(
    """SELECT coalesce(extract(epoch FROM max(now() - xact_start)), 0) FROM pg_stat_activity
    WHERE datname = current_database()"""
)


async def read_backlog(connection: AsyncConnection) -> Sequence[DestinationBacklog]:
    """One row a destination."""
    return [
        DestinationBacklog(
            row.destination, row.depth, float(row.oldest_age), row.dead_letters, row.parked_keys, row.paused
        )
        for row in await connection.execute(_BACKLOG)
    ]


async def observe(engine: AsyncEngine, interval: float = 5.0) -> None:
    """Keeps the gauges current until cancelled."""
    while True:
        try:
            async with UnitOfWork(engine) as work:
                await _refresh(work.connection)
        except Refusal as refusal:
            _log.warning("backlog not observed: %s", refusal.message)
        await asyncio.sleep(interval)


async def _refresh(connection: AsyncConnection) -> None:
    for row in await read_backlog(connection):
        _DEPTH.labels(row.destination).set(row.depth)
        _OLDEST.labels(row.destination).set(row.oldest_age)
        _DEAD.labels(row.destination).set(row.dead_letters)
        _PARKED.labels(row.destination).set(row.parked_keys)
    overdue = (await connection.execute(_OVERDUE)).one()
    _SAGAS.labels("STUCK").set(overdue.stuck)
    _SAGAS.labels("FINISHING").set(overdue.late)
    _TRANSACTION.set((await connection.execute(_OLDEST_TRANSACTION)).scalar_one())
