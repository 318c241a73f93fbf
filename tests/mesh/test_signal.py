"""Rings inside one process, and between replicas over a real database."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import text

from mesh.background import running
from mesh.signal import Signal
from mesh.uow import open_engine

_CUT_THE_OTHERS = text(
    """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
)


@asynccontextmanager
async def _carried(signal: Signal) -> AsyncGenerator[Signal]:
    async with running("signal", signal.run):
        await _until_carried(signal)
        yield signal


async def _until_carried(signal: Signal) -> None:
    async with asyncio.timeout(10):
        while not signal.is_carried:
            await asyncio.sleep(0.01)


async def test_a_ring_wakes_those_who_listen_to_its_key_and_no_other(database: str) -> None:
    signal = Signal(database, "test")
    with signal.listen("a") as heard, signal.listen("b") as other:
        signal.ring("a")
        assert (heard.is_set(), other.is_set()) == (True, False)
    assert not signal.is_heard("a")


async def test_who_listens_to_all_but_some_keys_hears_every_other_and_the_ring_for_everybody(database: str) -> None:
    signal = Signal(database, "test")
    with signal.listen_to_all_but(["busy"]) as heard:
        signal.ring("busy")
        assert not heard.is_set()
        signal.ring("free")
        assert heard.is_set()
        heard.clear()
        signal.ring()
        assert heard.is_set()
        assert (signal.is_heard("busy"), signal.is_heard("free")) == (False, True)
    assert not signal.is_heard("free")


async def test_a_ring_does_not_come_back_as_an_echo(database: str) -> None:
    async with _carried(Signal(database, "test")) as here, _carried(Signal(database, "test")) as there:
        with here.listen("a") as rung, there.listen("a") as heard, there.listen("b") as after:
            heard.clear()
            here.ring("a")
            rung.clear()
            await asyncio.wait_for(heard.wait(), 5)
            here.ring("b")  # what comes after the echo of "a" would have come
            await asyncio.wait_for(after.wait(), 5)
            assert not rung.is_set()


async def test_a_ring_reaches_other_replicas_by_its_key(database: str) -> None:
    async with _carried(Signal(database, "test")) as here, _carried(Signal(database, "test")) as there:
        with there.listen("a") as heard, there.listen("b") as other:
            other.clear()
            heard.clear()
            here.ring("a")
            await asyncio.wait_for(heard.wait(), 5)
            assert not other.is_set()


async def test_more_keys_than_a_notification_holds_wake_everybody(database: str) -> None:
    async with _carried(Signal(database, "test")) as here, _carried(Signal(database, "test")) as there:
        with there.listen("one of the many") as heard:
            heard.clear()
            for n in range(2000):
                here.ring(f"a rather long key, number {n}")
            await asyncio.wait_for(heard.wait(), 5)


async def test_a_lost_connection_is_replaced_and_everybody_looks_again(database: str) -> None:
    async with _carried(Signal(database, "test")) as signal:
        with signal.listen("a") as heard:
            heard.clear()
            engine = open_engine(database, pool_size=1)
            async with engine.connect() as connection:
                await connection.execute(_CUT_THE_OTHERS)
            await engine.dispose()
            signal.ring("b")  # makes it use the connection
            await asyncio.wait_for(heard.wait(), 10)
