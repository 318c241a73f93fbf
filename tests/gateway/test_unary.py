"""Unary calls end with their clients."""

import asyncio
from typing import Any

import pytest

from tests.gateway.contracts import Message
from tests.gateway.http import Connection
from tests.gateway.serving import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_client_that_goes_away_cancels_its_call(running: Running, method: str) -> None:
    entered = asyncio.Event()

    async def act(request: Message, context: Any) -> Message:
        entered.set()
        await asyncio.Event().wait()

    running.library.act = act
    connection = await Connection.open(running.port)
    connection.send(method, "/v1/echo", {"grpc-timeout": "60S"}, b"{}" if method == "POST" else None)
    await entered.wait()

    connection.close()

    await asyncio.wait_for(running.library.cancelled.wait(), 5)


async def test_a_client_that_goes_away_while_it_sends_its_body_makes_no_call(running: Running) -> None:
    connection = await Connection.open(running.port)
    connection.writer.write(b"POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    await connection.writer.drain()
    connection.close()

    other = await Connection.open(running.port)
    other.send("GET", "/v1/echo")
    await other.response()
    other.close()

    assert len(running.library.seen) == 1
