"""Fixtures of line_provider's tests."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.migrate import upgrade
from mesh.uow import open_engine
from tests.line_provider.service import LineProvider, serving
from tests.mesh.echo import Keys


@pytest.fixture
async def dsn(database: str) -> str:
    """A database with line_provider's tables."""
    await upgrade(database, "line_provider")
    return database


@pytest.fixture
async def engine(dsn: str) -> AsyncIterator[AsyncEngine]:
    """An engine on it."""
    engine = open_engine(dsn)
    yield engine
    await engine.dispose()


@pytest.fixture
def statements(engine: AsyncEngine) -> Callable[[], list[str]]:
    """The statements that the engine has executed since the test began."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    listen(engine.sync_engine, "before_cursor_execute", note)
    return lambda: seen


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Keys that sign tokens of users and of the worker."""
    return Keys(tmp_path)


@pytest.fixture
async def service(dsn: str, keys: Keys) -> AsyncIterator[LineProvider]:
    """A running line_provider."""
    async with serving(dsn, keys) as service:
        yield service
