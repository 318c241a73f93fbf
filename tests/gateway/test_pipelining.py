"""Requests that are sent before the answers to those before them: RFC 9112 section 9.3.2. Every one is answered, in
order, and those that wait cost their client's memory."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.contracts import Message
from tests.gateway.http import Connection
from tests.gateway.serving import Running, running_library
from tests.gateway.test_streams import one_then_silence

pytestmark = pytest.mark.asyncio(loop_scope="module")


def get(text: str) -> bytes:
    return b"GET /v1/echo/%s HTTP/1.1\r\nhost: x\r\n\r\n" % text.encode()


def post(text: str) -> bytes:
    body = b'{"text": "%s"}' % text.encode()
    return b"POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def chunked(text: str) -> bytes:
    body = b'{"text": "%s"}' % text.encode()
    head = b"POST /v1/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\nx-a: trailer\r\n\r\n" % (len(body), body)


async def first_is_slowest(request: Message, context: Any) -> Message:
    await asyncio.sleep(0.1 if request.text == "t0" else 0)
    return request


@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_requests_of_every_kind_are_answered_in_order(running: Running, size: int) -> None:
    running.library.act = first_is_slowest
    kinds = [get, post, chunked, chunked, get, post, get, get]
    raw = b"".join(kind(f"t{number}") for number, kind in enumerate(kinds))
    connection = await Connection.open(running.port)
    for at in range(0, len(raw), size):
        connection.writer.write(raw[at : at + size])
        await asyncio.sleep(0)

    texts = [(await connection.response()).json["text"] for _ in kinds]
    connection.close()

    assert texts == [f"t{number}" for number in range(len(kinds))]


async def test_many_small_ones_behind_a_chunked_one_are_answered(running: Running) -> None:
    running.library.act = first_is_slowest
    connection = await Connection.open(running.port)
    connection.writer.write(chunked("t0") + b"".join(get(f"t{number}") for number in range(1, 300)))

    texts = [(await connection.response()).json["text"] for _ in range(300)]
    connection.close()

    assert texts == [f"t{number}" for number in range(300)]


@pytest.mark.parametrize("first", [get, post, chunked])
async def test_what_is_no_request_is_refused_after_the_answers_before_it(running: Running, first: Any) -> None:
    running.library.act = first_is_slowest
    connection = await Connection.open(running.port)
    connection.writer.write(first("t0") + b"no request\r\n\r\n" + get("t1"))

    answers = [await connection.response(), await connection.response()]

    assert await connection.reader.read() == b""
    connection.close()
    assert [answer.status for answer in answers] == [200, 400]


async def test_nothing_is_answered_after_a_close(running: Running) -> None:
    connection = await Connection.open(running.port)
    connection.writer.write(get("t0").replace(b"host", b"connection: close\r\nhost") + get("t1"))

    assert (await connection.response()).json["text"] == "t0"
    assert await connection.reader.read() == b""
    connection.close()


async def test_those_that_wait_cost_their_client_memory(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def act(request: Message, context: Any) -> Message:
        await release.wait()
        return request

    async with running_library(tmp_path, unary_deadline=60) as running:
        running.library.act = act
        connection = await Connection.open(running.port)
        raw = b"".join(get(f"t{number}").replace(b"host", b"x: %s\r\nhost" % (b"x" * 30_000)) for number in range(1000))
        connection.writer.write(raw)
        async with asyncio.timeout(10):
            while not running.library.seen:
                await asyncio.sleep(0.01)
        left = -1
        while left != (left := connection.writer.transport.get_write_buffer_size()):
            await asyncio.sleep(0.3)
        seen = len(running.library.seen)

        release.set()
        texts = [(await connection.response()).json["text"] for _ in range(1000)]
        connection.close()

    assert (seen, texts) == (1, [f"t{number}" for number in range(1000)])
    assert left > len(raw) // 2  # the rest is in the kernel's buffers


@pytest.mark.parametrize("waiting", [1, 10_000])
async def test_a_client_that_goes_away_cancels_the_call_whatever_waits_behind_it(
    running: Running, waiting: int
) -> None:
    running.library.stream = one_then_silence
    connection = await Connection.open(running.port)
    watch = b"GET /v1/books/b1:watch HTTP/1.1\r\nhost: x\r\n\r\n"
    connection.writer.write(watch + get("t") * waiting)
    await connection.head()

    connection.reset()

    await asyncio.wait_for(running.library.cancelled.wait(), 5)
