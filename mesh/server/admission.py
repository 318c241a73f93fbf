"""Bounds how many calls run at once, and knows which of them wait, so that a drain can end them."""

import asyncio
from dataclasses import dataclass, field

from mesh.errors import ResourceExhausted, Unavailable

_RETRY_AFTER = 0.2


class Overloaded(ResourceExhausted):
    """The server is at its limit of concurrent calls; try again shortly."""

    reason = "OVERLOADED"


class Draining(Unavailable):
    """The server is shutting down; another replica will answer."""

    reason = "DRAINING"


@dataclass(slots=True)
class Pool:
    """A bound on concurrent calls of one sort. It queues nothing: a queue would only hide the overload."""

    name: str
    limit: int
    used: int = 0

    def enter(self) -> None:
        """Takes a place. Raises Overloaded."""
        if self.used >= self.limit:
            raise Overloaded(retry_after=_RETRY_AFTER)
        self.used += 1

    def leave(self) -> None:
        """Gives the place back."""
        self.used -= 1


@dataclass(slots=True)
class WaitingCalls:
    """Streams and long polls being served. They could outlast any grace, so a drain asks them to end (`draining`),
    then cancels those that did not listen; their callers get Draining and turn to another replica."""

    draining: asyncio.Event
    _tasks: dict[asyncio.Task[object], bool] = field(default_factory=lambda: dict[asyncio.Task[object], bool]())
    _evicted: set[asyncio.Task[object]] = field(default_factory=lambda: set[asyncio.Task[object]]())

    def enter(self, *, listens: bool) -> asyncio.Task[object]:
        """Notes that the current task waits, and whether its handler may listen to `draining`. Raises Draining."""
        if self.draining.is_set():
            raise Draining
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("grpc serves calls in tasks")
        self._tasks[task] = listens
        return task

    def leave(self, task: asyncio.Task[object]) -> bool:
        """Forgets the task; returns whether it was cancelled by `evict`."""
        evicted = task in self._evicted
        self._tasks.pop(task, None)
        self._evicted.discard(task)
        return evicted

    async def evict(self, patience: float) -> None:
        """Cancels the calls that have not ended, giving those that listen `patience` seconds to do so."""
        if listening := [task for task, listens in self._tasks.items() if listens]:
            await asyncio.wait(listening, timeout=patience)
        for task in self._tasks:
            self._evicted.add(task)
            task.cancel()
