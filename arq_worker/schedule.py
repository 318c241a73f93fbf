"""The arq jobs: every service's periodic tasks, each run by the service itself.

A task is due when its marker in Redis is gone; the marker lives for the task's interval. Losing the markers (FLUSHALL)
only runs tasks sooner, and every task is safe to repeat.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import grpc
from arq.connections import ArqRedis
from sagamesh.mesh.v1 import maintenance_pb2, maintenance_pb2_grpc

_log = logging.getLogger(__name__)
_TASK_TIMEOUT = 60.0
_LIST_TIMEOUT = 5.0
_EARLY = timedelta(milliseconds=500)  # the tick itself is not punctual; a marker must not outlive its interval

Context = dict[str, Any]  # arq's own type


class Schedule:
    """The services whose tasks are run: name -> stub."""

    def __init__(self, services: Mapping[str, "maintenance_pb2_grpc.MaintenanceServiceAsyncStub"]) -> None:
        self._services = services

    async def tick(self, ctx: Context) -> None:
        """Queues every task that is due. A service that does not answer is asked again at the next tick."""
        redis: ArqRedis = ctx["redis"]
        for service, stub in self._services.items():
            try:
                response = await stub.ListTasks(maintenance_pb2.ListTasksRequest(), timeout=_LIST_TIMEOUT)
            except grpc.aio.AioRpcError as error:
                _log.warning("the tasks of %s are not known: %s", service, error.code().name)
                continue
            for task in response.tasks:
                await self._queue_if_due(redis, service, task)

    async def run(self, ctx: Context, service: str, task: str) -> int:
        """Runs one task on its service. A failure takes the marker away, so that the next tick tries again."""
        redis: ArqRedis = ctx["redis"]
        try:
            request = maintenance_pb2.RunTaskRequest(task=task)
            response = await self._services[service].RunTask(request, timeout=_TASK_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            _log.warning("task %s of %s failed: %s", task, service, error.code().name)
            await redis.delete(_marker(service, task))
            return 0
        return response.affected

    async def _queue_if_due(self, redis: ArqRedis, service: str, task: maintenance_pb2.Task) -> None:
        interval = max(task.interval.ToTimedelta() - _EARLY, _EARLY)
        if await redis.set(_marker(service, task.name), 1, nx=True, px=interval):
            # One job a task: a run that is still going is not joined by a second one. arq refuses the id until the
            # last run has wholly ended; then the task is due all the same.
            job = await redis.enqueue_job("run", service, task.name, _job_id=f"run:{service}:{task.name}")
            if job is None:
                await redis.delete(_marker(service, task.name))


def _marker(service: str, task: str) -> str:
    return f"sagamesh:schedule:{service}:{task}"
