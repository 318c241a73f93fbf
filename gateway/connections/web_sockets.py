"""WebSocket connections within limits, over uvicorn's protocol. Knows no route."""

import asyncio
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from gateway.connections.peers import GONE, is_gone


class SocketConnection(WebSocketsSansIOProtocol):
    """One connection. A client that takes nothing is not read from, because its pings would be answered into memory."""

    _gone: asyncio.Event

    def handle_connect(self, event: Request) -> None:
        """Tells of a lost connection those who do not receive."""
        super().handle_connect(event)
        self._gone = asyncio.Event()
        extensions: Any = self.scope.get("extensions")
        extensions[GONE] = self._gone

    async def send(self, message: ASGISendEvent) -> None:
        """Knows that a refusal ends the handshake too; uvicorn logs an error about each (uvicorn#3138)."""
        await super().send(message)
        if self.close_sent:
            self.handshake_complete = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells it also to those who do not receive."""
        super().connection_lost(exc)
        self._gone.set()

    def pause_writing(self) -> None:
        """The client takes nothing."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The client takes something again."""
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    def send_keepalive_ping(self) -> None:
        """Looks, before it pings, whether the client is there: a held-back socket does not see its end."""
        if is_gone(self.transport):
            self.transport.abort()
        else:
            super().send_keepalive_ping()
