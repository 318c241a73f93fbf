"""Runs the worker: `python -m arq_worker`. Settings -> wiring -> relays and schedule until SIGTERM."""

import logging
import sys
from contextlib import AsyncExitStack
from functools import partial

from arq_worker.settings import WorkerSettings
from arq_worker.wiring import wire
from arq_worker.worker import run_worker
from mesh.background import running
from mesh.logs import configure
from mesh.process import keep_what_is_loaded, run, stop_event
from mesh.telemetry import metrics_endpoint, new_registry

_log = logging.getLogger(__name__)


async def main() -> None:
    """Serves until SIGTERM or SIGINT; then relays finish what is on its way and give their leases back."""
    settings = WorkerSettings()  # pyright: ignore[reportCallIssue]  # the environment has the rest
    configure("arq_worker", settings.log_level)
    stopping = stop_event()
    keep_what_is_loaded()
    dsn = settings.redis_dsn.get_secret_value()
    async with (
        metrics_endpoint(settings.metrics_listen, new_registry()),
        wire(settings) as wired,
        AsyncExitStack() as at,
    ):
        await at.enter_async_context(
            running("schedule", partial(run_worker, dsn, wired.schedule, settings.tick_seconds))
        )
        for relay in wired.relays:
            await at.enter_async_context(running(f"relay of {relay.producer}", relay.run))
        _log.info("relaying")
        await stopping.wait()


if __name__ == "__main__":
    sys.exit(run(main))
