"""The gateway, held to its sources: every case of every table, as raw HTTP against a real service."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.gateway.conformance.cases import Case
from tests.gateway.conformance.catalogue import SETTINGS, TABLES
from tests.gateway.conformance.world import World, normalised, running_world
from tests.gateway.http import Response

pytestmark = pytest.mark.asyncio(loop_scope="module")

CASES = [
    pytest.param(name, case, id=f"{name}: {case.source}: {case.id}") for name, cases in TABLES.items() for case in cases
]


class Worlds:
    """A world for each table that has settings of its own, and one for all others."""

    def __init__(self, stack: AsyncExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self._running: dict[str, World] = {}

    async def of_table(self, name: str) -> World:
        name = name if name in SETTINGS else ""
        if name not in self._running:
            world = running_world(self._folder, **SETTINGS.get(name, {}))
            self._running[name] = await self._stack.enter_async_context(world)
        return self._running[name]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worlds(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worlds]:
    async with AsyncExitStack() as stack:
        yield Worlds(stack, tmp_path_factory.mktemp("conformance"))


@pytest.mark.parametrize(("table", "case"), CASES)
async def test_the_gateway_conforms(worlds: Worlds, table: str, case: Case) -> None:
    world = await worlds.of_table(table)

    response = await world.play(case)

    shown = f"{response.status} {response.headers} {response.body!r}\nreceived {world.received()}"
    assert response.status == case.status, shown
    if case.received is not None:
        assert world.received() == normalised(case.received), shown
    if case.body is not None:
        assert response.body == case.body
    for part in case.has:
        assert part in response.body
    for name, value in case.headers.items():
        assert response.headers.get(name) == value, name
    _look_at_the_error(case, response)
    _look_at_the_call(case, world)


def _look_at_the_error(case: Case, response: Response) -> None:
    if case.reason is not None:
        assert response.headers["content-type"] == "application/json"
        assert response.error.keys() == {"code", "status", "message", "details"}
        assert (response.error["code"], response.reason) == (case.status, case.reason)
        assert tuple(response.fields) == case.fields
    if case.message is not None:
        assert case.message in response.error["message"]


def _look_at_the_call(case: Case, world: World) -> None:
    if not case.metadata and case.deadline is None:
        return
    (call,) = world.backend.calls
    for name, value in case.metadata.items():
        assert call.metadata.get(name) == value, name
    if case.deadline is not None:
        least, most = case.deadline
        assert call.time_remaining is not None
        assert least < call.time_remaining < most
