"""Periodic tasks, run when the worker's schedule says so, and the standard ones of the mesh's own tables.

Every task is safe to repeat, to run in two replicas at once, and to be killed: it works in bounded transactions.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sagamesh.mesh.v1 import maintenance_pb2, maintenance_pb2_grpc
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh import idempotency
from mesh.errors import NotFound
from mesh.identifiers import lowest_id
from mesh.outbox import dead_letters
from mesh.retention import PARTITIONED, REMEMBERED, prune_default, roll_partitions
from mesh.saga import store
from mesh.saga.deadlines import expire
from mesh.saga.engine import Sagas
from mesh.uow import UnitOfWork

_ANSWERS_KEPT = timedelta(days=1)
_ROLL_LOCK = text("SELECT pg_advisory_xact_lock(7103581443)")


class TaskNotFound(NotFound):
    """This service has no such task."""

    reason = "TASK_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Task:
    """A periodic task. `run` returns how many rows or sagas it acted on."""

    name: str
    description: str
    interval: timedelta
    run: Callable[[], Awaitable[int]]


class MaintenanceServicer(maintenance_pb2_grpc.MaintenanceServiceServicer):
    """Runs the tasks of one service."""

    SERVICE = maintenance_pb2.DESCRIPTOR.services_by_name["MaintenanceService"]

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = {task.name: task for task in tasks}

    async def RunTask(self, request: maintenance_pb2.RunTaskRequest, context: Any) -> maintenance_pb2.RunTaskResponse:
        """Raises TaskNotFound."""
        task = self._tasks.get(request.task)
        if task is None:
            raise TaskNotFound(field="task")
        return maintenance_pb2.RunTaskResponse(affected=await task.run())

    async def ListTasks(
        self, request: maintenance_pb2.ListTasksRequest, context: Any
    ) -> maintenance_pb2.ListTasksResponse:
        """All of them."""
        response = maintenance_pb2.ListTasksResponse()
        for task in self._tasks.values():
            response.tasks.add(name=task.name, description=task.description).interval.FromTimedelta(task.interval)
        return response


def request_tasks(engine: AsyncEngine, table: Table) -> list[Task]:
    """Forgetting answered requests."""

    async def prune() -> int:
        async with UnitOfWork(engine) as work:
            pruned = await idempotency.prune(work.connection, table, datetime.now(UTC) - _ANSWERS_KEPT)
            await work.commit()
        return pruned

    return [
        Task("request.prune", "Forgets answers to requests with a request_id after a day.", timedelta(hours=1), prune)
    ]


def inbox_tasks(engine: AsyncEngine) -> list[Task]:
    """Rolling the partitions of inbox and barrier."""

    async def roll() -> int:
        now = datetime.now(UTC)
        async with UnitOfWork(engine) as work:
            await work.connection.execute(_ROLL_LOCK)
            affected = 0
            for table in PARTITIONED:
                affected += await roll_partitions(work.connection, table, now)
                affected += await prune_default(work.connection, table, now)
            await work.commit()
        return affected

    return [
        Task(
            "inbox.roll", "Makes the next days' partitions and drops those of forgotten days.", timedelta(hours=6), roll
        )
    ]


def saga_tasks(engine: AsyncEngine, sagas: Sagas) -> list[Task]:
    """Taking back overdue sagas, and forgetting ended ones with the dead letters that nothing waits for."""

    async def prune() -> int:
        bound = lowest_id(datetime.now(UTC) - REMEMBERED)
        async with UnitOfWork(engine) as work:
            pruned = await store.prune(work.connection, bound)
            pruned += await dead_letters.prune(work.connection, bound)
            await work.commit()
        return pruned

    return [
        Task(
            "saga.deadlines",
            "Takes back sagas whose deadline has passed.",
            timedelta(seconds=5),
            lambda: expire(engine, sagas),
        ),
        Task("saga.prune", "Forgets ended sagas and unparked dead letters after 30 days.", timedelta(hours=6), prune),
    ]
