"""Server streams: three forms, ids and resumption, errors in-band, heartbeats, back-pressure, and the ways to end."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.framing import EventStream, Framing, JsonArray, framing_for
from tests.gateway.contracts import Message, library_message
from tests.gateway.http import Connection, request
from tests.gateway.serving import Running, running_library

pytestmark = pytest.mark.asyncio(loop_scope="module")

WATCH = "/v1/books/b1:watch"
SSE = {"accept": "text/event-stream"}


async def three(request: Message, context: Any) -> AsyncIterator[Message]:
    for version in (1, 2, 3):
        if version > request.after_version:
            yield library_message("Book")(title="Emma", version=version)


async def one_then_silence(request: Message, context: Any) -> AsyncIterator[Message]:
    yield library_message("Book")(version=1)
    await asyncio.Event().wait()


async def silence(request: Message, context: Any) -> AsyncIterator[Message]:
    await asyncio.Event().wait()
    yield


@pytest.mark.parametrize(
    ("accept", "framing"),
    [
        (b"text/event-stream", EventStream),
        (b"Text/Event-Stream; charset=utf-8", EventStream),
        (b"application/json, text/event-stream", JsonArray),
        (b"application/json;q=0.5, text/event-stream", EventStream),
        (b"text/event-stream;q=0, application/json;q=0.1", JsonArray),
        (b"application/jsonl", Framing),
        (b"image/png", Framing),
        (b"text/event-stream;q=x", Framing),
        (b"\xff,;=", Framing),
    ],
)
async def test_accept_chooses(accept: bytes, framing: type[Framing]) -> None:
    assert framing_for(accept) is framing


async def test_a_silent_stream_beats(running: Running) -> None:
    running.library.stream = one_then_silence
    connection = await Connection.open(running.port)
    connection.send("GET", WATCH, SSE)
    await connection.head()
    chunks = connection.chunks()

    assert (await anext(chunks)).startswith(b"id: 1\n")
    assert [await anext(chunks), await anext(chunks)] == [b":\n\n", b":\n\n"]
    connection.close()


async def test_a_stream_without_a_first_message_begins_all_the_same(running: Running) -> None:
    running.library.stream = silence
    connection = await Connection.open(running.port)
    connection.send("GET", WATCH, SSE)

    assert (await connection.head())[0] == 200
    connection.close()


async def test_head_of_a_stream_has_headers_and_no_stream(running: Running) -> None:
    running.library.stream = one_then_silence

    response = await request(running.port, "HEAD", WATCH, SSE)

    assert (response.status, response.headers["content-type"]) == (200, "text/event-stream")
    await asyncio.wait_for(running.library.cancelled.wait(), 5)


async def test_a_client_that_goes_away_cancels_the_stream(running: Running) -> None:
    running.library.stream = one_then_silence
    connection = await Connection.open(running.port)
    connection.send("GET", WATCH, SSE)
    await connection.head()

    connection.close()

    await asyncio.wait_for(running.library.cancelled.wait(), 5)


async def test_a_client_that_stops_reading_holds_the_service_back_and_is_dropped(tmp_path: Path) -> None:
    sent = 0

    async def flood(request: Message, context: Any) -> AsyncIterator[Message]:
        nonlocal sent
        while True:
            sent += 1
            yield library_message("Book")(title="x" * 60_000, version=sent)

    async with running_library(tmp_path, stall=0.3) as running:
        running.library.stream = flood
        connection = await Connection.open(running.port)
        connection.send("GET", WATCH, SSE)
        await connection.head()
        connection.pause()

        await asyncio.wait_for(running.library.cancelled.wait(), 20)
        async with asyncio.timeout(20):
            while running.server.server_state.connections:
                await asyncio.sleep(0.01)
        connection.close()

    assert sent < 2_000  # 120 MB; without back-pressure it is whatever the service can send


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson", "application/json"])
async def test_a_stop_ends_open_streams_with_an_error_and_soon(tmp_path: Path, accept: str) -> None:
    async with running_library(tmp_path) as running:
        running.library.stream = one_then_silence
        connections = [await Connection.open(running.port) for _ in range(20)]
        for connection in connections:
            connection.send("GET", WATCH, {"accept": accept})
        for connection in connections:
            await connection.head()
            await connection.reader.readuntil(b"}")
        started = asyncio.get_running_loop().time()
        running.server.should_exit = True
        ends = [await connection.reader.read() for connection in connections]
        seconds = asyncio.get_running_loop().time() - started
        for connection in connections:
            connection.close()

    assert all(b"DRAINING" in end and end.endswith(b"0\r\n\r\n") for end in ends)
    assert seconds < 4
