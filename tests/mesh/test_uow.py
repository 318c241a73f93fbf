"""The unit of work on a real database."""

import contextlib

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InternalError
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.errors import FailedPrecondition, InvalidArgument, Unavailable
from mesh.uow import UnitOfWork, is_connection_lost, open_engine
from tests.mesh.messaging import World


async def _engine(database: str) -> AsyncEngine:
    engine = open_engine(database, pool_size=2)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE thing (name text)"))
    return engine


async def _names(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.execute(text("SELECT name FROM thing ORDER BY name"))).scalars())


async def test_what_is_not_committed_is_rolled_back(database: str) -> None:
    engine = await _engine(database)
    async with UnitOfWork(engine) as work:
        await work.connection.execute(text("INSERT INTO thing VALUES ('kept')"))
        await work.commit()
    async with UnitOfWork(engine) as work:
        await work.connection.execute(text("INSERT INTO thing VALUES ('lost')"))
    with pytest.raises(DBAPIError):
        await _insert_and_fail(engine)
    assert await _names(engine) == ["kept"]
    await engine.dispose()


async def test_hooks_run_after_a_commit_and_only_then(database: str) -> None:
    engine = await _engine(database)
    rung: list[str] = []
    async with UnitOfWork(engine) as work:
        work.on_commit(lambda: rung.append("committed"))
        assert rung == []
        await work.commit()
    async with UnitOfWork(engine) as work:
        work.on_commit(lambda: rung.append("rolled back"))
    assert rung == ["committed"]
    await engine.dispose()


async def test_a_text_that_no_table_can_hold_is_an_invalid_argument(database: str) -> None:
    engine = await _engine(database)
    with pytest.raises(InvalidArgument):
        async with UnitOfWork(engine) as work:
            await work.connection.execute(text("INSERT INTO thing VALUES (:name)"), {"name": "a\0b"})
    await engine.dispose()


async def test_a_database_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        async with UnitOfWork(World.engine_to_nowhere()):
            pass


async def test_a_database_that_takes_no_more_connections_is_unavailable(database: str) -> None:
    engine = await _engine(database)
    async with engine.begin() as connection:
        name = await connection.scalar(text("SELECT current_database()"))
        await connection.execute(text(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0'))
    await engine.dispose()
    with pytest.raises(Unavailable):
        async with UnitOfWork(engine):
            pass


async def test_a_connection_that_is_lost_in_the_middle_is_unavailable_and_the_next_one_works(database: str) -> None:
    engine = await _engine(database)
    with pytest.raises(Unavailable):
        await _insert_and_lose_the_connection(engine)
    async with UnitOfWork(engine) as work:
        await work.connection.execute(text("INSERT INTO thing VALUES ('kept')"))
        await work.commit()
    assert await _names(engine) == ["kept"]
    await engine.dispose()


@pytest.mark.parametrize("lose", ["end the session", "break the connection"])
async def test_a_refusal_stands_when_the_connection_is_lost_before_it_is_rolled_back(database: str, lose: str) -> None:
    engine = open_engine(database, pool_size=1)
    with pytest.raises(_Refused):
        await _lose_the_connection_and_refuse(engine, lose)
    async with UnitOfWork(engine) as work:  # the pool's only place is free again
        assert await work.connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()


class _Fault(Exception):
    """What a driver raises, as SQLAlchemy wraps it."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__()
        self.sqlstate = sqlstate


@pytest.mark.parametrize("sqlstate", ["08003", "08006", "53300", "57P01", "57P02", "57P03"])
def test_a_fault_of_the_connection_is_known_by_its_state_whatever_sqlalchemy_takes_it_for(sqlstate: str) -> None:
    assert is_connection_lost(DBAPIError("SELECT 1", None, _Fault(sqlstate)))


def test_a_driver_that_is_in_a_state_it_does_not_know_has_lost_its_connection() -> None:
    fault = _Fault("")
    fault.__cause__ = asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress")
    assert is_connection_lost(InternalError("ROLLBACK", None, fault))


@pytest.mark.parametrize("sqlstate", ["22012", "23505", "40P01"])
def test_a_fault_of_a_statement_is_not_one_of_the_connection(sqlstate: str) -> None:
    assert not is_connection_lost(DBAPIError("SELECT 1", None, _Fault(sqlstate)))


async def _insert_and_fail(engine: AsyncEngine) -> None:
    async with UnitOfWork(engine) as work:
        await work.connection.execute(text("INSERT INTO thing VALUES ('failed')"))
        await work.connection.execute(text("SELECT 1 / 0"))


async def _insert_and_lose_the_connection(engine: AsyncEngine) -> None:
    async with UnitOfWork(engine) as work:
        await work.connection.execute(text("INSERT INTO thing VALUES ('lost')"))
        await work.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


class _Refused(FailedPrecondition):
    """What a command answers."""

    reason = "REFUSED"


async def _lose_the_connection_and_refuse(engine: AsyncEngine, lose: str) -> None:
    async with UnitOfWork(engine) as work:
        await work.connection.execute(text("SELECT 1"))
        driver = (await work.connection.get_raw_connection()).driver_connection
        assert isinstance(driver, asyncpg.Connection)
        if lose == "break the connection":
            driver.terminate()
        else:
            with contextlib.suppress(asyncpg.PostgresError):
                await driver.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        raise _Refused
