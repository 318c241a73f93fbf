"""What must be true when everything is calm again: nothing lost, nothing twice, nothing given up."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import asyncpg
from sagamesh.mesh.v1 import outbox_pb2, outbox_pb2_grpc, saga_pb2_grpc
from sagamesh.mesh.v1.saga_pb2 import ListSagasRequest, Saga

from tests.chaos.raters import Expectation, Rater
from tests.chaos.world import World
from tests.system import System

_UNENDED = (Saga.RUNNING, Saga.FINISHING, Saga.COMPENSATING, Saga.STUCK)


async def nothing_lost_nothing_twice(world: World) -> None:
    """Every acknowledged change has settled as it must, and every event counts exactly its confirmed scores."""
    by_event: dict[str, list[Rater]] = {}
    for rater in world.raters:
        by_event.setdefault(rater.event_id, []).append(rater)
    for event_id, raters in by_event.items():
        event, scores = await world.event(event_id), await world.scores(event_id)
        finished_at = datetime.fromisoformat(event["finishedAt"]) if "finishedAt" in event else None
        expected = {rater.user: rater.expectation(finished_at) for rater in raters if rater.changes}
        _scores_read_as_acknowledged(scores, expected)
        _aggregate_is_exact(event, scores)


def _scores_read_as_acknowledged(scores: Sequence[dict[str, Any]], expected: dict[str, Expectation]) -> None:
    shown = {
        score["userId"]: (score["status"], score["rate"], int(score["revision"]), score.get("reason", ""))
        for score in scores
    }
    assert len(shown) == len(scores), "a user has two scores of an event"
    assert shown == {user: expectation.shown for user, expectation in expected.items()}


def _aggregate_is_exact(event: dict[str, Any], scores: Sequence[dict[str, Any]]) -> None:
    counted = Counter(score["rate"] for score in scores if score["status"] == "CONFIRMED")
    histogram = [counted[rate] for rate in range(1, 6)]
    assert [int(number) for number in event["scoreHistogram"]] == histogram
    assert int(event.get("scoreCount", 0)) == counted.total()
    total = sum(rate * number for rate, number in counted.items())
    assert abs(event.get("scoreMean", 0) - (total / counted.total() if counted else 0)) < 1e-9
    assert event["status"] == (
        "PROCESSING" if not counted else "LOW_SCORE" if total < 3 * counted.total() else "HIGH_SCORE"
    )


async def nothing_given_up(system: System) -> None:
    """No dead letter, no parked key, nothing waiting, and no saga that has not ended; as an operator reads it."""
    async with system.operator_session("score_maker") as session:
        asked: Any = {"metadata": session.metadata, "timeout": session.timeout}
        outbox, sagas = (
            outbox_pb2_grpc.OutboxServiceStub(session.channel),
            saga_pb2_grpc.SagaServiceStub(session.channel),
        )
        backlog = await outbox.GetBacklog(outbox_pb2.GetBacklogRequest(), **asked)
        letters = await outbox.ListDeadLetters(outbox_pb2.ListDeadLettersRequest(), **asked)
        for state in _UNENDED:
            found = await sagas.ListSagas(ListSagasRequest(state=state), **asked)
            assert not found.sagas, f"sagas are {Saga.State.Name(state)}: {found}"
    assert [row.destination for row in backlog.destinations] == ["line_provider"]
    assert not any(row.depth or row.dead_letters or row.parked_keys for row in backlog.destinations), backlog
    assert not letters.dead_letters, letters


async def one_message_a_change(world: World) -> None:
    """Each acknowledged change was one saga and one handled message, and is one revision where it was counted. The
    services' own tables say so; no API shows them."""
    made = {(r.score_id, change.revision): change.rate for r in world.raters for change in r.changes}
    assert await _rows(world.system, "score_maker", "SELECT count(*) FROM saga") == [(len(made),)]
    assert await _rows(world.system, "line_provider", "SELECT count(*) FROM inbox") == [(len(made),)]
    assert await _rows(world.system, "line_provider", "SELECT count(*) FROM score_revision WHERE revoked") == [(0,)]
    seen = await _rows(world.system, "line_provider", "SELECT score_id, revision, rate FROM score_revision")
    counted = {(str(score_id), revision): rate for score_id, revision, rate in seen}
    assert len(counted) == len(seen)
    assert counted.items() <= made.items()


async def _rows(system: System, service: str, query: str) -> list[tuple[Any, ...]]:
    password = quote(system.directory.secret(service), safe="")
    connection = await asyncpg.connect(f"postgresql://{service}:{password}@{system.address('postgres')}/{service}")
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()
