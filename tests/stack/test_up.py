"""The whole system under `sagamesh up`, from outside: the command line, REST and signals."""

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from stack.directory import DataDirectory
from stack.ports import free_port
from stack.probes import http
from stack.program import birth_of, command_of
from stack.services import SERVICES, descriptor_set
from tests.stack.commands import SAGAMESH, running_up, sagamesh

NAMES = [service.name for service in SERVICES]
PROCESSES = ["postgres", "redis-work", "redis-log", *NAMES, "arq_worker", "gateway"]
AS_USER = (sys.executable, str(Path(__file__).with_name("as_user.py"))) if os.geteuid() == 0 else ()
EVENT = {"title": "The final", "deadline": "2100-01-01T00:00:00Z"}


async def processes(data: Path) -> list[dict[str, Any]]:
    """What `sagamesh ps --json` says."""
    return json.loads((await sagamesh("ps", "--json", "--data-dir", data)).output)


async def token(data: Path, subject: str, *roles: str) -> dict[str, str]:
    """The header that makes a request that user's."""
    options = [option for role in roles for option in ("--role", role)]
    finished = await sagamesh("token", "--sub", subject, *options, "--data-dir", data)
    return {"Authorization": f"Bearer {finished.output.strip()}"}


async def create_event(url: str, data: Path) -> str:
    """The id of a new event."""
    async with httpx.AsyncClient(base_url=url, headers=await token(data, "maria", "manager")) as client:
        response = await client.post("/v1/events", json=EVENT)
        assert response.status_code == 201, response.text
        return response.json()["eventId"]


async def read_event(url: str, event_id: str) -> dict[str, Any]:
    """An event over REST."""
    async with httpx.AsyncClient(base_url=url) as client:
        return (await client.get(f"/v1/events/{event_id}")).json()


async def confirmed(client: httpx.AsyncClient, score_id: str) -> dict[str, Any]:
    """The score, when it has left PENDING."""
    async with asyncio.timeout(10):
        while (score := (await client.get(f"/v1/scores/{score_id}")).json())["status"] == "PENDING":
            await asyncio.sleep(0.02)
    return score


