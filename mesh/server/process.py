"""A server as a process: it ends on SIGTERM or SIGINT, and says in a sentence why it cannot start."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from pydantic import ValidationError

from mesh.server.server import Server, StartError

log = logging.getLogger(__name__)


async def serve(server: Server) -> None:
    """Serves until SIGTERM or SIGINT, then drains. Raises StartError."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with server:
        log.info("serving", extra={"facts": {"port": server.port}})
        await stopping.wait()
        log.info("draining")


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Runs the process and returns its exit code. A start that fails for a known reason prints one sentence."""
    try:
        asyncio.run(main())
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        sys.stderr.write(f"the settings of {error.title} are not valid: {faults}\n")
        return 1
    return 0
