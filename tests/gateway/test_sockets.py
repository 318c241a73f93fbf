"""WebSocket: gateway.md, "bidi over WebSocket", with the conventions that gateway/sockets.py documents."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.gateway.contracts import Message, library_message
from tests.gateway.http import Response
from tests.gateway.serving import Running, running_library
from tests.gateway.sockets import hear, say, socket
from tests.gateway.test_requests import echo, never

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALK = "/v1/talks/t"
Inner = library_message("Inner")


async def echo_and_linger(requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
    """A cancelled call ends the requests first, and its handler a moment later."""
    async for one in requests:
        yield one
    await asyncio.Event().wait()


async def test_messages_go_both_ways_as_they_come(running: Running) -> None:
    running.library.stream = echo

    async with socket(running.port, TALK) as connection:
        for number in (1, 2, 3):
            await say(connection, {"number": number})
            assert await connection.recv() == f'{{"text":"t","number":{number}}}'
        await connection.send("")

        assert await hear(connection) == ([], 1000)


async def test_an_empty_frame_half_closes_and_the_answers_still_come(running: Running) -> None:
    async def backwards(requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
        for one in reversed([request async for request in requests]):
            yield one

    running.library.stream = backwards

    async with socket(running.port, TALK) as connection:
        await say(connection, {"number": 1}, {"number": 2})
        await connection.send("")
        heard, code = await hear(connection)

    assert ([one["number"] for one in heard], code) == ([2, 1], 1000)


async def test_headers_reach_the_service(running: Running) -> None:
    running.library.stream = echo

    async with socket(running.port, TALK, {"authorization": "Bearer abc"}) as connection:
        await connection.send("")
        await hear(connection)

    assert running.library.metadata["authorization"] == "Bearer abc"


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ('{"numbr": 1}', "message 1: numbr: unknown field; did you mean number?"),
        ("{", "message 1: malformed JSON"),
        ("[]", "message 1: expected an object, got []"),
        (b"{}", "A message is a text frame."),
    ],
)
async def test_a_frame_that_is_no_message_is_refused_in_band(
    running: Running, frame: str | bytes, message: str
) -> None:
    running.library.stream = echo_and_linger

    async with socket(running.port, TALK) as connection:
        await connection.send(frame)
        heard, code = await hear(connection)

    assert (message in heard[0]["error"]["message"], code) == (True, 4400), heard
    await asyncio.wait_for(running.library.cancelled.wait(), 5)


async def test_a_frame_beyond_the_limit_closes_with_the_protocols_own_code(tmp_path: Path) -> None:
    # RFC 6455 section 7.4.1: 1009 is a message that is too big.
    async with running_library(tmp_path, max_body_bytes=1000) as running:
        running.library.stream = echo_and_linger
        async with socket(running.port, TALK) as connection:
            await say(connection, {})
            await connection.recv()
            await connection.send('{"number": 1%s}' % (" " * 1000))
            assert await hear(connection) == ([], 1009)
        await asyncio.wait_for(running.library.cancelled.wait(), 5)


@pytest.mark.parametrize("polite", [True, False])
async def test_a_client_that_goes_away_cancels_the_call(running: Running, polite: bool) -> None:
    running.library.stream = echo_and_linger

    async with socket(running.port, TALK) as connection:
        await say(connection, {})
        await connection.recv()
        if polite:
            await connection.close()
        else:
            connection.transport.abort()

        await asyncio.wait_for(running.library.cancelled.wait(), 5)


async def test_a_client_that_goes_away_after_its_half_close_cancels_the_call(running: Running) -> None:
    running.library.stream = never

    async with socket(running.port, TALK) as connection:
        await connection.send("")
        async with asyncio.timeout(5):
            while not running.library.seen:
                await asyncio.sleep(0.01)

    await asyncio.wait_for(running.library.cancelled.wait(), 5)


async def test_a_deadline_ends_the_stream_in_band(running: Running) -> None:
    running.library.stream = never

    async with socket(running.port, TALK, {"grpc-timeout": "100m"}) as connection:
        heard, code = await hear(connection)

    assert (heard[0]["error"]["status"], code) == ("DEADLINE_EXCEEDED", 4504)


@pytest.mark.parametrize(
    ("target", "headers", "status", "reason"),
    [
        ("/v1/nowhere", {}, 404, "NO_ROUTE"),
        ("/v1/books/b1", {}, 404, "NO_ROUTE"),
        ("/healthz", {}, 404, "NO_ROUTE"),
        (TALK, {"origin": "https://evil.example"}, 403, "ORIGIN_NOT_ALLOWED"),
        (TALK, {"origin": "null"}, 403, "ORIGIN_NOT_ALLOWED"),
        (TALK, {"grpc-timeout": "soon"}, 400, "INVALID_HEADER"),
        ("/v1/talks/%ff", {}, 400, "MALFORMED_PATH"),
    ],
)
async def test_a_handshake_is_refused_with_an_http_error(
    running: Running, caplog: pytest.LogCaptureFixture, target: str, headers: dict[str, str], status: int, reason: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket(running.port, target, headers):
            pass

    response = refused.value.response
    assert (response.status_code, Response(status, {}, bytes(response.body or b"")).reason) == (status, reason)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_pages_of_the_own_origin_and_of_allowed_ones_may_connect(tmp_path: Path) -> None:
    async with running_library(tmp_path, allowed_origins=("https://app.example",)) as running:
        running.library.stream = echo
        for origin in (f"http://127.0.0.1:{running.port}", "https://app.example", "HTTPS://App.Example"):
            async with socket(running.port, TALK, {"origin": origin}) as connection:
                await connection.send("")
                assert await hear(connection) == ([], 1000)
