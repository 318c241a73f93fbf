"""One suite for the ports in memory and over PostgreSQL, then what only PostgreSQL can show."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from line_provider.commands import change_scores
from line_provider.domain import Aggregate, Change, Event
from line_provider.ports import Scores, Work
from line_provider.queries import get_event
from line_provider.repository import EventWork, SqlScores
from mesh.identifiers import new_id
from mesh.signal import Signal
from mesh.uow import UnitOfWork
from tests.line_provider.examples import HOUR, NOW, SECOND, an_event, count, revoke
from tests.line_provider.fakes import FakeScores, FakeWork, Store


class World(Protocol):
    """Both kinds of the ports."""

    def work(self) -> Work:
        """A transaction over events."""
        ...

    def scores(self) -> AbstractAsyncContextManager[Scores]:
        """A transaction over scores that commits at its end."""
        ...


class Memory:
    def __init__(self) -> None:
        self._store = Store()

    def work(self) -> FakeWork:
        return FakeWork(self._store)

    @asynccontextmanager
    async def scores(self) -> AsyncGenerator[Scores]:
        yield FakeScores(self._store)


class Postgres:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.signal = Signal("", "unused")

    def work(self) -> EventWork:
        return EventWork(self.engine, self.signal)

    @asynccontextmanager
    async def scores(self) -> AsyncGenerator[Scores]:
        async with UnitOfWork(self.engine) as work:
            yield SqlScores(work, self.signal)
            await work.commit()


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    return Memory() if request.param == "memory" else Postgres(request.getfixturevalue("engine"))


async def keep(world: World, *events: Event) -> None:
    async with world.work() as work:
        for event in events:
            await work.events.add(event)
        await work.commit()


async def kept(world: World, event_id: UUID) -> Event | None:
    async with world.work() as work:
        return await work.events.lock(event_id)


async def change(world: World, *changes: Change) -> Sequence[object]:
    async with world.scores() as scores:
        return await change_scores(scores, changes, NOW)


async def test_an_event_is_read_back_as_it_was_kept(world: World) -> None:
    event = an_event("Über 9000 ⚽")
    await keep(world, event)
    assert await kept(world, event.event_id) == event


async def test_there_is_no_event_that_nobody_kept(world: World) -> None:
    assert await kept(world, new_id()) is None


async def test_what_is_not_committed_is_not_kept(world: World) -> None:
    event = an_event()
    async with world.work() as work:
        await work.events.add(event)
    assert await kept(world, event.event_id) is None


async def test_a_saved_event_is_read_back(world: World) -> None:
    event = an_event()
    await keep(world, event)
    changed = event.edited("Semifinal", NOW + 2 * HOUR, NOW + SECOND).finished(NOW + 2 * SECOND)
    async with world.work() as work:
        await work.events.lock(event.event_id)
        await work.events.save(changed)
        await work.commit()
    assert await kept(world, event.event_id) == changed


async def test_a_set_of_scores_of_several_events_is_counted(world: World) -> None:
    one, two = an_event("one"), an_event("two")
    await keep(world, one, two)
    assert await change(world, count(one, 1), count(two, 5), count(one, 4)) == [None, None, None]
    counted_one, counted_two = await kept(world, one.event_id), await kept(world, two.event_id)
    assert counted_one is not None
    assert counted_two is not None
    assert counted_one.aggregate.histogram == (1, 0, 0, 1, 0)
    assert counted_two.aggregate.histogram == (0, 0, 0, 0, 1)
    assert counted_one.version == 3


async def test_a_refused_change_keeps_nothing(world: World) -> None:
    event, score = an_event(), new_id()
    await keep(world, event)
    [refusal] = await change(world, count(event, 4, score=score, at=event.deadline))
    assert refusal is not None
    assert await kept(world, event.event_id) == event
    assert await change(world, count(event, 4, score=score)) == [None]  # the revision was not seen


async def test_a_score_is_counted_edited_withdrawn_and_restored(world: World) -> None:
    event, score = an_event(), new_id()
    await keep(world, event)
    steps = [
        (count(event, 2, score=score), (0, 1, 0, 0, 0)),
        (count(event, 5, score=score, revision=2), (0, 0, 0, 0, 1)),
        (count(event, 5, score=score, revision=2), (0, 0, 0, 0, 1)),
        (count(event, None, score=score, revision=3), (0, 0, 0, 0, 0)),
        (revoke(event, score, 3), (0, 0, 0, 0, 1)),
        (count(event, None, score=score, revision=3), (0, 0, 0, 0, 1)),
        (revoke(event, score, 2), (0, 1, 0, 0, 0)),
        (revoke(event, score, 7), (0, 1, 0, 0, 0)),
        (count(event, 4, score=score, revision=6), (0, 1, 0, 0, 0)),
        (count(event, 4, score=score, revision=8), (0, 0, 0, 1, 0)),
        (revoke(event, score, 8), (0, 1, 0, 0, 0)),
        (revoke(event, score, 1), (0, 0, 0, 0, 0)),
    ]
    for asked, histogram in steps:
        await change(world, asked)
        after = await kept(world, event.event_id)
        assert after is not None
        assert after.aggregate.histogram == histogram


async def test_an_empty_set_is_no_work(world: World) -> None:
    assert await change(world) == []


async def test_sets_with_the_same_events_do_not_wait_for_each_other_in_a_circle(engine: AsyncEngine) -> None:
    world, events = Postgres(engine), [an_event(str(number)) for number in range(8)]
    await keep(world, *events)

    async def counts(events: Sequence[Event]) -> None:
        for _ in range(5):
            await change(world, *(count(event, 4) for event in events))

    await asyncio.gather(*(counts(events if number % 2 else events[::-1]) for number in range(8)))
    for event in events:
        assert (await get_event(engine, event.event_id)).aggregate.count == 40


async def test_concurrent_changes_of_one_event_are_all_counted(engine: AsyncEngine) -> None:
    world, event = Postgres(engine), an_event()
    await keep(world, event)
    await asyncio.gather(*(change(world, count(event, 1 + number % 5)) for number in range(40)))
    assert (await get_event(engine, event.event_id)).aggregate.histogram == (8, 8, 8, 8, 8)


async def test_a_manager_who_edits_while_scores_arrive_loses_none(engine: AsyncEngine) -> None:
    world, event = Postgres(engine), an_event()
    await keep(world, event)

    async def edit(title: str) -> None:
        async with world.work() as work:
            locked = await work.events.lock(event.event_id)
            assert locked is not None
            await work.events.save(locked.edited(title, None, NOW))
            await work.commit()

    await asyncio.gather(*(change(world, count(event, 5)) for _ in range(20)), *(edit(str(n)) for n in range(10)))
    after = await get_event(engine, event.event_id)
    assert (after.aggregate.count, after.edit, after.version) == (20, 11, 31)


async def test_a_set_costs_the_same_statements_whatever_its_size(
    engine: AsyncEngine, statements: Callable[[], list[str]]
) -> None:
    world, events = Postgres(engine), [an_event(str(number)) for number in range(3)]
    await keep(world, *events)
    before = len(statements())
    await change(world, *(count(events[number % 3], 4) for number in range(100)))
    assert len(statements()) - before == 4


_RECOMPUTED = """
    SELECT event_id, rate, count(*) FROM (
        SELECT DISTINCT ON (score_id) event_id, rate FROM score_revision WHERE NOT revoked
        ORDER BY score_id, revision DESC) AS standing
    WHERE rate IS NOT NULL GROUP BY event_id, rate"""


async def recomputed(engine: AsyncEngine) -> dict[UUID, Aggregate]:
    """The aggregates by definition, from the revisions alone."""
    totals: dict[UUID, Aggregate] = {}
    async with engine.connect() as connection:
        for event_id, rate, scores in await connection.execute(text(_RECOMPUTED)):
            aggregate = totals.get(event_id, Aggregate())
            for _ in range(scores):
                aggregate = aggregate.exchange(None, rate)
            totals[event_id] = aggregate
    return totals


_change = st.tuples(st.integers(0, 5), st.integers(1, 5), st.one_of(st.none(), st.integers(1, 5)), st.booleans())
_batch = st.lists(_change, min_size=1, max_size=6, unique_by=lambda change: change[0])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(_batch, min_size=1, max_size=12))
async def test_whatever_arrives_in_whatever_order_the_aggregate_equals_its_recomputation(
    engine: AsyncEngine, batches: list[list[tuple[int, int, int | None, bool]]]
) -> None:
    world = Postgres(engine)
    events = [an_event("one"), an_event("two")]
    scores = [new_id() for _ in range(6)]
    await keep(world, *events)
    for batch in batches:
        await change(
            world,
            *(
                revoke(events[who % 2], scores[who], revision)
                if revoking
                else count(events[who % 2], rate, score=scores[who], revision=revision)
                for who, revision, rate, revoking in batch
            ),
        )
    expected = await recomputed(engine)
    for event in events:
        found = await get_event(engine, event.event_id)
        assert found.aggregate == expected.get(event.event_id, Aggregate())
    async with engine.connect() as connection:
        wrong = "SELECT count(*) FROM event WHERE cardinality(histogram) <> 5 OR 0 > ANY (histogram)"
        assert (await connection.execute(text(wrong))).scalar_one() == 0


async def test_the_stored_status_follows_the_histogram(engine: AsyncEngine) -> None:
    world, event = Postgres(engine), an_event()
    await keep(world, event)
    for rate, status in ((1, "LOW_SCORE"), (5, "HIGH_SCORE")):
        await change(world, count(event, rate))
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT status FROM event"))).scalar_one() == status
