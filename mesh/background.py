"""Work beside a server's calls: endless tasks that start again when they fail."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

_log = logging.getLogger(__name__)
_REST = 1.0


@asynccontextmanager
async def running(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncGenerator[None]:
    """Runs endless work beside the block. The work handles the faults it expects; after any other it starts again,
    because a server whose background is dead is worse than one that fails and logs it."""
    stopping = asyncio.Event()
    task = asyncio.create_task(_endlessly(name, work, stopping), name=name)
    try:
        yield
    finally:
        stopping.set()
        task.cancel()
        await asyncio.wait([task])


async def _endlessly(name: str, work: Callable[[], Coroutine[Any, Any, None]], stopping: asyncio.Event) -> None:
    while not stopping.is_set():  # a fault at the very end must not swallow the cancellation
        try:
            await work()
            _log.error("%s ended; it starts again", name)
        except Exception:  # noqa: BLE001  # a supervisor survives anything, and logs it
            _log.exception("%s failed; it starts again", name)
        await asyncio.sleep(_REST)
