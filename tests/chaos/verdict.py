"""What must be true when everything is calm again: nothing lost, nothing twice, nothing given up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import asyncpg
from sagamesh.mesh.v1 import outbox_pb2, outbox_pb2_grpc, saga_pb2_grpc
from sagamesh.mesh.v1.saga_pb2 import ListSagasRequest, Saga

from tests.chaos.raters import Rater
from tests.chaos.world import World
from tests.system import System

_UNDER_WAY = (Saga.RUNNING, Saga.FINISHING)
_FAILED = (Saga.COMPENSATING, Saga.STUCK)


async def nothing_lost_nothing_twice(world: World) -> Counter[str]:
    """Every acknowledged change has settled as it must, and every event counts exactly its confirmed scores. Returns
    how many scores ended how."""
    ends: Counter[str] = Counter()
    by_event: dict[str, list[Rater]] = {}
    for rater in world.raters:
        by_event.setdefault(rater.event_id, []).append(rater)
    for event_id, raters in by_event.items():
        event, scores = await world.event(event_id), await world.scores(event_id)
        finished_at = datetime.fromisoformat(event["finishedAt"]) if "finishedAt" in event else None
        _scores_read_as_acknowledged(scores, raters, finished_at)
        _aggregate_is_exact(event, scores)
        ends.update(" ".join(filter(None, (score["status"], score.get("reason")))) for score in scores)
    return ends


def _scores_read_as_acknowledged(
    scores: Sequence[dict[str, Any]], raters: Sequence[Rater], finished_at: datetime | None
) -> None:
    shown = {score["userId"]: score for score in scores}
    assert len(shown) == len(scores), "a user has two scores of an event"
    assert shown.keys() == {rater.user for rater in raters if rater.changes}
    for rater in raters:
        if rater.changes:
            score = shown[rater.user]
            reads = (score["status"], score["rate"], int(score["revision"]), score.get("reason", ""))
            expected = rater.expectation(finished_at)
            assert reads == expected.shown, f"{score}\nafter {rater.changes}\nof an event finished at {finished_at}"


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


async def nothing_given_up(system: System, *, waiting: bool = False) -> None:
    """No dead letter, no parked key, no saga being taken back; unless something may be `waiting`, nothing does, and no
    saga has not ended. As an operator reads it."""
    states = _FAILED if waiting else (*_FAILED, *_UNDER_WAY)
    async with system.operator_session("score_maker") as session:
        asked: Any = {"metadata": session.metadata, "timeout": session.timeout}
        outbox, sagas = (
            outbox_pb2_grpc.OutboxServiceStub(session.channel),
            saga_pb2_grpc.SagaServiceStub(session.channel),
        )
        backlog = await outbox.GetBacklog(outbox_pb2.GetBacklogRequest(), **asked)
        letters = await outbox.ListDeadLetters(outbox_pb2.ListDeadLettersRequest(), **asked)
        for state in states:
            found = await sagas.ListSagas(ListSagasRequest(state=state), **asked)
            assert not found.sagas, f"sagas are {Saga.State.Name(state)}: {found}"
    assert [row.destination for row in backlog.destinations] == ["line_provider"]
    assert not any(row.dead_letters or row.parked_keys for row in backlog.destinations), backlog
    assert any(row.depth for row in backlog.destinations) == waiting, backlog
    assert not letters.dead_letters, letters


@dataclass(frozen=True, slots=True)
class Tally:
    """How many sagas were started and how many messages were handled. The services' own tables say so; no API does."""

    sagas: int
    messages: int

    @classmethod
    async def of(cls, system: System) -> "Tally":
        """As it stands now."""
        ((sagas,),) = await _rows(system, "score_maker", "SELECT count(*) FROM saga")
        ((messages,),) = await _rows(system, "line_provider", "SELECT count(*) FROM inbox")
        return cls(sagas, messages)


async def one_message_a_change(world: World, before: Tally) -> None:
    """Each acknowledged change was one saga and one handled message, and became one revision where it was counted."""
    made = {(r.score_id, change.revision): change.rate for r in world.raters for change in r.changes}
    after = await Tally.of(world.system)
    assert (after.sagas - before.sagas, after.messages - before.messages) == (len(made), len(made))
    seen = await _rows(world.system, "line_provider", "SELECT score_id, revision, rate, revoked FROM score_revision")
    scores = {score_id for score_id, _ in made}
    counted = {(str(score_id), revision): rate for score_id, revision, rate, _ in seen if str(score_id) in scores}
    assert counted.items() <= made.items()
    assert not any(revoked for _, _, _, revoked in seen)


async def _rows(system: System, service: str, query: str) -> list[tuple[Any, ...]]:
    password = quote(system.directory.secret(service), safe="")
    connection = await asyncpg.connect(f"postgresql://{service}:{password}@{system.address('postgres')}/{service}")
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()
