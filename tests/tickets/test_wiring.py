"""What a running tickets serves, and what it says when it cannot start."""

import os
import subprocess
import sys

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2
from sagamesh.mesh.v1 import maintenance_pb2, maintenance_pb2_grpc

from tests.services import health
from tests.tickets.service import Desk


@pytest.mark.parametrize(
    "name", ["tickets.v1.TicketService", "tickets.v1.CommentService", "mesh.v1.MaintenanceService"]
)
async def test_its_services_are_served(service: Desk, name: str) -> None:
    assert await health(service.channel, f"sagamesh.{name}") == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("name", ["mesh.v1.InboxService", "mesh.v1.OutboxService", "mesh.v1.SagaService"])
async def test_what_only_sagas_need_is_not(service: Desk, name: str) -> None:
    with pytest.raises(aio.AioRpcError) as raised:
        await health(service.channel, f"sagamesh.{name}")
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND


async def test_its_tasks_run(service: Desk) -> None:
    stub = maintenance_pb2_grpc.MaintenanceServiceStub(service.channel)
    operator = service.user("ops", "operator")
    tasks = (await stub.ListTasks(maintenance_pb2.ListTasksRequest(), **operator)).tasks
    assert {task.name for task in tasks} == {"request.prune"}
    for task in tasks:
        await stub.RunTask(maintenance_pb2.RunTaskRequest(task=task.name), **operator)


def test_without_settings_it_says_which_are_missing() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TICKETS_")}
    ended = subprocess.run(
        [sys.executable, "-m", "tickets"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    assert "database_dsn" in ended.stderr.lower()
    assert "Traceback" not in ended.stderr
