"""What the machine can do at most: the figures that all others are to be read beside."""

import asyncio
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import grpc
from grpc import aio

from benchmarks.http_load import CONNECTIONS
from benchmarks.saga.system import System

_SECONDS = 2.0
_COMMITTERS = 16  # as many connections as a service has
_ECHO = "/benchmark.Echo/Echo"
_PAYLOAD = bytes(200)


@dataclass(frozen=True, slots=True)
class Floor:
    """The machine, and its rates a second."""

    cores: int
    python: str
    postgresql: str
    commits: float
    calls: float


async def measure(system: System) -> Floor:
    """Takes some seconds."""
    connection = await asyncpg.connect(system.dsn("score_maker"))
    version = connection.get_server_version()
    await connection.close()
    return Floor(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        python=platform.python_version(),
        postgresql=f"{version.major}.{version.minor}",
        commits=await _commits(system.dsn("score_maker")),
        calls=await _calls(),
    )


async def _commits(dsn: str) -> float:
    """Transactions of one insert, by plain asyncpg."""
    pool = await asyncpg.create_pool(dsn, min_size=_COMMITTERS, max_size=_COMMITTERS)
    await pool.execute("CREATE TABLE benchmark_floor (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, row bytea)")

    async def insert() -> None:
        await pool.execute("INSERT INTO benchmark_floor (row) VALUES ($1)", _PAYLOAD)

    rate = await _rate(insert, _COMMITTERS)
    await pool.execute("DROP TABLE benchmark_floor")
    await pool.close()
    return rate


async def _calls() -> float:
    """Unary calls of bytes between two processes, by plain grpc.aio."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.saga.floor", stdout=asyncio.subprocess.PIPE
    )
    if server.stdout is None:
        raise RuntimeError("the echo server has no output")
    port = int(await server.stdout.readline())
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        echo: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_ECHO)
        rate = await _rate(lambda: echo(_PAYLOAD), CONNECTIONS)
    server.terminate()
    await server.wait()
    return rate


async def _rate(once: Callable[[], Awaitable[Any]], workers: int) -> float:
    count = 0
    end = time.perf_counter() + _SECONDS

    async def work() -> None:
        nonlocal count
        while time.perf_counter() < end:
            await once()
            count += 1

    await asyncio.gather(*(work() for _ in range(workers)))
    return count / _SECONDS


async def _serve_echo() -> None:
    async def echo(request: bytes, _: Any) -> bytes:
        return request

    handler = grpc.method_handlers_generic_handler(
        "benchmark.Echo", {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    )
    server = aio.server(handlers=[handler])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve_echo())
