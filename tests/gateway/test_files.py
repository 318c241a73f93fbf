"""Bytes that are no JSON: the comments of google/api/httpbody.proto, and gateway.md, "HttpBody out and in"."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody

from tests.gateway.contracts import Message, library_message
from tests.gateway.http import Connection, request
from tests.gateway.serving import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

BYTES = bytes(range(256))


async def parts(request: Message, context: Any) -> AsyncIterator[Message]:
    yield HttpBody(content_type="text/csv; charset=utf-8", data=b"a,b\n")
    yield HttpBody(content_type="image/png", data=b"1,2\n")


async def part_and_error(request: Message, context: Any) -> AsyncIterator[Message]:
    yield HttpBody(content_type="text/csv", data=b"a,b\n")
    await context.abort(grpc.StatusCode.DATA_LOSS, "burnt")


@pytest.mark.parametrize("content_type", ["", "nonsense", "a/b\r\nx-evil: 1", "text/ü"])
async def test_a_type_that_is_none_is_octets(running: Running, content_type: str) -> None:
    async def act(request: Message, context: Any) -> Message:
        return HttpBody(content_type=content_type, data=b"x")

    running.library.act = act

    response = await request(running.port, "GET", "/v1/files/f")

    assert (response.body, response.headers["content-type"]) == (b"x", "application/octet-stream")
    assert "x-evil" not in response.headers


async def test_an_error_after_the_first_part_breaks_the_download_off(running: Running) -> None:
    running.library.stream = part_and_error
    connection = await Connection.open(running.port)
    connection.send("GET", "/v1/files/f:download")
    assert (await connection.head())[0] == 200

    rest = await connection.reader.read()
    connection.close()

    assert rest == b"4\r\na,b\n\r\n"  # no last chunk


async def test_an_upload_reaches_the_service_in_parts(running: Running) -> None:
    async def collect(requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
        taken = [one async for one in requests]
        whole = HttpBody(content_type=taken[0].content.content_type, data=b"".join(one.content.data for one in taken))
        yield library_message("FileRequest")(name=f"{taken[-1].name} {len(taken) > 1}", content=whole)

    running.library.stream = collect
    body = BYTES * 12_000  # three times the largest body that is taken whole

    response = await request(running.port, "POST", "/v1/files/f:upload", {"content-type": "video/x"}, body)

    assert (response.status, response.json["name"], response.json["content"]["contentType"]) == (
        200,
        "f True",
        "video/x",
    )
    assert len(response.json["content"]["data"]) == len(body) // 3 * 4


async def test_an_upload_whose_client_goes_away_is_cancelled(running: Running) -> None:
    entered = asyncio.Event()

    async def collect(requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
        async for _ in requests:
            entered.set()
        await asyncio.Event().wait()
        yield

    running.library.stream = collect
    connection = await Connection.open(running.port)
    connection.send("POST", "/v1/files/f:upload", {"transfer-encoding": "chunked"}, b"1\r\nx\r\n")
    await asyncio.wait_for(entered.wait(), 5)

    connection.close()

    await asyncio.wait_for(running.library.cancelled.wait(), 5)
