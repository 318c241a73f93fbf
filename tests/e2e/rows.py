"""What the services' databases hold, read past the services: for tests that say that nothing was written."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from stack.postgres import with_account
from stack.services import SERVICES
from tests.system import System

SENDERS = ("score_maker",)
_LEASES = ("outbox_bucket", "outbox_relay")  # relays renew theirs all the time
_TABLES = """SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace"""


class Rows:
    """The rows of all services; `connections` are by service."""

    def __init__(self, connections: Mapping[str, asyncpg.Connection]) -> None:
        self._connections = connections

    async def read(self) -> dict[str, int]:
        """A number for each table that changes with any row of it."""
        found: dict[str, int] = {}
        for service, connection in self._connections.items():
            names = [row["relname"] for row in await connection.fetch(_TABLES) if row["relname"] not in _LEASES]
            content = await connection.fetch(" UNION ALL ".join(map(_content, names)))
            found |= {f"{service}.{row['name']}": int(row["content"]) for row in content}
        return found

    async def at_rest(self) -> None:
        """Returns when no message waits in any outbox, so that rows only change by requests."""
        async with asyncio.timeout(20):
            for service in SENDERS:
                while await self._connections[service].fetchval("SELECT count(*) FROM outbox"):
                    await asyncio.sleep(0.02)

    @asynccontextmanager
    async def unchanged(self) -> AsyncGenerator[None]:
        """Fails when a row has changed at the end of the block."""
        before = await self.read()
        yield
        after = await self.read()
        assert [table for table in before if before[table] != after[table]] == []


@asynccontextmanager
async def open_rows(system: System) -> AsyncGenerator[Rows]:
    """The rows of a running stack."""
    server = f"postgresql://{system.address('postgres')}/postgres"
    async with AsyncExitStack() as opened:
        connections: dict[str, asyncpg.Connection] = {}
        for name in (service.name for service in SERVICES if service.database):
            dsn = with_account(server, name, system.directory.secret(name))
            connections[name] = await asyncpg.connect(dsn)
            opened.push_async_callback(connections[name].close)
        yield Rows(connections)


def _content(table: str) -> str:
    content = "count(*) + coalesce(sum(hashtextextended(t::text, 0)), 0)"
    return f"SELECT '{table}' AS name, {content} AS content FROM \"{table}\" t"
