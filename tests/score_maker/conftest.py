"""Fixtures of score_maker's tests."""

import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.migrate import upgrade
from mesh.uow import open_engine
from stack.postgres import ensure_database
from tests.line_provider import service as line_provider
from tests.line_provider.service import LineProvider
from tests.mesh.echo import Keys
from tests.score_maker.service import ScoreMaker, serving


@pytest.fixture
async def dsn(database: str) -> str:
    """A database with score_maker's tables."""
    await upgrade(database, "score_maker")
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
async def events(postgres: str, keys: Keys) -> AsyncIterator[LineProvider]:
    """A running line_provider, with a database of its own."""
    dsn = await ensure_database(postgres, f"test_{uuid.uuid4().hex}", "a role's password")
    await upgrade(dsn, "line_provider")
    async with line_provider.serving(dsn, keys) as service:
        yield service


@pytest.fixture
async def service(dsn: str, keys: Keys, events: LineProvider) -> AsyncIterator[ScoreMaker]:
    """A running score_maker beside it."""
    async with serving(dsn, keys, events) as service:
        yield service
