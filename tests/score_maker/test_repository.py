"""One suite for the ports in memory and over PostgreSQL, then what only PostgreSQL can show."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.identifiers import new_id
from mesh.saga import Sagas
from mesh.uow import UnitOfWork
from score_maker.commands import settle_scores, submit_score
from score_maker.domain import Ending, Score, Status
from score_maker.ports import LostUpdate, Work
from score_maker.repository import ScoreWork, SqlScores
from score_maker.saga import ScoreSagas, define
from tests.score_maker.examples import ALICE, NOW, SECOND, a_score, an_event, history_of, score_that_is
from tests.score_maker.fakes import FakeEvents, FakeSagas, FakeWork, Store

each_status = pytest.mark.parametrize("status", list(Status))


class World(Protocol):
    """Both kinds of the ports."""

    def work(self) -> Work:
        """A transaction."""
        ...


class Memory:
    def __init__(self) -> None:
        self._store = Store()

    def work(self) -> Work:
        return FakeWork(self._store)


class Postgres:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.started = Store()

    def work(self) -> Work:
        def sagas(_work: UnitOfWork) -> FakeSagas:
            return FakeSagas(self.started)

        return ScoreWork(self._engine, sagas)


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    return Memory() if request.param == "memory" else Postgres(request.getfixturevalue("engine"))


async def keep(world: World, first: Score, *later: Score) -> Score:
    """Brings the store to hold the last of a score's versions."""
    async with world.work() as work:
        assert await work.scores.add(first)
        for score in later:
            await work.scores.save([score])
        await work.commit()
    return (first, *later)[-1]


async def kept(world: World, score: Score) -> Score | None:
    async with world.work() as work:
        return await work.scores.lock_own(score.event_id, score.user_id)


@each_status
async def test_a_score_in_any_status_is_read_back_as_it_was_kept(world: World, status: Status) -> None:
    score = await keep(world, *history_of(status))
    assert await kept(world, score) == score
    async with world.work() as work:
        assert await work.scores.lock(score.score_id) == score


async def test_there_is_no_score_that_nobody_kept(world: World) -> None:
    assert await kept(world, a_score()) is None


async def test_what_is_not_committed_is_not_kept(world: World) -> None:
    score = a_score()
    async with world.work() as work:
        await work.scores.add(score)
    assert await kept(world, score) is None


async def test_a_user_has_one_score_of_an_event(world: World) -> None:
    first = await keep(world, a_score())
    async with world.work() as work:
        assert not await work.scores.add(a_score(event_id=first.event_id))
        assert await work.scores.add(a_score(event_id=first.event_id, user_id="bob"))
        await work.commit()
    assert await kept(world, first) == first


async def test_only_scores_whose_last_change_is_the_sagas_are_locked(world: World) -> None:
    mine, others = await keep(world, a_score()), await keep(world, a_score())
    async with world.work() as work:
        asked = {mine.score_id: mine.saga_id, others.score_id: new_id(), new_id(): mine.saga_id}
        assert await work.scores.lock_set(asked) == [mine]


async def test_the_saga_of_another_score_is_not_mistaken(world: World) -> None:
    one, two = await keep(world, a_score()), await keep(world, a_score())
    async with world.work() as work:
        assert await work.scores.lock_set({one.score_id: two.saga_id, two.score_id: one.saga_id}) == []


async def test_an_empty_set_is_locked_and_saved(world: World) -> None:
    async with world.work() as work:
        assert await work.scores.lock_set({}) == []
        await work.scores.save([])


async def test_a_set_of_scores_is_saved(world: World) -> None:
    before = [await keep(world, a_score(rate)) for rate in range(1, 6)]
    after = [score.confirmed(NOW + SECOND) for score in before[:3]]
    after += [score.refused("EVENT_FINISHED", NOW + SECOND) for score in before[3:]]
    async with world.work() as work:
        await work.scores.save(after)
        await work.commit()
    assert [await kept(world, score) for score in before] == after


