"""How long the mesh remembers, and the daily partitions in which it does.

Inbox and barrier rows carry their time inside a UUIDv7, so a day is a range of their primary key.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from mesh.identifiers import lowest_id

REMEMBERED = timedelta(days=30)
"""How long inboxes and barriers keep what they handled; nothing older is redriven."""

_KEYS = {"inbox": "message_id", "barrier": "saga_id"}
PARTITIONED: Sequence[str] = tuple(_KEYS)
"""The tables that are partitioned by day."""

_AHEAD = 3
_DAY = timedelta(days=1)
_PARTITIONS = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)")


async def roll_partitions(connection: AsyncConnection, table: str, now: datetime) -> int:
    """Makes the partitions of today and the next days, and drops those that are older than REMEMBERED; returns how
    many it made or dropped. A day that already has rows in the default partition is left there."""
    present = {row[0] for row in await connection.execute(_PARTITIONS, {"table": table})}
    today = datetime(now.year, now.month, now.day, tzinfo=UTC)
    wanted = {_name(table, today + n * _DAY): today + n * _DAY for n in range(_AHEAD + 1)}
    made = [day for name, day in wanted.items() if name not in present]
    made = [day for day in made if await _is_vacant(connection, table, day)]
    for day in made:
        await connection.execute(text(_create(table, day)))
    oldest = _name(table, today - REMEMBERED - _DAY)
    dropped = sorted(name for name in present if name != f"{table}_default" and name < oldest)
    for name in dropped:
        await connection.execute(text(f"DROP TABLE {name}"))
    return len(made) + len(dropped)


async def prune_default(connection: AsyncConnection, table: str, now: datetime) -> int:
    """Forgets rows of the default partition that are older than REMEMBERED; returns how many."""
    statement = text(f"DELETE FROM {table}_default WHERE {_KEYS[table]} < :bound")
    return (await connection.execute(statement, {"bound": lowest_id(now - REMEMBERED)})).rowcount


async def _is_vacant(connection: AsyncConnection, table: str, day: datetime) -> bool:
    key = _KEYS[table]
    query = text(f"SELECT NOT EXISTS (SELECT 1 FROM {table}_default WHERE {key} >= :low AND {key} < :high)")
    bounds = {"low": lowest_id(day), "high": lowest_id(day + _DAY)}
    return (await connection.execute(query, bounds)).scalar_one()


def _create(table: str, day: datetime) -> str:
    low, high = lowest_id(day), lowest_id(day + _DAY)
    return f"CREATE TABLE {_name(table, day)} PARTITION OF {table} FOR VALUES FROM ('{low}') TO ('{high}')"


def _name(table: str, day: datetime) -> str:
    return f"{table}_{day:%Y%m%d}"
