"""The whole system under `sagamesh up`, from outside: the command line, REST and signals."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from stack.directory import DataDirectory
from stack.program import birth_of, command_of
from tests.stack.commands import running_up, sagamesh

PROCESSES = ["postgres", "redis-work", "redis-log", "line_provider", "score_maker", "arq_worker", "gateway"]
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


async def gone(births: dict[int, str]) -> None:
    """Returns when none of the processes is left."""
    async with asyncio.timeout(20):
        while any(birth_of(pid) == birth for pid, birth in births.items()):
            await asyncio.sleep(0.05)


async def test_a_score_becomes_confirmed_and_its_saga_can_be_read(tmp_path: Path):
    data = tmp_path / "data"
    async with running_up("--data-dir", data, "--replicas", "arq_worker=2", "--replicas", "line_provider=2") as up:
        names = [row["name"] for row in await processes(data)]
        assert names == [*PROCESSES[:4], "line_provider-2", *PROCESSES[4:6], "arq_worker-2", "gateway"]
        event_id = await create_event(up.url, data)
        async with httpx.AsyncClient(base_url=up.url, headers=await token(data, "alice")) as client:
            submitted = (await client.post(f"/v1/events/{event_id}/scores", json={"rate": 5})).json()
            score = await confirmed(client, submitted["scoreId"])
        assert score["status"] == "CONFIRMED"
        assert (await read_event(up.url, event_id))["status"] == "HIGH_SCORE"
        shown = await sagamesh("saga", "show", score["sagaId"], "--data-dir", data)
        assert "saga rate v1 of user:alice" in shown.output
        assert "COMPLETED" in shown.output
        paused = await sagamesh("outbox", "pause", "line_provider", "--data-dir", data)
        assert paused.output == "score_maker: deliveries to line_provider are paused.\n"
        backlog = json.loads((await sagamesh("outbox", "backlog", "--json", "--data-dir", data)).output)
        assert backlog["score_maker"]["destinations"][0]["paused"] is True
        unknown = await sagamesh("outbox", "redrive", "0197a3c2-7d3e-7c50-8a31-d2f3a4b5c6d7", "--data-dir", data)
        assert (unknown.code, unknown.errors.count("\n")) == (1, 1)
        assert "NOT_FOUND" in unknown.errors


async def test_all_stops_within_ten_seconds_and_a_second_up_finds_the_data(tmp_path: Path):
    data = tmp_path / "data"
    async with running_up("--data-dir", data) as up:
        event_id = await create_event(up.url, data)
        births = {row["pid"]: birth_of(row["pid"]) for row in await processes(data)}
        began = time.monotonic()
        up.process.send_signal(signal.SIGINT)
        assert await up.process.wait() == 0
        assert time.monotonic() - began < 10
        assert not any(map(birth_of, births))
    assert await processes(data) == []
    async with running_up("--data-dir", data) as up:
        assert (await read_event(up.url, event_id))["title"] == "The final"
        births = {row["pid"]: birth_of(row["pid"]) for row in await processes(data)}
        up.process.kill()
        await gone(births)
    async with running_up("--data-dir", data) as up:
        assert (await read_event(up.url, event_id))["title"] == "The final"


async def test_every_process_that_is_killed_comes_back(tmp_path: Path):
    data = tmp_path / "data"
    async with running_up("--data-dir", data) as up:
        event_id = await create_event(up.url, data)
        before = {row["name"]: row["pid"] for row in await processes(data)}
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while not _all_back(after := DataDirectory(data).state()["processes"], before):
                await asyncio.sleep(0.1)
        assert [row["name"] for row in after] == list(before)
        assert (await read_event(up.url, event_id))["title"] == "The final"


async def test_an_ordinary_user_and_another_stack_run_side_by_side(tmp_path: Path):
    async with running_up("--ephemeral", prefix=AS_USER) as first, running_up("--data-dir", tmp_path) as second:
        assert first.url != second.url
        assert [row["name"] for row in await processes(tmp_path)] == PROCESSES
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{first.url}/healthz")).status_code == 200


async def test_a_detached_stack_runs_on_until_down_and_an_ephemeral_one_leaves_nothing(tmp_path: Path):
    data = tmp_path / "data"
    started = await sagamesh("up", "--port", "0", "--data-dir", data, "--ephemeral", "--detach")
    try:
        assert started.output.startswith("ready http://127.0.0.1:")
        assert {row["status"] for row in await processes(data)} == {"ready"}
        again = await sagamesh("up", "--port", "0", "--data-dir", data)
        assert (again.code, "Another stack runs" in again.errors) == (1, True)
        log = await sagamesh("logs", "supervisor", "--data-dir", data)
        assert "gateway" in log.output
        assert "eyJ" not in log.output
    finally:
        stopped = await sagamesh("down", "--data-dir", data)
    assert (stopped.code, stopped.errors) == (0, "")
    assert not data.exists()


async def test_secrets_are_on_no_command_line_and_in_no_log_and_files_are_ours_alone(tmp_path: Path):
    data = tmp_path / "data"
    async with running_up("--data-dir", data):
        secrets: list[str] = list(json.loads((data / "secrets.json").read_text()).values())
        pids = {row["name"]: row["pid"] for row in await processes(data)}
        visible = "".join(map(command_of, pids.values())) + _environment_of(pids["gateway"]) + _logs(data)
    assert len(secrets) >= 4
    assert not [secret for secret in secrets if secret in visible]
    private = [data / "secrets.json", data / "state.json", *data.glob("keys/*/private.jwk"), *data.glob("logs/*")]
    assert not [path for path in private if path.stat().st_mode & 0o077]


def _environment_of(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


def _logs(data: Path) -> str:
    return "".join(log.read_text(errors="replace") for log in (data / "logs").iterdir())


def _all_back(rows: list[dict[str, Any]], before: dict[str, int]) -> bool:
    return all(row["status"] == "ready" and row["pid"] != before[row["name"]] for row in rows)
