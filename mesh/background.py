"""Resources of a server that are no context managers by themselves: a task beside the calls, a database engine."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

_log = logging.getLogger(__name__)


@asynccontextmanager
async def running(name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncGenerator[None]:
    """Runs endless work beside the block. The work handles its own faults: should it end, that is logged."""
    task = asyncio.create_task(work(), name=name)
    task.add_done_callback(_log_end)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def disposing(engine: AsyncEngine) -> AsyncGenerator[None]:
    """Closes the engine's connections after the block."""
    try:
        yield
    finally:
        await engine.dispose()


def _log_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        _log.error("%s ended, and nobody runs it any more", task.get_name(), exc_info=task.exception())
