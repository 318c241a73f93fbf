"""What a running score_maker serves, and what it takes from its environment."""

import os
import subprocess
import sys
from datetime import timedelta

import grpc
import pytest
from grpc import aio
from sagamesh.mesh.v1 import maintenance_pb2, maintenance_pb2_grpc

from score_maker.settings import Settings
from tests.score_maker.service import ScoreMaker
from tests.services import health


@pytest.mark.parametrize(
    "name",
    ["score_maker.v1.ScoreService", "mesh.v1.OutboxService", "mesh.v1.SagaService", "mesh.v1.MaintenanceService"],
)
async def test_an_initiators_services_are_served(service: ScoreMaker, name: str) -> None:
    assert await health(service.channel, f"sagamesh.{name}") == 1


async def test_what_only_a_participant_needs_is_not(service: ScoreMaker) -> None:
    with pytest.raises(aio.AioRpcError) as raised:
        await health(service.channel, "sagamesh.mesh.v1.InboxService")
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND


async def test_its_tasks_run(service: ScoreMaker) -> None:
    stub = maintenance_pb2_grpc.MaintenanceServiceStub(service.channel)
    operator = service.user("ops", "operator")
    tasks = (await stub.ListTasks(maintenance_pb2.ListTasksRequest(), **operator)).tasks
    assert {task.name for task in tasks} == {"request.prune", "saga.deadlines", "saga.prune"}
    for task in tasks:
        await stub.RunTask(maintenance_pb2.RunTaskRequest(task=task.name), **operator)


def test_the_environment_may_compress_time(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "DATABASE_DSN": "postgresql://",
        "JWKS": "keys.json",
        "LINE_PROVIDER_TARGET": "localhost:1",
        "SAGA_DEADLINE_SECONDS": "2",
        "OUTBOX_LEASE_SECONDS": "1",
        "OUTBOX_POLL_SECONDS": "0.1",
        "RETRY_ATTEMPTS": "3",
        "RETRY_BASE_SECONDS": "0.01",
        "RETRY_CAP_SECONDS": "0.5",
    }
    for name, value in told.items():
        monkeypatch.setenv(f"SCORE_MAKER_{name}", value)
    settings = Settings()  # pyright: ignore[reportCallIssue]  # the environment has the rest
    assert settings.saga_deadline == timedelta(seconds=2)
    assert (settings.outbox.lease_ttl, settings.outbox.poll) == (1, 0.1)
    assert (settings.outbox.retry.attempts, settings.outbox.retry.base, settings.outbox.retry.cap) == (3, 0.01, 0.5)


def test_without_settings_it_says_which_are_missing() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCORE_MAKER_")}
    ended = subprocess.run(
        [sys.executable, "-m", "score_maker"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert "line_provider_target" in ended.stderr.lower()
    assert "Traceback" not in ended.stderr
