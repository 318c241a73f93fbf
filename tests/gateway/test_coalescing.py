"""Writes of one turn of the event loop leave together, and none is lost."""

import asyncio
from collections.abc import Callable
from typing import cast

from gateway.connections.coalescing import CoalescedTransport

LARGE = b"x" * 100_000


class Client(asyncio.Protocol):
    """Notes what comes in one piece, until the end."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


async def received(act: Callable[[CoalescedTransport], None]) -> list[bytes]:
    """What a client gets from a server that does this to a new connection."""

    class Server(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            act(CoalescedTransport(cast(asyncio.Transport, transport), loop))

    loop = asyncio.get_running_loop()
    server = await loop.create_server(Server, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    _, client = await loop.create_connection(Client, "127.0.0.1", port)
    await client.ended.wait()
    server.close()
    return client.pieces


async def test_writes_of_one_turn_arrive_in_one_piece() -> None:
    def act(transport: CoalescedTransport) -> None:
        transport.write(b"head ")
        transport.write(b"body")
        asyncio.get_running_loop().call_later(0.01, transport.close)

    assert await received(act) == [b"head body"]


async def test_what_was_written_before_a_close_arrives() -> None:
    def act(transport: CoalescedTransport) -> None:
        transport.write(b"head ")
        transport.write(b"body")
        transport.close()

    assert b"".join(await received(act)) == b"head body"


async def test_a_connection_that_is_aborted_writes_nothing_more() -> None:
    def act(transport: CoalescedTransport) -> None:
        transport.write(b"head")
        transport.abort()

    assert await received(act) == []


async def test_much_does_not_wait_for_the_end_of_the_turn() -> None:
    sizes: list[int] = []

    def act(transport: CoalescedTransport) -> None:
        for _ in range(100):
            transport.write(LARGE)
            sizes.append(transport.get_write_buffer_size())
        transport.close()

    assert b"".join(await received(act)) == LARGE * 100
    assert sizes[-1] > 0, "the transport has not seen how much there is"
