"""The sagas of scores from submission to their end, over real services; a test moves the relay by hand."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from sagamesh.line_provider.v1 import event_pb2
from sagamesh.mesh.v1 import saga_pb2
from sagamesh.mesh.v1.envelope_pb2 import Outcome, SagaStep
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.line_provider.service import LineProvider
from tests.mesh.echo import Keys
from tests.score_maker.service import Score, ScoreMaker, serving

Event = event_pb2.Event
Saga = saga_pb2.Saga


@pytest_asyncio.fixture(loop_scope="module")
async def impatient(dsn: str, keys: Keys, events: LineProvider, engine: AsyncEngine) -> AsyncIterator[ScoreMaker]:
    """A score_maker that gives a message up at its first failure, and tries undos at once."""
    async with serving(dsn, keys, events, retry_attempts=1) as service:
        yield service


async def fail(service: ScoreMaker) -> str:
    """Reports that the one waiting message failed for good; what it asked."""
    [leased] = await service.pull()
    error = Status(code=code_pb2.INTERNAL, message="The handler failed.")
    outcome = Outcome(message_id=leased.envelope.message_id, code=Outcome.RETRY, error=error)
    await service.settle([leased], [outcome])
    return leased.envelope.type.rpartition(".")[2]


async def test_a_score_is_confirmed_and_makes_its_event_a_high_score(service: ScoreMaker) -> None:
    event = await service.events.create()
    score = await service.submit(event.event_id, 5)
    await service.relay()
    confirmed = await service.get(score.score_id)
    assert (confirmed.status, confirmed.rate, confirmed.revision, confirmed.etag) == (Score.CONFIRMED, 5, 1, "2")
    after = await service.events.get(event.event_id)
    assert (after.status, after.score_count, list(after.score_histogram)) == (Event.HIGH_SCORE, 1, [0, 0, 0, 0, 1])
    assert (await service.saga(score.score_id)).state == Saga.COMPLETED


async def test_many_scores_settle_in_one_batch(service: ScoreMaker) -> None:
    events = [(await service.events.create()).event_id for _ in range(2)]
    scores = [await service.submit(events[n % 2], 1 + n % 5, by=f"user {n}") for n in range(20)]
    await service.relay()
    for score in scores:
        assert (await service.get(score.score_id, by=score.user_id)).status == Score.CONFIRMED
    assert [(await service.events.get(event_id)).score_count for event_id in events] == [10, 10]


async def test_an_edit_replaces_what_is_counted(service: ScoreMaker) -> None:
    event = await service.events.create()
    await service.confirmed(event.event_id, 5)
    score = await service.confirmed(event.event_id, 1)
    assert (score.status, score.rate, score.revision) == (Score.CONFIRMED, 1, 2)
    assert list((await service.events.get(event.event_id)).score_histogram) == [1, 0, 0, 0, 0]


async def test_a_withdrawn_score_is_not_counted_and_may_be_submitted_again(service: ScoreMaker) -> None:
    event = await service.events.create()
    first = await service.confirmed(event.event_id, 5)
    await service.withdraw(first.score_id)
    await service.relay()
    withdrawn = await service.get(first.score_id)
    assert (withdrawn.status, withdrawn.revision) == (Score.WITHDRAWN, 2)
    after = await service.events.get(event.event_id)
    assert (after.status, after.score_count) == (Event.PROCESSING, 0)
    again = await service.confirmed(event.event_id, 5)
    assert (again.score_id, again.status, again.revision) == (first.score_id, Score.CONFIRMED, 3)
    assert (await service.events.get(event.event_id)).score_count == 1


async def test_a_first_score_that_its_event_refuses_is_rejected_with_the_reason(service: ScoreMaker) -> None:
    event = await service.events.create()
    await service.submit(event.event_id, 5, by="bob")  # score_maker has seen the event while it was open
    await service.events.finish(event.event_id)
    score = await service.submit(event.event_id, 5)
    await service.relay()
    rejected = await service.get(score.score_id)
    assert (rejected.status, rejected.reason, rejected.revision) == (Score.REJECTED, "EVENT_FINISHED", 1)
    saga = await service.saga(score.score_id)
    assert saga.state == Saga.COMPENSATED
    assert [entry.kind for entry in saga.log] == [saga_pb2.SagaLogEntry.SENT, saga_pb2.SagaLogEntry.REJECTED]
    assert (await service.get((await service.submit(event.event_id, 5, by="bob")).score_id, by="bob")).rate == 5
    assert (await service.events.get(event.event_id)).score_count == 1  # bob's, submitted before the finish


@pytest.mark.parametrize("change", ["edit", "withdrawal"])
async def test_a_refused_change_leaves_what_is_counted(service: ScoreMaker, change: str) -> None:
    event = await service.events.create()
    first = await service.confirmed(event.event_id, 5)
    await service.events.finish(event.event_id)
    if change == "edit":  # within a second of the look before, score_maker cannot know
        await service.submit(event.event_id, 1)
    else:
        await service.withdraw(first.score_id)
    await service.relay()
    score = await service.get(first.score_id)
    assert (score.status, score.rate, score.revision, score.reason) == (Score.CONFIRMED, 5, 1, "EVENT_FINISHED")
    assert list((await service.events.get(event.event_id)).score_histogram) == [0, 0, 0, 0, 1]


async def test_a_score_whose_first_attempts_failed_is_submitted_again_as_the_next_revision(
    impatient: ScoreMaker,
) -> None:
    event = await impatient.events.create()
    score = await impatient.submit(event.event_id, 5)
    assert await fail(impatient) == "ApplyScore"
    assert (await impatient.saga(score.score_id)).state == Saga.COMPENSATING
    await impatient.relay()
    rejected = await impatient.get(score.score_id)
    assert (rejected.status, rejected.reason) == (Score.REJECTED, "INTERNAL")
    again = await impatient.confirmed(event.event_id, 5)
    assert (again.score_id, again.status, again.revision) == (score.score_id, Score.CONFIRMED, 2)


@pytest.mark.parametrize(("change", "undo"), [("edit", "RevokeScore"), ("withdrawal", "RestoreScore")])
async def test_a_change_that_was_done_but_is_given_up_is_undone(impatient: ScoreMaker, change: str, undo: str) -> None:
    event = await impatient.events.create()
    first = await impatient.confirmed(event.event_id, 5)
    if change == "edit":
        await impatient.submit(event.event_id, 1)
    else:
        await impatient.withdraw(first.score_id)
    await impatient.events.deliver(*(one.envelope for one in await impatient.pull()))  # done, but nobody is told
    assert list((await impatient.events.get(event.event_id)).score_histogram) != [0, 0, 0, 0, 1]
    await fail(impatient)
    [leased] = await impatient.pull()
    assert leased.envelope.type.rpartition(".")[2] == undo
    assert leased.envelope.saga_step.direction == SagaStep.UNDO
    await impatient.relay()
    assert list((await impatient.events.get(event.event_id)).score_histogram) == [0, 0, 0, 0, 1]
    score = await impatient.get(first.score_id)
    assert (score.status, score.rate, score.revision) == (Score.CONFIRMED, 5, 1)


async def test_a_reply_that_comes_twice_settles_once(service: ScoreMaker) -> None:
    event = await service.events.create()
    score = await service.submit(event.event_id, 5)
    leased = await service.pull()
    outcomes = await service.events.deliver(*(one.envelope for one in leased))
    for _ in range(2):
        await service.settle(leased, outcomes)
    assert (await service.get(score.score_id)).etag == "2"
