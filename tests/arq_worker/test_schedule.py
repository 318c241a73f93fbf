"""The schedule on a real Redis and a real MaintenanceService."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import grpc
import msgpack
from arq.connections import ArqRedis
from sagamesh.mesh.v1 import maintenance_pb2_grpc

from arq_worker.schedule import Schedule
from arq_worker.worker import open_pool, run_worker
from mesh.background import running
from mesh.maintenance import MaintenanceServicer, Task
from tests.servers import running_redis


class Chores:
    """A service's tasks that count their runs, and fail when told to."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.failing = False

    def task(self, name: str, interval: timedelta) -> Task:
        async def run() -> int:
            self.runs.append(name)
            if self.failing:
                raise RuntimeError("as the test wants")
            return 1

        return Task(name, "A chore.", interval, run)


@asynccontextmanager
async def _schedule(*tasks: Task) -> AsyncGenerator[Schedule]:
    server = grpc.aio.server()
    maintenance_pb2_grpc.add_MaintenanceServiceServicer_to_server(MaintenanceServicer(tasks), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Schedule({"service": maintenance_pb2_grpc.MaintenanceServiceStub(channel)})
    await server.stop(None)


async def _until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while True:
            result = condition()
            if result if isinstance(result, bool) else await result:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def _flushed(url: str) -> AsyncGenerator[ArqRedis]:
    async with open_pool(url) as client:
        await client.flushall()  # pyright: ignore[reportUnknownMemberType]  # untyped options
        yield client


async def test_a_task_runs_once_an_interval_however_many_workers_tick(redis_server: str) -> None:
    chores = Chores()
    hourly, often = chores.task("hourly", timedelta(hours=1)), chores.task("often", timedelta(seconds=1))
    async with _flushed(redis_server), _schedule(hourly, often) as schedule:
        one = running("one", lambda: run_worker(redis_server, schedule, 1))
        two = running("two", lambda: run_worker(redis_server, schedule, 1))
        async with one, two:
            await _until(lambda: chores.runs.count("often") >= 3)
        assert chores.runs.count("hourly") == 1


async def test_a_failed_task_is_tried_at_the_next_tick(redis_server: str) -> None:
    chores = Chores()
    chores.failing = True
    async with _flushed(redis_server), _schedule(chores.task("hourly", timedelta(hours=1))) as schedule:
        worker = running("worker", lambda: run_worker(redis_server, schedule, 1))
        async with worker:
            await _until(lambda: len(chores.runs) >= 3)


async def test_a_task_whose_last_run_is_just_ending_stays_due(redis_server: str) -> None:
    chores = Chores()
    async with _flushed(redis_server) as client, _schedule(chores.task("hourly", timedelta(hours=1))) as schedule:
        await client.enqueue_job("run", "service", "hourly", _job_id="run:service:hourly")
        await schedule.tick({"redis": client})
        assert await client.exists("sagamesh:schedule:service:hourly") == 0


async def test_flushing_redis_only_runs_tasks_sooner(redis_server: str) -> None:
    chores = Chores()
    async with _flushed(redis_server) as client, _schedule(chores.task("hourly", timedelta(hours=1))) as schedule:
        worker = running("worker", lambda: run_worker(redis_server, schedule, 1))
        async with worker:
            await _until(lambda: len(chores.runs) == 1)
            await client.flushall()  # pyright: ignore[reportUnknownMemberType]  # untyped options
            await _until(lambda: len(chores.runs) >= 2)


async def test_a_worker_outlives_its_redis(tmp_path: Path) -> None:
    chores = Chores()
    async with _schedule(chores.task("often", timedelta(seconds=1))) as schedule:
        with running_redis(tmp_path) as url:
            task = asyncio.create_task(run_worker(url, schedule, 1))
            await _until(lambda: len(chores.runs) >= 1)
        await asyncio.sleep(2)  # long enough for arq to give up
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])


async def test_jobs_are_written_as_msgpack_and_not_as_pickle(redis_server: str) -> None:
    async with _flushed(redis_server) as client:
        job = await client.enqueue_job("run", "service", "task")
        assert job is not None
        written = await client.get(f"arq:job:{job.job_id}")
        assert written is not None
        assert msgpack.unpackb(written)["a"] == ["service", "task"]
