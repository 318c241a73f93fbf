"""The arq frame, with its traps (each measured on arq 0.28) handled where it lies.

The relays are not started by arq's startup hook: an arq worker ends when Redis is away for 1.5 s, and messages must not
wait for a Redis that holds none of their truth (docs/adr/0002).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgpack
import redis.exceptions
from arq import cron, func
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.worker import Worker

from arq_worker.schedule import Schedule

_log = logging.getLogger(__name__)
_RESTART_DELAYS = (0.2, 0.5, 1.0, 2.0, 5.0)
_STABLE_SECONDS = 10.0
_JOB_TIMEOUT = 70
_QUEUE = "sagamesh:schedule"  # job ids collide across queues: this one has names of its own


def build_worker(pool: ArqRedis, schedule: Schedule, tick_seconds: int) -> Worker:
    """An arq worker whose only jobs are the schedule's. The pool is the caller's to close."""
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
        redis_pool=pool,
        queue_name=_QUEUE,
        handle_signals=False,  # __main__ ends it, together with the relays
        job_completion_wait=2,  # SIGTERM cancels a job in the middle of its rpc; below the supervisor's grace
        job_timeout=_JOB_TIMEOUT,  # also the life of the in-progress mark that a killed worker leaves (plus 10 s)
        keep_result=0,
        job_serializer=_pack,
        job_deserializer=_unpack,
        log_results=False,
    )


async def run_worker(dsn: str, schedule: Schedule, tick_seconds: int) -> None:
    """Keeps an arq worker running until cancelled: it ends whenever Redis is away for a moment."""
    failures = 0
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        try:
            async with open_pool(dsn) as pool:
                worker = build_worker(pool, schedule, tick_seconds)
                try:
                    await worker.async_run()
                finally:
                    await worker.close()
        except (redis.exceptions.RedisError, OSError) as error:
            _log.warning("arq lost its Redis: %s", type(error).__name__)
        failures = 0 if loop.time() - started > _STABLE_SECONDS else failures + 1
        await asyncio.sleep(_RESTART_DELAYS[min(failures, len(_RESTART_DELAYS) - 1)])


@asynccontextmanager
async def open_pool(dsn: str) -> AsyncGenerator[ArqRedis]:
    """A pool of arq's, closed whatever happens: arq's own close leaves it open when Redis is away."""
    settings = replace(RedisSettings.from_dsn(dsn), conn_retries=0)  # run_worker has its own patience
    pool = await create_pool(settings, job_serializer=_pack, job_deserializer=_unpack, default_queue_name=_QUEUE)
    try:
        yield pool
    finally:
        await pool.aclose(close_connection_pool=True)


def _pack(job: dict[str, Any]) -> bytes:
    """Pickle, arq's default, is code execution for whoever can write to Redis."""
    return msgpack.packb(job)


def _unpack(packed: bytes) -> dict[str, Any]:
    return msgpack.unpackb(packed, raw=False)
