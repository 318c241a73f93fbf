"""HTTP/1.1 connections within limits: how long a client may take, and what it is told in the end. Knows no route.

Whatever is too large, too slow or no HTTP is refused as AIP-193 JSON, and the connection closed:

- in the head, by a last answer that is written here;
- in the body, by the application: its `receive` raises the refusal.

An answer that is given before the body has ended is the connection's last too.
"""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.server import ServerState

from gateway.connections.peers import GONE
from gateway.connections.reading import At, HttpReading
from gateway.errors import ErrorReply, RequestRefused, RequestTimeout, TooManyConnections, reply_to_refusal

LINGER = 2.0
"""Seconds for which a client may still send, unheard, after its last answer: a close with unread bytes would be a
reset, which overtakes the answer."""


class HttpConnection(HttpReading):
    """One connection."""

    refused: Callable[[ErrorReply], None]
    """Is told of the requests that the application never sees."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._clock: asyncio.TimerHandle | None = None
        self._awaited = At.HEAD
        self._broken: RequestRefused | None = None  # for the application to receive
        self._owed: RequestRefused | None = None  # to be said when the answers before it are
        self._gone = asyncio.Event()

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Refuses a connection too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections:
            self._say_last(TooManyConnections(reason="TOO_MANY_CONNECTIONS", headers=[(b"retry-after", b"1")]))
        else:
            self._clock = self.loop.call_later(self.limits.head_timeout, self._time_is_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells it also to those who do not receive."""
        self.stop_reading()
        self._gone.set()
        super().connection_lost(exc)
        # Nothing here may hold itself, as errors do by their tracebacks: the collector comes late.
        self._refusal = self._broken = self._owed = None
        self.app = self._application
        if self.cycle is not None:  # pyright: ignore[reportUnnecessaryComparison]
            self.cycle.transport = self.transport

    def become_socket(self, rest: bytes) -> None:
        """Gives the connection to the WebSocket protocol."""
        self.stop_reading()
        self.handle_websocket_upgrade()
        if rest:
            protocol: Any = self.transport.get_protocol()
            protocol.data_received(rest)

    # How long a client may take ---------------------------------------------------------------------------------------

    def wait_for_more(self) -> None:
        """Starts the clock on what has not come."""
        if self._at is At.BETWEEN and self.is_answering():
            if self._clock is not None:
                self._stop_clock()
            return
        awaited = At.BODY if self._at is At.BODY else At.HEAD
        if self._clock is None or self._awaited is not awaited:
            self._stop_clock()
            self._awaited = awaited
            self._heard = self.loop.time()
            seconds = self.limits.body_timeout if awaited is At.BODY else self.limits.head_timeout
            self._clock = self.loop.call_later(seconds, self._time_is_up)

    def _time_is_up(self) -> None:
        self._clock = None
        if self._at is At.BODY:
            self._await_body()
        elif self._at is At.HEAD:
            message = f"The headers took longer than {self.limits.head_timeout:g} s."
            self.refuse(RequestTimeout(message, reason="HEADERS_TIMEOUT"))
        elif not self.is_answering():
            self.transport.close()

    def _await_body(self) -> None:
        """A client may be silent when it is not asked, or already gets its answer."""
        now = self.loop.time()
        if self.flow.read_paused or self.cycle.response_started or self.cycle.waiting_for_100_continue:
            self._heard = now
        left = self._heard + self.limits.body_timeout - now
        if left > 0:
            self._clock = self.loop.call_later(left, self._time_is_up)
        else:
            message = f"Nothing of the body came for {self.limits.body_timeout:g} s."
            self.refuse(RequestTimeout(message, reason="BODY_TIMEOUT", field="body"))

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    # What it is told in the end ---------------------------------------------------------------------------------------

    def refuse(self, refusal: RequestRefused) -> None:
        """Ends the request that is being read, and with it the connection."""
        if self._at is At.BODY:
            self._broken = refusal
            self.cycle.message_event.set()
            self.stop_reading()
        elif self.is_answering():
            self._owed = refusal
            self.stop_reading()
        else:
            self._say_last(refusal)

    def answered(self) -> None:
        """Says what is still to be said."""
        self._unset_keepalive_if_required()
        if self._owed is not None and not self.is_answering():
            self._say_last(self._owed)

    def _say_last(self, refusal: RequestRefused) -> None:
        reply = reply_to_refusal(refusal)
        self.refused(reply)
        self.transport.write(_last_words(reply, self.server_state.default_headers))
        self._linger()

    def _linger(self) -> None:
        self.stop_reading()
        self._unset_keepalive_if_required()
        if not self.transport.is_closing():
            self.flow.resume_reading()
            self.transport.write_eof()
            self._clock = self.loop.call_later(LINGER, self.transport.close)

    def stop_reading(self) -> None:
        """What comes now is not heard, and nothing is waited for."""
        super().stop_reading()
        self._stop_clock()

    # The application's side -------------------------------------------------------------------------------------------

    async def serve_open(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request that has come whole by now needs nothing more."""
        application: ASGIApp = self._application
        if scope is not self.scope or not self.cycle.more_body:
            return await application(scope, receive, send)
        cycle: Any = self.cycle
        transport = self.transport

        async def hear() -> Message:
            message = await receive()
            if self._broken is not None and scope is self.scope:
                raise self._broken
            return message

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start" and cycle.more_body:
                message["headers"] = [*message["headers"], (b"connection", b"close")]
                cycle.transport = SimpleNamespace(
                    write=transport.write, is_closing=transport.is_closing, close=self._linger
                )
            await send(message)

        scope["extensions"] = {GONE: self._gone}
        return await application(scope, hear, say)


def _last_words(reply: ErrorReply, default_headers: list[tuple[bytes, bytes]]) -> bytes:
    headers = [
        *default_headers,
        *reply.headers,
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(reply.body)),
        (b"connection", b"close"),
    ]
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return STATUS_LINE[reply.http_status] + lines + b"\r\n" + reply.body
