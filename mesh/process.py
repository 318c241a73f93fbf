"""A process of the system: it ends on SIGTERM or SIGINT, and says in a sentence why it cannot start."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from pydantic import ValidationError

_NEW_OBJECTS = 10_000
"""By how many the objects must grow until the garbage collector looks. A call makes a hundred, nearly all of which die
without it; at Python's own 700 it looked every few calls."""


class StartError(Exception):
    """The process cannot start; the message is a sentence for whoever started it."""


def stop_event() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set from now on, instead of ending the process."""
    event = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, event.set)
    return event


def keep_what_is_loaded() -> None:
    """Called when a process is about to serve: takes all that it has loaded from the garbage collector's sight. A full
    look at a service's hundred thousand objects is a pause of some 60 ms, and finds nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


def run(
    main: Callable[[], Coroutine[Any, Any, None]],
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> int:
    """Runs the process, on asyncio's own loop unless another is given, and returns its exit code. A start that fails
    for a known reason prints one sentence."""
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(main())
    except StartError as error:
        return _say(str(error))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        return _say(f"the settings of {error.title} are not valid: {faults}")
    return 0


def _say(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1
