"""Following a resource that changes. What services make of it is in tests of WatchEvent and WatchTicket."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from mesh.errors import NotFound
from mesh.identifiers import new_id
from mesh.signal import Signal
from mesh.watch import Watch


@dataclass(frozen=True)
class Thing:
    version: int


class Things:
    """One thing, and how often it was read."""

    def __init__(self) -> None:
        self.identifier = new_id()
        self.thing = Thing(1)
        self.reads = 0
        self.changed = Signal("", "unused")
        self.stopping = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, identifier: UUID) -> Thing:
        self.reads += 1
        await self.gate.wait()
        if identifier != self.identifier:
            raise NotFound
        return self.thing

    def watch(self, look_again: float = 60.0) -> Watch[Thing]:
        return Watch(self.read, self.changed, self.stopping, look_again=look_again)

    def become(self, version: int, *, ringing: bool = True) -> None:
        self.thing = Thing(version)
        if ringing:
            self.changed.ring(str(self.identifier))


async def soon(stream: AsyncIterator[Thing]) -> int:
    return (await asyncio.wait_for(anext(stream), 10)).version


async def test_a_ring_brings_the_next_version() -> None:
    things = Things()
    stream = things.watch().follow(things.identifier, after_version=0)
    assert await soon(stream) == 1
    things.become(2)
    assert await soon(stream) == 2


async def test_a_ring_that_was_lost_is_made_up_for() -> None:
    things = Things()
    stream = things.watch(look_again=0.01).follow(things.identifier, after_version=1)
    things.become(2, ringing=False)
    assert await soon(stream) == 2


async def test_watchers_who_are_woken_together_share_a_read() -> None:
    things = Things()
    watch = things.watch()
    things.gate.clear()
    seen = [asyncio.create_task(soon(watch.follow(things.identifier, after_version=0))) for _ in range(20)]
    await asyncio.sleep(0)
    things.gate.set()
    assert await asyncio.gather(*seen) == [1] * 20
    assert things.reads < 20


async def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(NotFound):
        await soon(Things().watch().follow(new_id(), after_version=0))


async def test_it_ends_when_the_server_stops() -> None:
    things = Things()
    stream = things.watch().follow(things.identifier, after_version=0)
    await soon(stream)
    things.stopping.set()
    with pytest.raises(StopAsyncIteration):
        await soon(stream)
