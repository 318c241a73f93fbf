"""HTTP connections that write once a turn of the event loop. Says nothing about what is written.

uvicorn writes the head of a response and its body one after the other, and a stream writes message by message. Each
write is a system call that wakes the client, and those calls were an eighth of what a request cost.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_ENOUGH = 64 * 1024
"""Bytes that are written at once, so that the transport says soon that its client does not read."""


class CoalescedTransport:
    """A transport whose writes wait for the end of the loop's turn. All else is the transport's own."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.plain = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    def write(self, data: bytes) -> None:
        """Keeps bytes for the end of the turn, unless they are many."""
        if not self._parts:
            self._loop.call_soon(self.flush)
        self._parts.append(data)
        self._size += len(data)
        if self._size >= _ENOUGH:
            self.flush()

    def flush(self) -> None:
        """Writes what was kept; a connection that is lost has no use for it."""
        parts, self._parts, self._size = self._parts, [], 0
        if parts and not self.plain.is_closing():
            self.plain.writelines(parts)

    def write_eof(self) -> None:
        """Writes nothing more after what is written."""
        self.flush()
        self.plain.write_eof()

    def close(self) -> None:
        """Closes when everything is written."""
        self.flush()
        self.plain.close()


class CoalescingConnection(HttpToolsProtocol):
    """uvicorn's own, over such a transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """See asyncio.Protocol."""
        super().connection_made(cast(asyncio.Transport, CoalescedTransport(transport, self.loop)))

    def handle_websocket_upgrade(self) -> None:
        """A WebSocket's protocol counts on the transport that it gets."""
        transport = cast(CoalescedTransport, self.transport)
        transport.flush()
        self.transport = transport.plain
        super().handle_websocket_upgrade()
