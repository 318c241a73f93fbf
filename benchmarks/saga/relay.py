"""A waiting outbox relayed, beside one arq job a message: the same services, Redis, handlers and sort of messages.

Both workers are stopped in their tracks while the messages are put into the outbox (for arq also as jobs into its
queue, which is not counted), and both times run from the moment they may go on until the last saga has ended.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from arq import create_pool
from arq.connections import RedisSettings

from benchmarks.saga import one_job
from benchmarks.saga.backlog import fill
from benchmarks.saga.scores import Audience
from benchmarks.saga.system import WORKER, System, wait_until_drained
from benchmarks.saga.throughput import expect_confirmed
from benchmarks.usage import Meter, Spent
from stack.keys import key_path

_EVENTS = 1000

Left = Callable[[int], None]
"""Called now and then with the number of messages that are still in the outbox."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """How many messages, in how many seconds, at what cost."""

    messages: int
    seconds: float
    spent: Spent

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


async def measure_relay(system: System, meter: Meter, audience: Audience, count: int, left: Left) -> Relayed:
    """Our relay."""
    with system.without_relay():
        await _filled(system, audience, count)
        began = time.time()
    return await _until_drained(system, meter, count, began, left)


async def measure_one_job(system: System, audience: Audience, count: int, left: Left) -> Relayed:
    """One arq job a message; our worker is stopped all the while."""
    redis = f"redis://{system.address('redis-work')}/0"
    with system.without_relay():
        async with _arq_worker(system, redis) as process:
            process.send_signal(signal.SIGSTOP)
            await one_job.enqueue(redis, await _filled(system, audience, count))
            meter = Meter({**system.pids, "arq, one job a message": process.pid})
            began = time.time()
            process.send_signal(signal.SIGCONT)
            return await _until_drained(system, meter, count, began, left)


async def _filled(system: System, audience: Audience, count: int) -> list[bytes]:
    """`count` must be a multiple of the number of events. Each message is about another event than its neighbours, so
    that jobs side by side hardly wait for each other's locks."""
    events = await audience.events(min(_EVENTS, count))
    messages = await fill(system.dsn(one_job.PRODUCER), events, count // len(events))
    return [message.envelope for message in messages]


async def _until_drained(system: System, meter: Meter, count: int, began: float, left: Left) -> Relayed:
    connection = await asyncpg.connect(system.dsn(one_job.PRODUCER))
    watching = asyncio.create_task(_watch(system, left))
    with meter.measured() as spent:
        ended = await wait_until_drained(connection)
    watching.cancel()
    await expect_confirmed(connection)
    await connection.close()
    left(0)
    return Relayed(count, ended - began, spent)


async def _watch(system: System, left: Left) -> None:
    connection = await asyncpg.connect(system.dsn(one_job.PRODUCER))
    try:
        while True:
            left(await connection.fetchval("SELECT count(*) FROM outbox"))
            await asyncio.sleep(1.0)
    finally:
        connection.terminate()


@asynccontextmanager
async def _arq_worker(system: System, redis: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """The rival's process, once it polls."""
    services = ("line_provider", one_job.PRODUCER)
    environment = {
        **os.environ,
        "ARQ_WORKER_REDIS_DSN": redis,
        "ARQ_WORKER_KEY_FILE": str(key_path(system.directory.keys, WORKER)),
        "ARQ_WORKER_TARGETS": ",".join(f"{name}={system.address(name)}" for name in services),
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.saga.one_job", env=environment)
    try:
        pool = await create_pool(RedisSettings.from_dsn(redis))
        while not await pool.exists(one_job.READY):
            await asyncio.sleep(0.05)
        await pool.aclose()
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        await process.wait()
