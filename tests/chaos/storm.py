"""Users at work while processes die: the work is let through in shares, and each share loses one process."""

import asyncio
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.asyncio import Redis

from tests.chaos.client import PatientClient
from tests.chaos.raters import Rater
from tests.system import System

_AT_ONCE = 24

Strike = Callable[[System], Awaitable[None]]


class Gate:
    """Lets actions through in shares, and counts those that are over."""

    def __init__(self) -> None:
        self._permits = asyncio.Semaphore(0)
        self._over = 0
        self._counted = asyncio.Condition()

    def open(self, number: int) -> None:
        """Lets so many more through."""
        for _ in range(number):
            self._permits.release()

    async def enter(self) -> None:
        """Waits to be let through."""
        await self._permits.acquire()

    async def over(self) -> None:
        """Takes note that one is over."""
        async with self._counted:
            self._over += 1
            self._counted.notify_all()

    async def reached(self, number: int) -> None:
        """Waits until so many are over."""
        async with self._counted:
            await self._counted.wait_for(lambda: self._over >= number)


async def storm(system: System, raters: Sequence[Rater], client: PatientClient, strikes: Sequence[Strike]) -> None:
    """Has the raters do all that they have to do, in their order; each strike falls in the middle of its share."""
    gate = Gate()
    waiting = deque(raters)
    total = sum(rater.actions for rater in raters)
    share = total // len(strikes)
    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(_work(waiting, client, gate))
        for number, strike in enumerate(strikes):
            gate.open(share)
            await gate.reached(number * share + share // 3)
            await strike(system)
            await gate.reached((number + 1) * share - _AT_ONCE // 2)
        gate.open(total - share * len(strikes))


async def _work(waiting: deque[Rater], client: PatientClient, gate: Gate) -> None:
    while waiting:
        rater = waiting.popleft()
        for _ in range(rater.actions):
            await gate.enter()
            await rater.act(client)
            await gate.over()


def kill(name: str) -> Strike:
    """SIGKILL of a process. One that is between two lives is killed in its next one."""

    async def strike(system: System) -> None:
        async with asyncio.timeout(30):
            while system.kill(name, signal.SIGKILL) is None:
                await asyncio.sleep(0.05)

    return strike


async def flush_and_kill_redis(system: System) -> None:
    """FLUSHALL, then SIGKILL, of the Redis that holds no truth."""
    # redis-py leaves its own types open.
    redis: Any = Redis.from_url(f"redis://{system.address('redis-work')}")  # pyright: ignore[reportUnknownMemberType]
    async with redis:
        await redis.flushall()
    await kill("redis-work")(system)
