"""Partitions that roll with the days, on a real database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from mesh.identifiers import created_at, lowest_id, new_id
from mesh.maintenance import inbox_tasks, saga_tasks
from mesh.retention import REMEMBERED, roll_partitions
from tests.mesh.messaging import World, world

NOW = datetime(2026, 5, 20, 13, tzinfo=UTC)


async def _partitions(w: World, table: str) -> list[str]:
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:t AS regclass) ORDER BY 1"
    return [str(row[0]) for row in await w.query(query, t=table)]


async def _remember(w: World, at: datetime) -> UUID:
    message_id = UUID(int=lowest_id(at).int + 12345)
    await w.query("INSERT INTO inbox (message_id, code) VALUES (:id, 1)", id=message_id)
    return message_id


async def test_todays_and_the_next_days_partitions_are_made_once(database: str) -> None:
    async with world(database) as w:
        async with w.engine.begin() as connection:
            assert await roll_partitions(connection, "inbox", NOW) == 4
            assert await roll_partitions(connection, "inbox", NOW) == 0
        days = [f"inbox_202605{day}" for day in (20, 21, 22, 23)]
        assert await _partitions(w, "inbox") == [*days, "inbox_default"]


async def test_days_beyond_what_is_remembered_are_dropped_and_no_day_within(database: str) -> None:
    async with world(database) as w:
        oldest_kept, forgotten = NOW - REMEMBERED, NOW - REMEMBERED - timedelta(days=2)
        for day in (forgotten, oldest_kept):
            async with w.engine.begin() as connection:
                await roll_partitions(connection, "inbox", day)
        kept = await _remember(w, oldest_kept + timedelta(minutes=1))
        await _remember(w, forgotten)
        async with w.engine.begin() as connection:
            await roll_partitions(connection, "inbox", NOW)
        assert await w.query("SELECT message_id FROM inbox") == [(kept,)]


async def test_a_day_that_began_in_the_default_partition_stays_there_and_nothing_fails(database: str) -> None:
    async with world(database) as w:
        await _remember(w, NOW)
        async with w.engine.begin() as connection:
            assert await roll_partitions(connection, "inbox", NOW) == 3


async def test_the_task_rolls_both_tables_and_forgets_what_is_old_in_the_default_partition(database: str) -> None:
    async with world(database) as w:
        await _remember(w, datetime.now(UTC) - REMEMBERED - timedelta(days=1))
        recent = await _remember(w, datetime.now(UTC) - timedelta(days=1))
        [roll] = inbox_tasks(w.engine)
        assert await roll.run() == 9
        assert await w.query("SELECT message_id FROM inbox") == [(recent,)]
        assert len(await _partitions(w, "barrier")) == 5


async def test_ended_sagas_are_forgotten_with_their_logs_and_running_ones_are_not(database: str) -> None:
    async with world(database) as w:
        ended, running = await w.begin("e1"), UUID(int=lowest_id(NOW - timedelta(days=40)).int + 7)
        await w.run()
        for saga_id, old in ((ended, UUID(int=lowest_id(NOW - timedelta(days=41)).int + 8)),):
            await w.query("UPDATE saga SET saga_id = :old WHERE saga_id = :id", old=old, id=saga_id)
            await w.query("UPDATE saga_log SET saga_id = :old WHERE saga_id = :id", old=old, id=saga_id)
        still = await w.begin("e2")
        await w.query("UPDATE saga SET saga_id = :old WHERE saga_id = :id", old=running, id=still)
        prune = next(task for task in saga_tasks(w.engine, w.sagas) if task.name == "saga.prune")
        assert await prune.run() == 1
        assert await w.query("SELECT saga_id FROM saga") == [(running,)]
        assert {row[0] for row in await w.query("SELECT DISTINCT saga_id FROM saga_log")} == {still}


def test_a_uuid7_tells_when_it_was_made_and_sorts_above_its_bound() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=2)
    identifier = new_id()
    assert lowest_id(before) < identifier
    assert abs(created_at(identifier) - before) < timedelta(seconds=5)
