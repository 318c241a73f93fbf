"""Client streams and bidi streams over HTTP: gateway.md, "client streaming: NDJSON or JSON array body"."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.gateway.contracts import Message, library_message
from tests.gateway.http import Connection, request
from tests.gateway.serving import Running, running_library

pytestmark = pytest.mark.asyncio(loop_scope="module")

COLLECT = "/v1/shelves/s1:collect"
NDJSON = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}


async def titles(requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
    """Answers with the titles and shelves that came."""
    taken = [request async for request in requests]
    yield library_message("Everything")(
        tags=[one.book.title for one in taken], text=" ".join(f"{one.shelf}{one.note}" for one in taken)
    )


async def echo(requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
    async for one in requests:
        yield one


async def never(requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
    await asyncio.Event().wait()
    yield


async def test_a_body_field_that_is_no_message_streams_its_values(running: Running) -> None:
    # http.proto: `body` names the request field whose value is the body.
    running.library.stream = titles

    response = await request(running.port, "POST", "/v1/titles:collect", JSON, b'["a", "b"]')

    assert response.json["text"] == "a b"


async def test_a_rule_without_body_makes_one_message(running: Running) -> None:
    # http.proto: fields that are bound neither by path nor by body are query parameters.
    running.library.stream = lambda requests, context: echo(requests, context)

    response = await request(running.port, "GET", "/v1/listen/hello?number=3")
    refused = await request(running.port, "GET", "/v1/listen/hello", {}, b"{}")

    assert response.json == {"text": "hello", "number": 3}
    assert (refused.status, refused.reason) == (400, "UNEXPECTED_BODY")


@pytest.mark.parametrize(
    ("headers", "body", "status", "message"),
    [
        (NDJSON, b'{"title":"a"}\n{"titel":"b"}\n', 400, "message 2: book.titel: unknown field; did you mean title?"),
        (NDJSON, b'{"title":1}\n', 400, "message 1: book.title: expected a string, got 1"),
        (JSON, b'{"title":"a"}', 400, "malformed JSON: a stream of messages is an array"),
        (JSON, b'[{"title":"a"}', 400, "malformed JSON: the array is cut off"),
        ({"content-type": "text/csv"}, b"a,b", 415, "A stream of messages is application/x-ndjson"),
        ({**NDJSON, "content-encoding": "gzip"}, b"x", 415, "A stream must not be compressed."),
        (NDJSON, b'{"title":"' + b"x" * 1_100_000, 413, "A message is larger than 1048576 bytes."),
    ],
)
async def test_a_message_that_is_none_ends_the_call(
    running: Running, headers: dict[str, str], body: bytes, status: int, message: str
) -> None:
    running.library.stream = titles

    response = await request(running.port, "POST", COLLECT, headers, body)

    assert (response.status, message in response.error["message"]) == (status, True), response.error


async def test_a_stream_may_be_larger_than_the_largest_body(running: Running) -> None:
    running.library.stream = titles
    line = b'{"title":"%s"}\n' % (b"x" * 10_000)

    response = await request(running.port, "POST", COLLECT, NDJSON, line * 300)

    assert (response.status, len(response.json["tags"])) == (200, 300)


async def test_a_refusal_of_the_service_is_the_answer_before_the_body_has_ended(running: Running) -> None:
    async def refuse(requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
        await anext(requests)
        await context.abort(grpc.StatusCode.ALREADY_EXISTS, "taken")
        yield

    running.library.stream = refuse
    connection = await Connection.open(running.port)
    connection.send("POST", COLLECT, {**NDJSON, "transfer-encoding": "chunked"}, b"3\r\n{}\n\r\n")

    response = await connection.response()
    connection.close()

    assert (response.status, response.error["message"]) == (409, "taken")


async def test_a_client_that_goes_away_in_mid_body_cancels_the_call(running: Running) -> None:
    running.library.stream = titles
    connection = await Connection.open(running.port)
    connection.send("POST", COLLECT, {**NDJSON, "transfer-encoding": "chunked"}, b"3\r\n{}\n\r\n")
    async with asyncio.timeout(5):
        while not running.library.seen:
            await asyncio.sleep(0.01)

    connection.close()

    await asyncio.wait_for(running.library.cancelled.wait(), 5)


async def test_a_client_that_goes_away_after_its_body_cancels_the_call(running: Running) -> None:
    running.library.stream = never
    connection = await Connection.open(running.port)
    connection.send("POST", COLLECT, NDJSON, b"{}\n")
    async with asyncio.timeout(5):
        while not running.library.seen:
            await asyncio.sleep(0.01)

    connection.close()

    await asyncio.wait_for(running.library.cancelled.wait(), 5)


async def test_a_service_that_takes_nothing_holds_the_client_back(tmp_path: Path) -> None:
    async with running_library(tmp_path) as running:
        running.library.stream = never
        connection = await Connection.open(running.port)
        connection.send("POST", COLLECT, {**NDJSON, "transfer-encoding": "chunked"}, b"")
        line = b'{"title":"%s"}\n' % (b"x" * 60_000)
        sent = 0
        try:
            for _ in range(2_000):
                connection.writer.write(b"%x\r\n%s\r\n" % (len(line), line))
                await asyncio.wait_for(connection.writer.drain(), 1)
                sent += len(line)
        except TimeoutError:
            pass
        connection.close()

    assert sent < 30_000_000  # without back-pressure all 120 MB


async def test_a_bidi_stream_answers_while_the_body_still_comes(running: Running) -> None:
    running.library.stream = echo
    connection = await Connection.open(running.port)
    connection.send(
        "POST", "/v1/talks/t", {**NDJSON, "transfer-encoding": "chunked"}, b'd\r\n{"number": 1}\r\n1\r\n\n\r\n'
    )
    chunks = connection.chunks()

    assert (await connection.head())[0] == 200
    assert json.loads(await anext(chunks)) == {"text": "t", "number": 1}
    connection.writer.write(b'e\r\n{"number": 2}\n\r\n')
    assert json.loads(await anext(chunks)) == {"text": "t", "number": 2}
    connection.writer.write(b"0\r\n\r\n")
    assert [chunk async for chunk in chunks] == []
    connection.close()


async def test_a_bad_message_after_the_first_answer_is_refused_in_band(running: Running) -> None:
    running.library.stream = echo
    connection = await Connection.open(running.port)
    connection.send("POST", "/v1/talks/t", {**NDJSON, "transfer-encoding": "chunked"}, b"3\r\n{}\n\r\n")
    chunks = connection.chunks()
    await connection.head()
    await anext(chunks)

    connection.writer.write(b"3\r\n[]\n\r\n0\r\n\r\n")
    error = json.loads(await anext(chunks))["error"]
    connection.close()

    assert (error["code"], error["message"]) == (400, "message 2: expected an object, got []")


async def test_response_body_names_what_a_stream_answers_with(running: Running) -> None:
    # http.proto: `response_body` names the response field whose value is the body.
    running.library.stream = echo

    response = await request(running.port, "POST", "/v1/talks/t:inner", NDJSON, b'{"inner": {"number": 7}}\n{}\n')

    assert response.body.splitlines() == [b'{"number":7}', b"null"]
