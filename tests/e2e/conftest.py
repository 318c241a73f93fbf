"""The running system, as end-to-end tests use it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.ratings import Headers, Ratings
from tests.e2e.rows import Rows, open_rows
from tests.e2e.stage import Stage, set_up
from tests.system import System


@pytest.fixture
async def ratings(system: System) -> AsyncIterator[Ratings]:
    """Ratings over REST."""
    async with system.client() as http:
        yield Ratings(system, http)


@pytest.fixture
def manager(system: System) -> Headers:
    """Who writes events and reads all scores."""
    return system.manager()


@pytest.fixture
def alice(ratings: Ratings) -> Headers:
    """A user of this test alone."""
    return ratings.somebody()


@pytest.fixture
def bob(ratings: Ratings) -> Headers:
    """Another one."""
    return ratings.somebody()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rows(system: System) -> AsyncIterator[Rows]:
    """What the databases hold, for modules whose tests share a loop."""
    async with open_rows(system) as rows:
        yield rows


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(system: System, rows: Rows) -> Stage:
    """What requests are made against that are refused; nothing else changes the system meanwhile."""
    async with system.client() as http:
        made = await set_up(Ratings(system, http))
    await rows.at_rest()
    return made
