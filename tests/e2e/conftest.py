"""The running system, as end-to-end tests use it."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.ratings import Headers, Ratings
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
