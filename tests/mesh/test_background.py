"""Tasks beside a server's calls."""

import asyncio
import itertools

import pytest

from mesh.background import running


async def test_work_that_fails_or_ends_starts_again(caplog: pytest.LogCaptureFixture) -> None:
    lives = itertools.count(1)
    third = asyncio.Event()

    async def work() -> None:
        match next(lives):
            case 1:
                raise ZeroDivisionError
            case 2:
                return
            case _:
                third.set()
                await asyncio.Event().wait()

    async with running("work", work):
        await asyncio.wait_for(third.wait(), 10)
    assert [record.message for record in caplog.records] == [
        "work failed; it starts again",
        "work ended; it starts again",
    ]


async def test_work_ends_with_its_block() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with running("work", work):
        await asyncio.sleep(0)
    assert ended.is_set()
