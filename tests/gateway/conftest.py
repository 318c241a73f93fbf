"""One gateway for the tests of a module; each test finds its service as new."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.gateway.contracts import library_message
from tests.gateway.serving import Running, running_library


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    async with running_library(folder, heartbeat=0.05) as running:
        yield running


@pytest.fixture
def running(shared_gateway: Running) -> Running:
    """A running gateway whose service does what it does by default."""
    library = shared_gateway.library
    library.book.CopyFrom(library_message("Book")(book_id="b1", title="Emma", etag="1.2", version=2))
    library.act = library.stream = None
    library.seen.clear()
    library.cancelled.clear()
    return shared_gateway
