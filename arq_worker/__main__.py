"""Runs the worker: `python -m arq_worker`. Settings -> wiring -> relays and schedule until SIGTERM."""

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine

from arq_worker.settings import WorkerSettings
from arq_worker.wiring import wire
from arq_worker.worker import run_worker
from mesh.logs import configure
from mesh.process import run, stop_event
from mesh.telemetry import metrics_endpoint, new_registry

_log = logging.getLogger(__name__)
_RESTART_SECONDS = 1.0


async def main() -> None:
    """Serves until SIGTERM or SIGINT; then relays finish what is on its way and give their leases back."""
    settings = WorkerSettings()  # pyright: ignore[reportCallIssue]  # the environment has the rest
    configure("arq_worker", settings.log_level)
    stopping = stop_event()
    async with metrics_endpoint(settings.metrics_listen, new_registry()), wire(settings) as wired:
        tasks = [asyncio.create_task(supervise(f"relay of {relay.producer}", relay.run)) for relay in wired.relays]
        dsn = settings.redis_dsn.get_secret_value()
        tasks.append(asyncio.create_task(run_worker(dsn, wired.schedule, settings.tick_seconds)))
        _log.info("relaying")
        await stopping.wait()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def supervise(name: str, work: Callable[[], Coroutine[None, None, None]]) -> None:
    """Runs `work` again whenever it fails, until cancelled: one relay's fault stops neither it nor the others."""
    while True:
        try:
            await work()
        except Exception:
            _log.exception("%s failed; it starts again", name)
        await asyncio.sleep(_RESTART_SECONDS)


if __name__ == "__main__":
    sys.exit(run(main))
