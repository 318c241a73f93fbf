"""Fixtures of tickets' tests, beside those of every service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.mesh.echo import Keys
from tests.services import Schema, dsn, engine, keys, run_in_module_loops, shared, statements, warm_engine
from tests.tickets.service import Desk, serving

__all__ = ["dsn", "engine", "keys", "statements", "warm_engine"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    run_in_module_loops(items, Path(__file__).parent)


@pytest.fixture(scope="module")
def schema() -> Schema:
    """Whose database it is."""
    return Schema("tickets", ["change", "comment", "ticket", "request"])


@shared
async def warm_service(dsn: str, keys: Keys) -> AsyncIterator[Desk]:
    """A running tickets."""
    async with serving(dsn, keys) as service:
        yield service


@pytest.fixture
def service(warm_service: Desk, engine: AsyncEngine) -> Desk:
    """The running tickets, on empty tables."""
    return warm_service
