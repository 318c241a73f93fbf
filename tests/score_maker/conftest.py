"""Fixtures of score_maker's tests. A module shares its databases and servers; each test begins with no scores."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.event import listen, remove
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.migrate import upgrade
from mesh.uow import open_engine
from stack.postgres import ensure_database
from tests.line_provider import service as line_provider
from tests.line_provider.service import LineProvider
from tests.mesh.echo import Keys
from tests.score_maker.service import ScoreMaker, serving

shared = pytest_asyncio.fixture(scope="module", loop_scope="module")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Has the async tests of this directory run in their module's loop, in which its fixtures live."""
    marker = pytest.mark.asyncio(loop_scope="module")
    for item in items:
        if item.path.parent == Path(__file__).parent and pytest_asyncio.is_async_test(item):
            item.add_marker(marker, append=False)


@shared
async def dsn(postgres: str) -> str:
    """A database with score_maker's tables."""
    dsn = await ensure_database(postgres, f"test_{uuid.uuid4().hex}", "a role's password")
    await upgrade(dsn, "score_maker")
    return dsn


@shared
async def warm_engine(dsn: str) -> AsyncIterator[AsyncEngine]:
    """An engine on it."""
    engine = open_engine(dsn)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(loop_scope="module")
async def engine(warm_engine: AsyncEngine) -> AsyncEngine:
    """The engine, on empty tables."""
    async with warm_engine.begin() as connection:
        await connection.execute(text("TRUNCATE score, request, saga, saga_log, outbox, dead_letter"))
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


@shared
async def events(postgres: str, keys: Keys) -> AsyncIterator[LineProvider]:
    """A running line_provider, with a database of its own."""
    dsn = await ensure_database(postgres, f"test_{uuid.uuid4().hex}", "a role's password")
    await upgrade(dsn, "line_provider")
    async with line_provider.serving(dsn, keys) as service:
        yield service


@shared
async def warm_service(dsn: str, keys: Keys, events: LineProvider) -> AsyncIterator[ScoreMaker]:
    """A running score_maker beside it."""
    async with serving(dsn, keys, events) as service:
        yield service


@pytest.fixture
def service(warm_service: ScoreMaker, engine: AsyncEngine) -> ScoreMaker:
    """The running score_maker, on empty tables."""
    return warm_service
