"""How large and how slow a request may be, and what the client hears who goes beyond: gateway.md, "header-size and
slow-client limits"."""

import asyncio
import gc
import json
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.gateway.contracts import Message
from tests.gateway.http import Connection, Response, request
from tests.gateway.serving import Running, running_library
from tests.gateway.test_requests import COLLECT, NDJSON, echo, never, titles

pytestmark = pytest.mark.asyncio(loop_scope="module")

GET = b"GET /v1/echo HTTP/1.1\r\nhost: x\r\n"
POST = b"POST /v1/echo HTTP/1.1\r\nhost: x\r\n"
CHUNKED = {**NDJSON, "transfer-encoding": "chunked"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def impatient_gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    limits = {"head_timeout": 0.3, "body_timeout": 0.3, "body_rate": 10_000, "heartbeat": 0.1}
    async with running_library(tmp_path_factory.mktemp("gateway"), max_head_bytes=4096, max_headers=20, **limits) as it:
        yield it


@pytest.fixture
def impatient(impatient_gateway: Running) -> Running:
    """A gateway that waits for 0.3 s, and takes heads of 4 KiB."""
    library = impatient_gateway.library
    library.act = library.stream = None
    library.seen.clear()
    library.cancelled.clear()
    return impatient_gateway


async def sent(port: int, *pieces: bytes) -> Connection:
    """A connection on which each piece was sent by itself."""
    connection = await Connection.open(port)
    for piece in pieces:
        connection.writer.write(piece)
        await connection.writer.drain()
        await asyncio.sleep(0)
    return connection


async def last_answer(connection: Connection) -> Response:
    """The answer after which the connection ends."""
    async with asyncio.timeout(10):
        response = await connection.response()
        assert await connection.reader.read() == b""
    connection.close()
    return response


def header(size: int) -> bytes:
    return b"x-a: %s\r\n" % (b"a" * (size - len("x-a: \r\n")))


ROOM = 4096 - len(GET) - len("\r\n")


async def one_then_silence(requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
    yield await anext(requests)
    await asyncio.Event().wait()


# Heads ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces", "status", "reason"),
    [
        ([GET, header(ROOM), b"\r\n"], 200, None),
        ([GET, header(ROOM + 1), b"\r\n"], 431, "HEADERS_TOO_LARGE"),
        ([GET + header(ROOM) + b"\r\n"], 200, None),
        ([GET + header(ROOM + 1) + b"\r\n"], 431, "HEADERS_TOO_LARGE"),
        ([GET + header(64 * 1024) + b"\r\n"], 431, "HEADERS_TOO_LARGE"),
        ([GET, b"x-a: ", *[b"a" * 1000] * 5], 431, "HEADERS_TOO_LARGE"),
        ([b"GET /v1/echo?text=%s HTTP/1.1\r\nhost: x\r\n\r\n" % (b"a" * 4000)], 200, None),
        ([b"GET /v1/echo?text=%s HTTP/1.1\r\nhost: x\r\n\r\n" % (b"a" * 5000)], 414, "TARGET_TOO_LONG"),
        ([b"GET /v1/echo?text=", *[b"a" * 1000] * 5], 414, "TARGET_TOO_LONG"),
        ([GET, *[b"x: y\r\n"] * 19, b"\r\n"], 200, None),
        ([GET, *[b"x: y\r\n"] * 20, b"\r\n"], 431, "TOO_MANY_HEADERS"),
        ([b"\r\n" * 3000], 431, "HEADERS_TOO_LARGE"),
    ],
)
async def test_a_head_has_a_largest_size(
    impatient: Running, pieces: list[bytes], status: int, reason: str | None
) -> None:
    connection = await sent(impatient.port, *pieces)

    response = await (connection.response() if status == 200 else last_answer(connection))
    connection.close()

    assert (response.status, response.reason if reason else None) == (status, reason)


@pytest.mark.parametrize("body", [b"", b'{"text": "a"}'])
async def test_a_request_may_come_byte_by_byte(impatient: Running, body: bytes) -> None:
    raw = (POST + b"content-length: %d\r\n" % len(body) if body else GET) + b"\r\n" + body
    connection = await sent(impatient.port, *(raw[at : at + 1] for at in range(len(raw))))

    response = await connection.response()
    connection.close()

    assert (response.status, response.json) == (200, {"text": "a"} if body else {})


@pytest.mark.parametrize("before", [b"", GET + b"\r\n"])
async def test_a_head_that_does_not_end_is_a_408(impatient: Running, before: bytes) -> None:
    connection = await sent(impatient.port, before, GET)
    if before:
        assert (await connection.response()).status == 200

    response = await last_answer(connection)

    assert (response.status, response.reason) == (408, "HEADERS_TIMEOUT")
    assert response.error["message"] == "The headers took longer than 0.3 s."


@pytest.mark.parametrize("pieces", [[], [b"\r\n"]])
async def test_a_connection_on_which_nothing_comes_is_closed(impatient: Running, pieces: list[bytes]) -> None:
    connection = await sent(impatient.port, *pieces)

    assert await asyncio.wait_for(connection.reader.read(), 5) == b""
    connection.close()


async def test_line_feeds_do_not_keep_a_connection_open(impatient: Running) -> None:
    connection = await sent(impatient.port, GET, b"\r\n")
    await connection.response()

    connection.writer.write(b"\r\n")

    assert await asyncio.wait_for(connection.reader.read(), 5) == b""
    connection.close()


async def test_a_kept_connection_may_rest_longer_than_a_head(impatient: Running) -> None:
    connection = await sent(impatient.port, GET, b"\r\n")
    await connection.response()
    await asyncio.sleep(0.5)

    connection.writer.write(GET + b"\r\n")

    assert (await connection.response()).status == 200
    connection.close()


async def test_a_slow_service_is_not_the_clients_fault(impatient: Running) -> None:
    async def act(request: Message, context: Any) -> Message:
        await asyncio.sleep(0.5)
        return request

    impatient.library.act = act

    assert (await request(impatient.port, "POST", "/v1/echo", {}, b"{}")).status == 200


async def test_what_is_refused_is_counted(impatient: Running) -> None:
    await last_answer(await sent(impatient.port, GET + header(5000)))

    metrics = (await request(impatient.port, "GET", "/metrics")).body.decode()

    assert 'gateway_requests_total{code="INVALID_ARGUMENT",http_status="431",route="none"}' in metrics


# Bodies ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("framing", [b"content-length: 10\r\n\r\n", b"transfer-encoding: chunked\r\n\r\na\r\n"])
@pytest.mark.parametrize("begun", [b"", b"{"])
async def test_silence_in_a_body_is_a_408(impatient: Running, framing: bytes, begun: bytes) -> None:
    connection = await sent(impatient.port, POST + framing, begun)

    response = await last_answer(connection)

    assert (response.status, response.reason, response.fields) == (408, "BODY_TIMEOUT", ["body"])
    assert not impatient.library.seen


async def test_a_trickle_is_a_408(impatient: Running) -> None:
    connection = await sent(impatient.port, POST + b"content-length: 100000\r\n\r\n")
    answer = asyncio.create_task(last_answer(connection))
    for _ in range(100):  # of 200 bytes a second
        connection.writer.write(b"1234567890")
        await asyncio.wait({answer}, timeout=0.05)
        if answer.done():
            break
    response = await answer

    assert (response.status, response.reason) == (408, "BODY_TOO_SLOW")
    assert response.error["message"] == "The body came more slowly than 10000 bytes a second."


async def test_silence_in_a_client_stream_is_a_408(impatient: Running) -> None:
    impatient.library.stream = titles
    connection = await Connection.open(impatient.port)
    connection.send("POST", COLLECT, CHUNKED, b"3\r\n{}\n\r\n")

    response = await last_answer(connection)

    assert (response.status, response.reason) == (408, "BODY_TIMEOUT")
    await asyncio.wait_for(impatient.library.cancelled.wait(), 5)


async def test_a_client_stream_may_trickle(impatient: Running) -> None:
    impatient.library.stream = titles
    connection = await Connection.open(impatient.port)
    connection.send("POST", COLLECT, CHUNKED, b"")
    for _ in range(8):
        await asyncio.sleep(0.1)
        connection.writer.write(b"1\r\n\n\r\n")
    connection.writer.write(b"0\r\n\r\n")

    assert (await connection.response()).status == 200
    connection.close()


async def test_who_gets_answers_may_be_silent(impatient: Running) -> None:
    impatient.library.stream = echo
    connection = await Connection.open(impatient.port)
    connection.send("POST", "/v1/talks/t", {**CHUNKED, "accept": "text/event-stream"}, b"3\r\n{}\n\r\n")
    assert (await connection.head())[0] == 200
    chunks = connection.chunks()
    await anext(chunks)

    beats = [await anext(chunks) for _ in range(6)]
    connection.writer.write(b'e\r\n{"number": 2}\n\r\n0\r\n\r\n')
    rest = b"".join([chunk async for chunk in chunks])
    connection.close()

    assert beats == [b":\n\n"] * 6
    assert b'"number":2' in rest


@pytest.mark.parametrize(
    "endless",
    [
        b"1;%s" % (b"a" * 1000),
        b"1\r\n{\r\n0\r\nx-a: %s" % (b"a" * 1000),
        b"1\r\n{\r\n0\r\n" + b"x-a: a\r\n" * 200,
    ],
)
async def test_what_is_between_chunks_has_a_largest_size(impatient: Running, endless: bytes) -> None:
    connection = await sent(impatient.port, POST + b"transfer-encoding: chunked\r\n\r\n", endless)
    for _ in range(10):
        connection.writer.write(b"x-a: a\r\n" * 200 if endless.endswith(b"\n") else b"a" * 1000)

    response = await last_answer(connection)

    assert response.status == 431


async def test_trailers_are_not_headers(impatient: Running) -> None:
    body = b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nauthorization: Bearer x\r\n\r\n"
    connection = await sent(impatient.port, POST + body)

    assert (await connection.response()).status == 200
    connection.close()
    assert "authorization" not in impatient.library.metadata


@pytest.mark.parametrize("size", [2_000_000, 50_000_000])
async def test_who_sends_too_much_hears_it_although_he_does_not_listen(impatient: Running, size: int) -> None:
    connection = await sent(impatient.port, POST + b"content-length: %d\r\n\r\n" % size)
    for _ in range(size // 1_000_000):
        connection.writer.write(b"x" * 1_000_000)
        await connection.writer.drain()

    response = await last_answer(connection)

    assert (response.status, response.reason) == (413, "BODY_TOO_LARGE")
    assert response.headers["connection"] == "close"


async def test_who_waits_for_100_is_refused_before_he_sends(impatient: Running) -> None:
    connection = await sent(impatient.port, POST + b"expect: 100-continue\r\ncontent-length: 50000000\r\n\r\n")

    assert (await last_answer(connection)).status == 413


async def test_a_body_that_breaks_in_mid_stream_ends_it_in_band(impatient: Running) -> None:
    impatient.library.stream = one_then_silence
    connection = await Connection.open(impatient.port)
    connection.send("POST", "/v1/talks/t", CHUNKED, b"3\r\n{}\n\r\n")
    await connection.head()
    chunks = connection.chunks()
    await anext(chunks)

    connection.writer.write(b"no size\r\n")
    error = json.loads(await anext(chunks))["error"]

    assert [chunk async for chunk in chunks] == []
    assert await connection.reader.read() == b""
    connection.close()
    assert (error["code"], error["details"][0]["reason"]) == (400, "MALFORMED_REQUEST")
    await asyncio.wait_for(impatient.library.cancelled.wait(), 5)


# Clients that go away, or take nothing --------------------------------------------------------------------------------


async def test_a_client_that_goes_away_is_noticed_while_the_service_takes_nothing(impatient: Running) -> None:
    impatient.library.stream = never
    connection = await Connection.open(impatient.port)
    connection.send("POST", COLLECT, CHUNKED, b"")
    line = b'{"title":"%s"}\n' % (b"x" * 60_000)
    connection.writer.write(b"%x\r\n%s\r\n" % (len(line), line) * 2_000)
    async with asyncio.timeout(10):
        while not impatient.library.seen:
            await asyncio.sleep(0.01)

    connection.reset()

    await asyncio.wait_for(impatient.library.cancelled.wait(), 5)


async def test_a_client_that_takes_no_answers_is_dropped(tmp_path: Path) -> None:
    async with running_library(tmp_path, stall=0.3) as running:
        text = b'{"text": "%s"}' % (b"x" * 900_000)
        connection = await Connection.open(running.port)
        connection.pause()
        for _ in range(20):
            connection.writer.write(POST + b"content-length: %d\r\n\r\n%s" % (len(text), text))

        async with asyncio.timeout(20):
            while not running.library.seen or running.server.server_state.connections:
                await asyncio.sleep(0.01)
        connection.close()

    assert len(running.library.seen) < 20


@pytest.mark.parametrize(
    "raw",
    [
        GET + b"\r\n",
        GET,
        b"nonsense",
        POST + b"content-length: 5\r\n\r\n{",
        POST + b"content-length: 5000000\r\n\r\n{",
        POST + b"transfer-encoding: chunked\r\n\r\nno size\r\n",
    ],
)
async def test_what_a_connection_cost_is_free_when_it_ends(impatient: Running, raw: bytes) -> None:
    open_before = impatient.server.server_state.connections.copy()
    gc.disable()  # it would find what holds itself, but late
    try:
        connection = await sent(impatient.port, raw)
        async with asyncio.timeout(10):
            while not (opened := impatient.server.server_state.connections - open_before):
                await asyncio.sleep(0)
            held = weakref.ref(opened.pop())
            await connection.reader.read(1)
            connection.close()
            while held() is not None:
                await asyncio.sleep(0.01)
    finally:
        gc.enable()


# Connections ----------------------------------------------------------------------------------------------------------


async def test_a_connection_too_many_is_a_503_until_another_ends(tmp_path: Path) -> None:
    async with running_library(tmp_path, max_connections=3) as running:
        connections = [await sent(running.port, GET + b"\r\n") for _ in range(3)]
        assert [(await connection.response()).status for connection in connections] == [200] * 3

        refused = await last_answer(await sent(running.port, GET + b"\r\n"))
        connections.pop().close()
        async with asyncio.timeout(5):
            while len(running.server.server_state.connections) > 2:
                await asyncio.sleep(0.01)
        served = await request(running.port, "GET", "/v1/echo")
        for connection in connections:
            connection.close()

    assert (refused.status, refused.error["status"], refused.reason) == (503, "UNAVAILABLE", "TOO_MANY_CONNECTIONS")
    assert refused.headers["retry-after"] == "1"
    assert served.status == 200
