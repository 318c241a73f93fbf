"""Whatever comes over the wire is answered: no 5xx, every error in AIP-193, and the connection serves the next request
or is closed."""

import asyncio
import json
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import note
from websockets.exceptions import ConnectionClosed

from tests.gateway.contracts import Message, library_message
from tests.gateway.http import Connection, Json, Response
from tests.gateway.serving import running_library
from tests.gateway.sockets import socket
from tests.gateway.wire_requests import WireRequest, frame_lists, wire_requests
from tests.properties import assert_holds, counts

PATIENCE = 20.0
NOT_FOR_US = {1002, 1003, 1007, 1009}
"""Close codes of RFC 6455 for frames that are against the protocol, no UTF-8, or too large."""


@dataclass
class Client:
    """A gateway before services that echo, on a loop that runs only while it is asked; and a connection to it."""

    runner: asyncio.Runner
    port: int
    connection: Connection | None = None

    def ask(self, request: WireRequest) -> None:
        """Fails unless the request gets a decent answer, and the connection a decent end or another one."""
        note(repr(request.raw))
        self.runner.run(self._ask(request))

    async def _ask(self, request: WireRequest) -> None:
        connection, self.connection = self.connection or await Connection.open(self.port), None
        try:
            async with asyncio.timeout(PATIENCE):
                response = await _answer(connection, request.raw, request.method)
                require_decent(response, request.method)
                if response.headers.get("connection") == "close":
                    assert await connection.reader.read() == b""
                else:
                    following = await _answer(connection, b"GET /healthz HTTP/1.1\r\nhost: test\r\n\r\n", "GET")
                    assert following.json == {"status": "SERVING"}
                    self.connection = connection
        finally:
            if self.connection is None:
                connection.close()


async def _answer(connection: Connection, raw: bytes, method: str) -> Response:
    connection.writer.write(raw)
    while (response := await connection.response(head_only=method == "HEAD")).status == 100:
        pass
    return response


def require_decent(response: Response, method: str) -> None:
    """Fails on what is no answer for a client to act on."""
    assert 200 <= response.status < 500, response
    if response.status < 400:
        return
    assert response.headers["content-type"] == "application/json", response
    if method != "HEAD":
        require_aip_193(response.json, response.status)


def require_aip_193(document: Json, status: int) -> None:
    """Fails on an error without its code, its sentence, or its reason for machines."""
    error = document["error"]
    assert error["code"] == status, error
    assert error["status"].isupper(), error
    assert error["message"], error
    assert any("reason" in detail for detail in error["details"]), error


@pytest.fixture
def client(tmp_path: Path) -> Generator[Client]:
    headers = ("authorization", "tracestate", "x-data-bin")
    with asyncio.Runner() as runner:
        gateway = running_library(tmp_path, forwarded_headers=headers, auth_cookie="__Host-token", heartbeat=0.05)
        running = runner.run(gateway.__aenter__())
        running.library.act = _echo
        running.library.stream = _echo_all
        client = Client(runner, running.port)
        yield client
        if client.connection is not None:
            client.connection.close()
        runner.run(gateway.__aexit__(None, None, None))


async def _echo(request: Message, context: Any) -> Message:
    kind = request.DESCRIPTOR.name
    if kind == "Everything":
        request.ClearField("mask")  # not every mask that can be asked for can be said in JSON
    if kind in ("GetBookRequest", "CreateBookRequest"):
        return library_message("Book")(book_id="b1", title="Emma", etag="1.2")
    return request.content if kind == "FileRequest" else request


async def _echo_all(requests: Any, context: Any) -> AsyncIterator[Message]:
    """Gives back what the response's type allows, and an empty message."""
    if hasattr(requests, "__aiter__"):
        async for one in requests:
            if one.DESCRIPTOR.name == "Inner":
                yield one
    yield None


@counts(1000, 20_000)
def test_every_request_gets_an_answer_that_a_client_can_act_on(client: Client, examples: int) -> None:
    assert_holds(wire_requests(), client.ask, examples)


@counts(100, 3000)
def test_frames_of_any_content_end_in_a_close_that_says_why(client: Client, examples: int) -> None:
    assert_holds(frame_lists(), lambda frames: client.runner.run(_talk(client.port, frames)), examples)


async def _talk(port: int, frames: list[str | bytes]) -> None:
    last, code = "{}", None
    async with asyncio.timeout(PATIENCE), socket(port, "/v1/talks/t") as connection:
        try:
            for frame in [*frames, ""]:
                await connection.send(frame)
            while True:
                last = await connection.recv()
        except ConnectionClosed:
            code = connection.close_code
    if code not in (1000, *NOT_FOR_US):
        assert code is not None
        assert 4400 <= code < 4500, (code, last)
        require_aip_193(json.loads(last), code - 4000)
