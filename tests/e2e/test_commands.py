"""The commands of an operator against the running system: what they show, and a sentence for what they refuse."""

import json

import httpx
import pytest

from tests.e2e.ratings import Headers, Ratings, done
from tests.stack.commands import Finished, sagamesh
from tests.system import System


async def command(system: System, *arguments: str) -> Finished:
    """How a command on the running system ends."""
    return await sagamesh(*arguments, "--data-dir", system.directory.path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["saga", "show", "nonsense"], "saga_id: must be a valid UUID (INVALID_ARGUMENT)"),
        (["saga", "show", "0197a3c2-7d3e-7c50-8a31-d2f3a4b5c6d7"], "(NOT_FOUND)"),
        (["outbox", "pause", "nosuch"], "This service sends nothing to such a destination. (NOT_FOUND)"),
        (["outbox", "backlog", "--service", "nosuch"], "There is no service nosuch in"),
        (["logs", "nosuch"], "There is no log of nosuch in"),
        (["up", "--port", "0"], "Another stack runs in"),
    ],
)
async def test_what_cannot_be_done_is_one_sentence(arguments: list[str], sentence: str, system: System):
    finished = await command(system, *arguments)
    assert (finished.code, finished.output) == (1, "")
    assert finished.errors.startswith("sagamesh: ")
    assert (finished.errors.count("\n"), sentence in finished.errors) == (1, True), finished.errors


@pytest.mark.parametrize("arguments", [["nosuch"], ["saga", "show"]])
async def test_a_wrong_command_line_is_told_from_a_failure(arguments: list[str], system: System):
    finished = await command(system, *arguments)
    assert (finished.code, "Traceback" in finished.errors) == (2, False)
    assert finished.errors.startswith("Usage: ")


async def test_an_operator_follows_a_score_from_its_saga_to_its_log(system: System, ratings: Ratings, alice: Headers):
    score = await ratings.rate(alice, (await ratings.create_event())["eventId"], 5)
    shown = await command(system, "saga", "show", score["sagaId"], "--json")
    assert json.loads(shown.output)["score_maker"]["state"] == "COMPLETED"
    log = done(await ratings.http.get(f"/v1/scores/{score['scoreId']}/saga", headers=alice))
    assert [line["kind"] for line in log["log"]] == ["SENT", "OK"]
    told = (await command(system, "logs", "score_maker", "-n", "5")).output.splitlines()
    assert [json.loads(line)["service"] for line in told] == ["score_maker"] * 5


async def test_a_paused_destination_is_seen_in_the_backlog_until_it_is_resumed(
    system: System, ratings: Ratings, alice: Headers
):
    event = await ratings.create_event()
    paused = await command(system, "outbox", "pause", "line_provider")
    try:
        score = done(await ratings.submit(alice, event["eventId"], 5))
        waiting = json.loads((await command(system, "outbox", "backlog", "--json")).output)
    finally:
        resumed = await command(system, "outbox", "resume", "line_provider")
    assert (paused.output, resumed.output) == (
        "score_maker: deliveries to line_provider are paused.\n",
        "score_maker: deliveries to line_provider go on.\n",
    )
    backlog = waiting["score_maker"]["destinations"]
    assert [(row["destination"], row["depth"], row["paused"]) for row in backlog] == [("line_provider", "1", True)]
    assert (await ratings.settled(alice, score["scoreId"]))["status"] == "CONFIRMED"


async def test_a_token_of_the_command_line_opens_the_gateway(system: System):
    token = (await command(system, "token", "--sub", "zoë", "--role", "manager")).output.strip()
    async with httpx.AsyncClient(base_url=system.base_url, headers={"Authorization": f"Bearer {token}"}) as http:
        body = {"title": "The final", "deadline": "2100-01-01T00:00:00Z"}
        assert (await http.post("/v1/events", json=body)).status_code == 201


@pytest.mark.parametrize("name", ["", "service:arq_worker"])
async def test_a_token_that_nobody_would_accept_is_not_made(name: str, system: System):
    finished = await command(system, "token", "--sub", name)
    assert (finished.code, finished.output) == (2, "")
    assert "Invalid value for '--sub'" in finished.errors
