"""Follows resources as they change, for rpcs that stream. Knows no resource: only that it has an id and a version."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from mesh.signal import Signal


class Versioned(Protocol):
    """Something whose version rises with every change of it."""

    @property
    def version(self) -> int:
        """The version."""
        ...


Resource = TypeVar("Resource", bound=Versioned)


class Watch(Generic[Resource]):
    """Follows resources by id. Watchers of one that a change wakes together share one read."""

    def __init__(
        self,
        read: Callable[[UUID], Awaitable[Resource]],
        changed: Signal,
        stopping: asyncio.Event,
        *,
        look_again: float = 2.0,
    ) -> None:
        """`changed` rings with a resource's id. A ring may be lost: watchers also look every `look_again` seconds."""
        self._read = read
        self._changed = changed
        self._stopping = stopping
        self._look_again = look_again
        self._looks: dict[UUID, asyncio.Task[Resource]] = {}

    async def follow(self, identifier: UUID, *, after_version: int) -> AsyncIterator[Resource]:
        """The resource whenever its version is above the last one given, until the server stops.

        Raises what `read` raises.
        """
        with self._changed.listen(str(identifier)) as rung:
            while not self._stopping.is_set():
                rung.clear()
                resource = await self._look(identifier)
                if resource.version > after_version:
                    after_version = resource.version
                    yield resource
                await _first_of(rung, self._stopping, self._look_again)

    async def _look(self, identifier: UUID) -> Resource:
        look = self._looks.get(identifier)
        if look is None:
            look = self._looks[identifier] = asyncio.create_task(self._begun(identifier))
        return await asyncio.shield(look)  # one watcher that leaves must not take the read from the others

    async def _begun(self, identifier: UUID) -> Resource:
        del self._looks[identifier]  # whoever asks from here on may know of a later change, and needs a later read
        return await self._read(identifier)


async def _first_of(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    waits = [asyncio.create_task(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
