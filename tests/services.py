"""Fixtures and words that the tests of every service with a database share. A module shares one database and one
server; each test begins with no rows.

The conftest of such tests imports the fixtures that it needs, says with `schema` which they are of, and defines the
`service` itself.
"""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import text
from sqlalchemy.event import listen, remove
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.channel import status_from
from mesh.identity import mint
from mesh.migrate import upgrade
from mesh.uow import open_engine
from stack.postgres import ensure_database
from tests.mesh.echo import Keys

shared = pytest_asyncio.fixture(scope="module", loop_scope="module")
"""Makes a fixture that a module's tests share."""


@dataclass(frozen=True)
class Schema:
    """A service's package, and its tables that a test finds empty."""

    package: str
    tables: Sequence[str]


def run_in_module_loops(items: list[pytest.Item], folder: Path) -> None:
    """Has the async tests of a directory run in their module's loop, in which their fixtures live."""
    marker = pytest.mark.asyncio(loop_scope="module")
    for item in items:
        if item.path.parent == folder and pytest_asyncio.is_async_test(item):
            item.add_marker(marker, append=False)


async def migrated(postgres: str, package: str) -> str:
    """The DSN of a new database with a service's tables."""
    dsn = await ensure_database(postgres, f"test_{uuid.uuid4().hex}", "a role's password")
    await upgrade(dsn, package)
    return dsn


@shared
async def dsn(postgres: str, schema: Schema) -> str:
    """A database with the service's tables."""
    return await migrated(postgres, schema.package)


@shared
async def warm_engine(dsn: str) -> AsyncIterator[AsyncEngine]:
    """An engine on it."""
    engine = open_engine(dsn)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(loop_scope="module")
async def engine(warm_engine: AsyncEngine, schema: Schema) -> AsyncEngine:
    """The engine, on empty tables."""
    async with warm_engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {', '.join(schema.tables)}"))
    return warm_engine


@pytest.fixture
def statements(engine: AsyncEngine) -> Iterator[Callable[[], list[str]]]:
    """The statements that the engine has executed since the test began."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    listen(engine.sync_engine, "before_cursor_execute", note)
    yield lambda: seen
    remove(engine.sync_engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Keys that sign tokens of users and of the worker."""
    return Keys(tmp_path_factory.mktemp("keys"))


def bearer(keys: Keys, subject: str, *roles: str) -> Mapping[str, Any]:
    """Call options that identify a user."""
    return {"metadata": (("authorization", f"Bearer {mint(keys.users, subject, roles)}"),)}


def of_worker(keys: Keys) -> Mapping[str, Any]:
    """Call options that identify the worker."""
    return {"metadata": (("authorization", f"Bearer {mint(keys.worker, 'service:arq_worker')}"),)}


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, str, list[str]]:
    """The code, reason and fields at fault of a call that must be refused."""
    with pytest.raises(aio.AioRpcError) as raised:
        await call
    info, fault = ErrorInfo(), BadRequest()
    reason, fields = "", list[str]()
    for detail in status_from(raised.value).details:
        if detail.Unpack(info):
            reason = info.reason
        if detail.Unpack(fault):
            fields = [violation.field for violation in fault.field_violations]
    return raised.value.code(), reason, fields


async def health(channel: aio.Channel, service: str) -> int:
    """What the health service says of one service."""
    stub: Any = health_pb2_grpc.HealthStub(channel)  # its stubs do not say what it has
    return (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status
