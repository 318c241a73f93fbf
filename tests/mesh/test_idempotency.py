"""A repeated request, on a real database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sagamesh.score_maker.v1.score_pb2 import Score, SubmitScoreRequest
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.call import CURRENT, Call, Principal
from mesh.errors import RequestIdReused
from mesh.idempotency import Replayed, once, prune, request_table
from mesh.uow import UnitOfWork, open_engine

TABLE = request_table(MetaData())


async def _engine(database: str) -> AsyncEngine:
    engine = open_engine(database)
    async with engine.begin() as connection:
        await connection.run_sync(TABLE.metadata.create_all)
    return engine


async def _answer(engine: AsyncEngine, rate: int, *, request_id: str = "r", user: str = "alice") -> Score:
    """A command that takes a moment; its answer tells how it was asked."""
    CURRENT.set(Call(method="/s/Submit", principal=Principal(f"user:{user}")))
    request = SubmitScoreRequest(rate=rate, request_id=request_id)
    score = Score(rate=rate, user_id=user)
    async with UnitOfWork(engine, once=once(TABLE, request, lambda answer: answer)) as work:
        await asyncio.sleep(0.05)
        await work.commit(score)
    return score


async def test_a_repeated_request_gets_the_first_answer(database: str) -> None:
    engine = await _engine(database)
    first = await _answer(engine, 4)
    with pytest.raises(Replayed) as again:
        await _answer(engine, 4)
    assert Score.FromString(again.value.response) == first
    await engine.dispose()


async def test_a_request_id_with_another_body_is_refused(database: str) -> None:
    engine = await _engine(database)
    await _answer(engine, 4)
    with pytest.raises(RequestIdReused) as refused:
        await _answer(engine, 5)
    assert refused.value.field == "request_id"
    await engine.dispose()


async def test_a_request_id_belongs_to_its_principal(database: str) -> None:
    engine = await _engine(database)
    assert (await _answer(engine, 4)).user_id == "alice"
    assert (await _answer(engine, 5, user="bob")).user_id == "bob"
    await engine.dispose()


async def test_the_same_request_twice_at_once_acts_once(database: str) -> None:
    engine = await _engine(database)
    results = await asyncio.gather(*(_answer(engine, 4) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(result, Score) for result in results) == 1
    assert sum(isinstance(result, Replayed) for result in results) == 7
    await engine.dispose()


async def test_a_request_that_was_rolled_back_may_be_repeated(database: str) -> None:
    engine = await _engine(database)
    request = SubmitScoreRequest(rate=4, request_id="r")
    CURRENT.set(Call(method="/s/Submit", principal=Principal("user:alice")))
    with pytest.raises(RuntimeError):
        async with UnitOfWork(engine, once=once(TABLE, request, lambda answer: answer)):
            raise RuntimeError
    assert (await _answer(engine, 4)).rate == 4
    await engine.dispose()


async def test_old_answers_are_forgotten(database: str) -> None:
    engine = await _engine(database)
    await _answer(engine, 4)
    async with engine.begin() as connection:
        assert await prune(connection, TABLE, datetime.now(UTC) - timedelta(hours=1)) == 0
        assert await prune(connection, TABLE, datetime.now(UTC) + timedelta(hours=1)) == 1
    await engine.dispose()


def test_a_request_without_an_id_takes_no_part() -> None:
    assert once(TABLE, SubmitScoreRequest(rate=4), lambda answer: answer) is None
