"""The arq frame, with its traps (each measured on arq 0.28) handled where it lies.

The relays are not started by arq's startup hook: an arq worker ends when Redis is away for 1.5 s, and messages must not
wait for a Redis that holds none of their truth (docs/adr/0002).
"""

import asyncio
import logging
from functools import partial
from typing import Any

import msgpack
import redis.exceptions
from arq import cron, func
from arq.connections import RedisSettings
from arq.worker import Worker

from arq_worker.schedule import Schedule

_log = logging.getLogger(__name__)
_RESTART_DELAYS = (0.2, 0.5, 1.0, 2.0, 5.0)
_STABLE_SECONDS = 10.0
_JOB_TIMEOUT = 70


def build_worker(dsn: str, schedule: Schedule, tick_seconds: int) -> Worker:
    """An arq worker whose only jobs are the schedule's."""
    return Worker(
        functions=[
            # keep_result=0: while a result lives, a job of the same id is refused. max_tries: every restart by SIGTERM
            # burns one, and after the last the job is dropped.
            func(schedule.run, name="run", keep_result=0, max_tries=1000),
        ],
        cron_jobs=[
            # `second={...}`: a bare cron(second=N) fires once a minute. Missed ticks are not caught up; the markers do.
            cron(
                schedule.tick,
                name="tick",
                second=set(range(0, 60, tick_seconds)),
                run_at_startup=True,
                keep_result=0,
                max_tries=1000,
            ),
        ],
        redis_settings=RedisSettings.from_dsn(dsn),
        queue_name="sagamesh:schedule",  # job ids collide across queues: every queue has its own names
        handle_signals=False,  # __main__ ends it, together with the relays
        job_completion_wait=2,  # SIGTERM cancels a job in the middle of its rpc; below the supervisor's grace
        job_timeout=_JOB_TIMEOUT,  # also the life of the in-progress mark that a killed worker leaves (plus 10 s)
        keep_result=0,
        # Pickle, the default, is code execution for whoever can write to Redis.
        job_serializer=msgpack.packb,
        job_deserializer=partial(msgpack.unpackb, raw=False, strict_map_key=False),
        log_results=False,
    )


async def run_worker(dsn: str, schedule: Schedule, tick_seconds: int) -> None:
    """Keeps an arq worker running until cancelled: it ends whenever Redis is away for a moment."""
    failures = 0
    loop = asyncio.get_running_loop()
    while True:
        worker = build_worker(dsn, schedule, tick_seconds)
        started = loop.time()
        try:
            await worker.async_run()
        except (redis.exceptions.RedisError, OSError) as error:
            _log.warning("arq lost its Redis: %s", type(error).__name__)
        finally:
            await _close(worker)
        failures = 0 if loop.time() - started > _STABLE_SECONDS else failures + 1
        await asyncio.sleep(_RESTART_DELAYS[min(failures, len(_RESTART_DELAYS) - 1)])


async def _close(worker: Any) -> None:  # arq's close is untyped
    try:
        await worker.close()
    except (redis.exceptions.RedisError, OSError) as error:
        _log.info("arq closed without its Redis: %s", type(error).__name__)
