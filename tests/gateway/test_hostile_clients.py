"""What hostile clients cost those who behave: the real process, before a real service, with and without them.

Without them means that they attack another gateway on the same machine, so that what is measured is what they do to
this one, and not what they take of two processors.
"""

import asyncio
import json
import os
import statistics
import sys
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.gateway.attackers import LOITERERS
from tests.gateway.contracts import ROOT, Message, library, library_message
from tests.gateway.http import Connection
from tests.gateway.serving import running_library

WINDOWS = 5
REQUESTS = 200
SETTLING = 0.5
"""Seconds."""

RETRIES = 3
"""Whatever else runs on the machine may spoil a measurement."""

MEGABYTE = 1 << 20


@asynccontextmanager
async def gateway_process(folder: Path, target: str) -> AsyncGenerator[tuple[int, int]]:
    """The gateway's process, and its port."""
    image = folder / "library.binpb"
    image.write_bytes(library())
    environment = {
        **os.environ,
        "GATEWAY_LISTEN": "127.0.0.1:0",
        "GATEWAY_UPSTREAMS": f"test.library.v1={target}",
        "GATEWAY_DESCRIPTOR_SET": str(image),
    }
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", env=environment, cwd=ROOT, stderr=log
        )
    try:
        while not (lines := (folder / "log").read_bytes().splitlines()):
            await asyncio.sleep(0.05)
        yield process.pid, int(json.loads(lines[0])["address"].rpartition(":")[2])
    finally:
        process.terminate()
        await process.wait()


class Attackers:
    """Their process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def attack(self, port: int) -> None:
        """Makes them begin, and waits until their arrival, which is a burst of this test's making, is over."""
        await self._tell(str(port))
        await asyncio.sleep(SETTLING)

    async def stop(self) -> Counter[str]:
        """Makes them stop; returns what answers they had."""
        return await self._tell("")

    async def _tell(self, line: str) -> Counter[str]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n".encode())
        async with asyncio.timeout(30):
            return Counter(json.loads(await self._process.stdout.readline()))


@asynccontextmanager
async def attackers_process() -> AsyncGenerator[Attackers]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gateway.attackers", cwd=ROOT, stdin=pipe, stdout=pipe
    )
    try:
        yield Attackers(process)
    finally:
        process.terminate()
        await process.wait()


async def p99(port: int) -> float:
    """Of one client's requests, one after the other, in milliseconds."""
    connection = await Connection.open(port)
    times: list[float] = []
    for _ in range(REQUESTS):
        started = perf_counter()
        connection.send("GET", "/v1/echo?text=Emma")
        assert (await connection.response()).status == 200
        times.append(perf_counter() - started)
    connection.close()
    return sorted(times)[-REQUESTS // 100] * 1000


def memory(pid: int, kind: str) -> int:
    """Bytes that a process holds (VmRSS), or has held at most (VmHWM)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) * 1024


async def measured(port: int, other_port: int, attackers: Attackers, tally: Counter[str]) -> tuple[float, float]:
    """The median p99 of windows in which another gateway is attacked, and of as many in which this one is, in turn."""
    spared: list[float] = []
    attacked: list[float] = []
    for _ in range(WINDOWS):
        await attackers.attack(other_port)
        spared.append(await p99(port))
        await attackers.stop()
        await attackers.attack(port)
        attacked.append(await p99(port))
        tally.update(await attackers.stop())
    return statistics.median(spared), statistics.median(attacked)


async def flood(request: Message, context: Any) -> AsyncIterator[Message]:
    while True:
        yield library_message("Book")(title="x" * 60_000)


async def test_hostile_clients_do_not_cost_others_their_time_nor_the_gateway_its_memory(tmp_path: Path) -> None:
    tally = Counter[str]()
    (tmp_path / "other").mkdir()
    async with (
        running_library(tmp_path) as running,
        gateway_process(tmp_path, running.target) as (pid, port),
        gateway_process(tmp_path / "other", running.target) as (_, other_port),
        attackers_process() as attackers,
    ):
        running.library.stream = flood
        alone = await p99(port)
        before = memory(pid, "VmRSS")
        spared, attacked = await measured(port, other_port, attackers, tally)
        for _ in range(RETRIES):
            if attacked > 2 * spared:
                spared, attacked = await measured(port, other_port, attackers, tally)
        grown = memory(pid, "VmHWM") - before

    times = f"p99 {alone:.1f} ms alone, {spared:.1f} ms spared, {attacked:.1f} ms attacked"
    sys.stdout.write(f"{times}; +{grown / MEGABYTE:.1f} MB; {dict(tally)}\n")
    assert attacked <= 2 * spared
    assert grown < 50 * MEGABYTE
    answers = {"heads 431", "malformed 400", "malformed 505", "bodies 413", "pipelined 200", "idle watchers"}
    assert answers <= tally.keys()
    assert tally["loiterers"] >= WINDOWS * LOITERERS
