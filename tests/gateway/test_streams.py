"""Server streams: three forms, ids and resumption, errors in-band, heartbeats, back-pressure, and the ways to end."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
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


async def one_then_error(request: Message, context: Any) -> AsyncIterator[Message]:
    yield library_message("Book")(version=1)
    await context.abort(grpc.StatusCode.DATA_LOSS, "burnt")


async def one_then_silence(request: Message, context: Any) -> AsyncIterator[Message]:
    yield library_message("Book")(version=1)
    await asyncio.Event().wait()


async def silence(request: Message, context: Any) -> AsyncIterator[Message]:
    await asyncio.Event().wait()
    yield


async def test_events_carry_the_version_as_their_id(running: Running) -> None:
    running.library.stream = three

    response = await request(running.port, "GET", WATCH, SSE)

    assert response.headers["content-type"] == "text/event-stream"
    assert (response.headers["cache-control"], response.headers["vary"]) == ("no-cache", "accept")
    assert response.body.split(b"\n\n") == [
        b'id: 1\ndata: {"title":"Emma","version":"1"}',
        b'id: 2\ndata: {"title":"Emma","version":"2"}',
        b'id: 3\ndata: {"title":"Emma","version":"3"}',
        b"",
    ]


@pytest.mark.parametrize("accept", [{}, {"accept": "*/*"}, {"accept": "application/x-ndjson"}])
async def test_lines_are_the_default(running: Running, accept: dict[str, str]) -> None:
    running.library.stream = three

    response = await request(running.port, "GET", WATCH, accept)

    assert response.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["version"] for line in response.body.splitlines()] == ["1", "2", "3"]


async def test_an_array_is_one_json_text(running: Running) -> None:
    running.library.stream = three

    response = await request(running.port, "GET", WATCH, {"accept": "application/json"})
    empty = await request(running.port, "GET", f"{WATCH}?afterVersion=3", {"accept": "application/json"})

    assert [book["version"] for book in response.json] == ["1", "2", "3"]
    assert empty.json == []


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


async def test_last_event_id_resumes_the_stream(running: Running) -> None:
    running.library.stream = three

    resumed = await request(running.port, "GET", WATCH, {**SSE, "last-event-id": "2"})
    both = await request(running.port, "GET", f"{WATCH}?afterVersion=1", {**SSE, "last-event-id": "2"})
    bad = await request(running.port, "GET", WATCH, {**SSE, "last-event-id": "x"})

    assert resumed.body.startswith(b"id: 3\n")
    assert both.body.startswith(b"id: 3\n")
    assert (bad.status, bad.fields) == (400, ["last-event-id"])


async def test_an_error_before_the_first_message_keeps_its_status(running: Running) -> None:
    async def refuse(request: Message, context: Any) -> AsyncIterator[Message]:
        await context.abort(grpc.StatusCode.NOT_FOUND, "no such book")
        yield

    running.library.stream = refuse

    response = await request(running.port, "GET", WATCH, SSE)

    assert (response.status, response.error["message"]) == (404, "no such book")


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson", "application/json"])
async def test_an_error_after_the_first_message_arrives_in_band(running: Running, accept: str) -> None:
    running.library.stream = one_then_error

    response = await request(running.port, "GET", WATCH, {"accept": accept})

    assert response.status == 200
    last = response.body.splitlines()[-2:] if accept == "text/event-stream" else response.body.splitlines()[-1:]
    error = json.loads(last[0].removeprefix(b"data: "))
    error = error[-1] if accept == "application/json" else error
    assert (error["error"]["message"], error["error"]["code"]) == ("burnt", 500)


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


async def test_grpc_timeout_ends_a_stream_in_band(running: Running) -> None:
    running.library.stream = one_then_silence

    response = await request(running.port, "GET", WATCH, {"grpc-timeout": "100m"})

    assert json.loads(response.body.splitlines()[-1])["error"]["status"] == "DEADLINE_EXCEEDED"


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
