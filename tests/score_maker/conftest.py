"""Fixtures of score_maker's tests, beside those of every service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.line_provider import service as line_provider
from tests.line_provider.service import LineProvider
from tests.mesh.echo import Keys
from tests.score_maker.service import ScoreMaker, serving
from tests.services import Schema, dsn, engine, keys, migrated, run_in_module_loops, shared, statements, warm_engine

__all__ = ["dsn", "engine", "keys", "statements", "warm_engine"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    run_in_module_loops(items, Path(__file__).parent)


@pytest.fixture(scope="module")
def schema() -> Schema:
    """Whose database it is."""
    return Schema("score_maker", ["score", "request", "saga", "saga_log", "outbox", "dead_letter"])


@shared
async def events(postgres: str, keys: Keys) -> AsyncIterator[LineProvider]:
    """A running line_provider, with a database of its own."""
    async with line_provider.serving(await migrated(postgres, "line_provider"), keys) as service:
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
