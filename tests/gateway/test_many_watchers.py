"""Many watchers of one stream: each sees versions that only rise and end at the last, misses none that the gateway
got for it, and costs the service nothing when it is gone."""

import asyncio
import resource
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.contracts import Message, library_message
from tests.gateway.http import Connection
from tests.gateway.serving import running_library

pytestmark = pytest.mark.asyncio(loop_scope="module")

WATCHERS = 500
VERSIONS = 20
Book = library_message("Book")


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """Both ends of every connection are here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Edition:
    """A service's book whose watchers get the latest version when they are ready for another, as `:watch` does."""

    def __init__(self, title: str = "") -> None:
        self.title = title
        self.version = 0
        self.yielded: dict[str, list[int]] = defaultdict(list)
        self.watching: set[str] = set()
        self._moved = asyncio.Event()

    def publish(self) -> None:
        self.version += 1
        self._moved.set()
        self._moved = asyncio.Event()

    async def watch(self, request: Message, context: Any) -> AsyncIterator[Message]:
        who = dict(context.invocation_metadata())["x-request-id"]
        self.watching.add(who)
        try:
            seen = 0
            while True:
                while seen == self.version:
                    await self._moved.wait()
                seen = self.version
                self.yielded[who].append(seen)
                yield Book(version=seen, title=self.title)
        finally:
            self.watching.discard(who)

    async def until(self, watching: int) -> None:
        async with asyncio.timeout(60):
            while len(self.watching) != watching:
                await asyncio.sleep(0.01)


async def watcher(port: int, who: str) -> Connection:
    connection = await Connection.open(port)
    connection.send("GET", "/v1/books/b1:watch", {"accept": "text/event-stream", "x-request-id": who})
    return connection


async def versions(connection: Connection) -> list[int]:
    """The ids of the events, up to the last version."""
    assert (await connection.head())[0] == 200
    seen: list[int] = []
    async for chunk in connection.chunks():
        seen += [int(line[4:]) for line in chunk.split(b"\n") if line.startswith(b"id: ")]
        if seen and seen[-1] == VERSIONS:
            break
    return seen


async def test_every_watcher_sees_rising_versions_to_the_last_and_what_the_service_sent_it(tmp_path: Path) -> None:
    edition = Edition()
    async with running_library(tmp_path, heartbeat=60) as running:
        running.library.stream = edition.watch
        names = [str(number) for number in range(WATCHERS)]
        connections = [await watcher(running.port, name) for name in names]
        await edition.until(watching=WATCHERS)
        readers = asyncio.gather(*(versions(connection) for connection in connections))
        for version in range(1, VERSIONS + 1):
            edition.publish()  # when half have the version before, so that others miss some
            while sum(bool(seen) and seen[-1] == version for seen in edition.yielded.values()) < WATCHERS // 2:
                await asyncio.sleep(0)
        received = dict(zip(names, await asyncio.wait_for(readers, 120), strict=True))

        for connection in connections[: WATCHERS // 2]:
            connection.close()
        await edition.until(watching=WATCHERS - WATCHERS // 2)
        for connection in connections:
            connection.close()
        await edition.until(watching=0)

    assert len(received) == WATCHERS
    assert all(seen == sorted(set(seen)) and seen[-1] == VERSIONS for seen in received.values())
    assert received == edition.yielded


async def test_who_stops_reading_is_dropped_and_holds_nobody_up(tmp_path: Path) -> None:
    edition = Edition(title="x" * 60_000)
    async with running_library(tmp_path, heartbeat=60, stall=0.5) as running:
        running.library.stream = edition.watch
        idle = [await watcher(running.port, f"idle {number}") for number in range(5)]
        busy = [await watcher(running.port, f"busy {number}") for number in range(5)]
        for connection in idle:
            await connection.head()
            connection.pause()
        readers = [asyncio.create_task(_drain(connection)) for connection in busy]
        async with asyncio.timeout(60):
            while not edition.watching.isdisjoint(f"idle {number}" for number in range(5)) or edition.version < 100:
                edition.publish()
                await asyncio.sleep(0.005)
        watching = set(edition.watching)
        for connection in idle + busy:
            connection.close()
        await asyncio.gather(*readers)

    assert watching == {f"busy {number}" for number in range(5)}
    assert max(len(edition.yielded[f"idle {number}"]) for number in range(5)) < 1_000  # 60 MB, most of it the kernel's
    assert min(len(edition.yielded[f"busy {number}"]) for number in range(5)) > 50


async def _drain(connection: Connection) -> None:
    while await connection.reader.read(1 << 20):
        pass
