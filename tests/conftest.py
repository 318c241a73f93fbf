"""Fixtures that every package's tests share: real servers on free ports, in directories of their own."""

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import text

from mesh.uow import open_engine
from stack.postgres import ensure_database
from tests.servers import running_postgres, running_redis
from tests.system import System, running_system


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of this test run; the superuser's DSN."""
    with running_postgres(tmp_path_factory.mktemp("postgres")) as dsn:
        yield dsn


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[str]:
    """The DSN of an empty database, as the role that owns it and that is no superuser; dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    yield await ensure_database(postgres, name, "a role's password")
    engine = open_engine(postgres, pool_size=1)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        await connection.execute(text(f'DROP ROLE "{name}"'))
    await engine.dispose()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis in the role `redis-work`; its URL. Tests share it: keys of theirs carry a prefix of theirs."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system of this test run, gateway included. Tests share it: their users and events are their own, and
    nobody kills a process of it."""
    with running_system(tmp_path_factory.mktemp("system")) as system:
        yield system