@asynccontextmanager
async def gateway_of(rows: list[dict[str, Any]], service: str) -> AsyncGenerator[str]:
    """The URL of a `sagamesh gateway` of one service."""
    port = free_port()
    address = next(row["address"] for row in rows if row["name"] == service)
    upstream = f"sagamesh.{service}.v1={address}"
    arguments = ["--descriptor-set", str(descriptor_set()), "--upstream", upstream, "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*SAGAMESH, "gateway", *arguments, stderr=PIPE)
    try:
        async with asyncio.timeout(30):
            while not await http(port, "/healthz")():
                assert process.returncode is None
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.communicate()


async def gone(births: dict[int, str]) -> None:
    """Returns when none of the processes is left."""
    async with asyncio.timeout(20):
        while any(birth_of(pid) == birth for pid, birth in births.items()):
            await asyncio.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack that tests share: they make events of their own in it."""

    data: Path
    url: str


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack]:
    """With two workers and two replicas of a service."""
    data = tmp_path_factory.mktemp("stack") / "data"
    with running_up("--data-dir", data, "--replicas", "arq_worker=2", "--replicas", "line_provider=2") as up:
        yield Stack(data, up.url)


async def test_ps_shows_every_process_and_every_replica(stack: Stack):
    rows = await processes(stack.data)
    names = [*PROCESSES[:4], "line_provider-2", *PROCESSES[4:-1], "arq_worker-2", "gateway"]
    assert [row["name"] for row in rows] == names
    assert {row["status"] for row in rows} == {"ready"}
    assert len({row["address"] for row in rows}) == len({row["pid"] for row in rows}) == len(names)


async def test_a_score_becomes_confirmed_and_its_saga_can_be_read(stack: Stack):
    event_id = await create_event(stack.url, stack.data)
    async with httpx.AsyncClient(base_url=stack.url, headers=await token(stack.data, "alice")) as client:
        submitted = (await client.post(f"/v1/events/{event_id}/scores", json={"rate": 5})).json()
        score = await confirmed(client, submitted["scoreId"])
    assert score["status"] == "CONFIRMED"
    assert (await read_event(stack.url, event_id))["status"] == "HIGH_SCORE"
    shown = await sagamesh("saga", "show", score["sagaId"], "--data-dir", stack.data)
    assert "saga rate v1 of user:alice" in shown.output
    assert "COMPLETED" in shown.output


async def test_an_operator_pauses_and_resumes_a_destination(stack: Stack):
    for verb, sentence, paused in (("pause", "are paused", True), ("resume", "go on", False)):
        finished = await sagamesh("outbox", verb, "line_provider", "--data-dir", stack.data)
        assert finished.output == f"score_maker: deliveries to line_provider {sentence}.\n"
        backlog = json.loads((await sagamesh("outbox", "backlog", "--json", "--data-dir", stack.data)).output)
        assert backlog["score_maker"]["destinations"][0]["paused"] is paused


async def test_an_unknown_dead_letter_is_one_sentence(stack: Stack):
    message_id = "0197a3c2-7d3e-7c50-8a31-d2f3a4b5c6d7"
    finished = await sagamesh("outbox", "redrive", message_id, "--data-dir", stack.data)
    assert (finished.code, finished.errors.count("\n")) == (1, 1)
    assert "NOT_FOUND" in finished.errors


async def test_a_gateway_of_ones_own_serves_a_running_service(stack: Stack):
    event_id = await create_event(stack.url, stack.data)
    async with gateway_of(await processes(stack.data), "line_provider") as url:
        assert (await read_event(url, event_id))["title"] == EVENT["title"]


async def test_migrate_finds_the_databases_of_the_running_stack(stack: Stack):
    finished = await sagamesh("migrate", "--data-dir", stack.data)
    assert (finished.output, finished.errors) == ("".join(f"{name}: head\n" for name in NAMES), "")


async def test_a_second_stack_in_the_same_directory_is_refused(stack: Stack):
    finished = await sagamesh("up", "--port", "0", "--data-dir", stack.data)
    assert (finished.code, finished.errors.count("\n")) == (1, 1)
    assert f"Another stack runs in {stack.data}. Stop it with: sagamesh down" in finished.errors


async def test_secrets_are_on_no_command_line_and_in_no_log_and_files_are_ours_alone(stack: Stack):
    secrets: list[str] = list(json.loads((stack.data / "secrets.json").read_text()).values())
    pids = {row["name"]: row["pid"] for row in await processes(stack.data)}
    visible = "".join(map(command_of, pids.values())) + _environment_of(pids["gateway"]) + _logs(stack.data)
    assert len(secrets) >= 4
    assert not [secret for secret in secrets if secret in visible]
    names = ("secrets.json", "state.json", "keys/*/private.jwk", "logs/*")
    assert not [path for name in names for path in stack.data.glob(name) if path.stat().st_mode & 0o077]


async def test_all_stops_within_ten_seconds_and_a_second_up_finds_the_data(tmp_path: Path):
    with running_up("--data-dir", tmp_path / "data") as up:
        event_id = await create_event(up.url, tmp_path / "data")
        births = {row["pid"]: birth_of(row["pid"]) for row in await processes(tmp_path / "data")}
        began = time.monotonic()
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(20) == 0
        assert time.monotonic() - began < 10
        assert not any(map(birth_of, births))
    assert await processes(tmp_path / "data") == []
    with running_up("--data-dir", tmp_path / "data") as up:
        assert (await read_event(up.url, event_id))["title"] == EVENT["title"]
        births = {row["pid"]: birth_of(row["pid"]) for row in await processes(tmp_path / "data")}
        up.process.kill()
        await gone(births)
    with running_up("--data-dir", tmp_path / "data") as up:
        assert (await read_event(up.url, event_id))["title"] == EVENT["title"]


async def test_every_process_that_is_killed_comes_back(tmp_path: Path):
    with running_up("--data-dir", tmp_path / "data") as up:
        event_id = await create_event(up.url, tmp_path / "data")
        before = {row["name"]: row["pid"] for row in await processes(tmp_path / "data")}
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while not _all_back(after := DataDirectory(tmp_path / "data").state()["processes"], before):
                await asyncio.sleep(0.1)
        assert [row["name"] for row in after] == list(before)
        assert (await read_event(up.url, event_id))["title"] == EVENT["title"]


async def test_an_ordinary_user_and_another_stack_run_side_by_side(stack: Stack):
    with running_up("--ephemeral", prefix=AS_USER) as up:
        assert up.url != stack.url
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{up.url}/healthz")).status_code == 200
            assert (await client.get(f"{stack.url}/healthz")).status_code == 200


async def test_a_detached_stack_runs_on_until_down_and_an_ephemeral_one_leaves_nothing(tmp_path: Path):
    data = tmp_path / "data"
    started = await sagamesh("up", "--port", "0", "--data-dir", data, "--ephemeral", "--detach")
    try:
        assert started.output.startswith("ready http://127.0.0.1:")
        assert {row["status"] for row in await processes(data)} == {"ready"}
        log = await sagamesh("logs", "supervisor", "--data-dir", data)
        assert "gateway" in log.output
        assert "eyJ" not in log.output
    finally:
        stopped = await sagamesh("down", "--data-dir", data)
    assert (stopped.code, stopped.errors) == (0, "")
    assert not data.exists()


def _environment_of(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


def _logs(data: Path) -> str:
    return "".join(log.read_text(errors="replace") for log in (data / "logs").iterdir())


def _all_back(rows: list[dict[str, Any]], before: dict[str, int]) -> bool:
    return all(row["status"] == "ready" and row["pid"] != before[row["name"]] for row in rows)