@pytest.mark.parametrize(
    "forged",
    [
        replace(score_that_is(Status.PENDING), version=3),
        replace(score_that_is(Status.PENDING), version=1),
        replace(score_that_is(Status.PENDING), version=2, status=Status.WITHDRAWING),
        replace(score_that_is(Status.PENDING), version=2, status=Status.PENDING),
    ],
    ids=["two steps at once", "no step", "an illegal move", "no move"],
)
async def test_what_is_not_one_legal_step_is_not_saved(world: World, forged: Score) -> None:
    first = replace(forged, version=1, status=Status.PENDING)
    await keep(world, first)
    with pytest.raises(LostUpdate):
        async with world.work() as work:
            await work.scores.save([forged])
    assert await kept(world, first) == first


async def test_a_score_that_is_not_there_is_not_saved(world: World) -> None:
    with pytest.raises(LostUpdate):
        async with world.work() as work:
            await work.scores.save([a_score().confirmed(NOW)])


async def test_sagas_settle_scores_as_a_set(world: World) -> None:
    confirmed, refused, moved_on = [await keep(world, a_score()) for _ in range(3)]
    endings = [
        Ending(confirmed.score_id, confirmed.saga_id),
        Ending(refused.score_id, refused.saga_id, "EVENT_FINISHED"),
        Ending(moved_on.score_id, new_id(), "DEADLINE_PASSED"),
    ]
    async with world.work() as work:
        await settle_scores(work.scores, endings, NOW + SECOND)
        await work.commit()
    assert await kept(world, confirmed) == confirmed.confirmed(NOW + SECOND)
    assert await kept(world, refused) == refused.refused("EVENT_FINISHED", NOW + SECOND)
    assert await kept(world, moved_on) == moved_on


async def test_of_concurrent_first_scores_one_is_added(engine: AsyncEngine) -> None:
    world, event = Postgres(engine), an_event()
    scores = await asyncio.gather(
        *(submit_score(world.work(), FakeEvents(event), event.event_id, ALICE, 4, NOW) for _ in range(20))
    )
    assert len({score.score_id for score in scores}) == 1
    assert len(world.started.sagas) == 1


async def test_a_first_score_waits_for_another_that_is_not_kept_after_all(engine: AsyncEngine) -> None:
    world, score = Postgres(engine), a_score()
    async with world.work() as work:
        assert await work.scores.add(a_score(event_id=score.event_id))
        second = asyncio.create_task(keep(world, score))
        await asyncio.wait([second], timeout=0.05)
        assert not second.done()
    assert await second == score


async def test_sets_are_locked_in_one_order(engine: AsyncEngine) -> None:
    world = Postgres(engine)
    scores = [await keep(world, a_score()) for _ in range(10)]
    endings = [Ending(score.score_id, score.saga_id) for score in scores]

    async def settle(endings: list[Ending]) -> None:
        async with world.work() as work:
            await settle_scores(work.scores, endings, NOW)

    await asyncio.gather(*(settle(endings if number % 2 else endings[::-1]) for number in range(10)))


@pytest.mark.parametrize(("before", "cost"), [([], 2), (history_of(Status.CONFIRMED), 4)], ids=["first", "edit"])
async def test_a_submission_costs_few_statements_its_saga_included(
    engine: AsyncEngine, statements: Callable[[], list[str]], before: list[Score], cost: int
) -> None:
    event = an_event()
    if before:
        await keep(Postgres(engine), *(replace(score, event_id=event.event_id) for score in before))
    definitions = define(SqlScores, lambda: NOW, timedelta(minutes=15))
    sagas = Sagas(definitions.all, lambda _: None)
    work = ScoreWork(engine, lambda work: ScoreSagas(sagas, definitions, work))
    written = len(statements())
    assert (await submit_score(work, FakeEvents(event), event.event_id, ALICE, 2, NOW)).status is Status.PENDING
    assert len(statements()) - written == cost


@pytest.mark.parametrize("size", [1, 100])
async def test_settling_costs_two_statements_whatever_the_size(
    engine: AsyncEngine, statements: Callable[[], list[str]], size: int
) -> None:
    world = Postgres(engine)
    scores = [await keep(world, a_score()) for _ in range(size)]
    before = len(statements())
    async with world.work() as work:
        await settle_scores(work.scores, [Ending(score.score_id, score.saga_id) for score in scores], NOW)
        await work.commit()
    assert len(statements()) - before == 2
