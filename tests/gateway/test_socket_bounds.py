"""WebSocket: what a socket may cost, and how it ends with its gateway. gateway.md, "slow-client limits"."""

import asyncio
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.gateway.contracts import Message, library_message
from tests.gateway.http import Connection
from tests.gateway.serving import running_library
from tests.gateway.sockets import hear, say, socket
from tests.gateway.test_requests import echo, never

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALK = "/v1/talks/t"
Inner = library_message("Inner")


async def test_a_client_that_stops_reading_is_dropped(tmp_path: Path) -> None:
    sent = 0

    async def flood(requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
        nonlocal sent
        while True:
            sent += 1
            yield Inner(text="x" * 60_000)

    async with running_library(tmp_path, stall=0.3) as running:
        running.library.stream = flood
        connection = await Connection.open(running.port)
        handshake = {"upgrade": "websocket", "connection": "upgrade", "sec-websocket-version": "13"}
        connection.send("GET", TALK, {**handshake, "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA=="})
        assert (await connection.head())[0] == 101
        connection.pause()

        await asyncio.wait_for(running.library.cancelled.wait(), 20)
        connection.close()

    assert sent < 2_000  # 120 MB; without back-pressure it is whatever the service can send


async def test_a_service_that_takes_nothing_holds_the_client_back(tmp_path: Path) -> None:
    sent = 0
    async with running_library(tmp_path) as running:
        running.library.stream = never
        async with socket(running.port, TALK) as connection:
            try:
                async with asyncio.timeout(1):
                    while sent < 2_000:
                        await connection.send('{"inner": {"text": "%s"}}' % ("x" * 60_000))
                        sent += 1
            except (TimeoutError, ConnectionClosed):
                pass
            connection.transport.abort()

    assert sent < 500


async def test_a_client_that_goes_away_is_noticed_while_the_service_takes_nothing(tmp_path: Path) -> None:
    async with running_library(tmp_path, heartbeat=0.1) as running:
        running.library.stream = never
        async with socket(running.port, TALK) as connection:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(send_much(connection), 1)
            linger = struct.pack("ii", 1, 0)  # a reset is seen even where nothing is read
            connection.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, linger)
            connection.transport.abort()

            await asyncio.wait_for(running.library.cancelled.wait(), 5)


async def send_much(connection: ClientConnection) -> None:
    for _ in range(2_000):
        await connection.send('{"inner": {"text": "%s"}}' % ("x" * 60_000))


async def test_pings_of_a_client_that_reads_nothing_are_not_answered_into_memory(tmp_path: Path) -> None:
    async with running_library(tmp_path) as running:
        running.library.stream = never
        connection = await Connection.open(running.port)
        handshake = {"upgrade": "websocket", "connection": "upgrade", "sec-websocket-version": "13"}
        connection.send("GET", TALK, {**handshake, "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA=="})
        assert (await connection.head())[0] == 101
        connection.pause()
        pings = b"\x89\xfd\0\0\0\0" + b"x" * 125  # masked by nothing
        connection.writer.write(pings * 500_000)
        (its_side,) = running.server.server_state.connections
        async with asyncio.timeout(20):
            while its_side.transport.is_reading():
                await asyncio.sleep(0.01)
        held = its_side.transport.get_write_buffer_size()
        connection.close()

    assert held < 1_000_000  # of 65 MB


async def test_a_stop_closes_sockets_for_a_restart(tmp_path: Path) -> None:
    async with running_library(tmp_path) as running:
        running.library.stream = echo
        async with socket(running.port, TALK) as connection:
            await say(connection, {})
            await connection.recv()
            running.server.should_exit = True
            _, code = await asyncio.wait_for(hear(connection), 4)

    assert code in (1012, 4503)
