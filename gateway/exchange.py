"""One HTTP request being answered: what ASGI gives, and the parts that unary calls and streams have in common."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Receive, Scope, Send

from gateway.body import Pace, read_body, require_json, require_no_body
from gateway.compression import decompressed
from gateway.errors import CANCELLED, ErrorReply, Headers
from gateway.headers import CallMetadata, HeaderForwarding, timeout_of
from gateway.routes import Route


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended, for logs and metrics. `code` is the name of a google.rpc.Code."""

    http_status: int
    code: str = "OK"
    messages: int | None = None


GONE = Outcome(CANCELLED, "CANCELLED")


class Exchange:
    """A request and the way to answer it. `headers` has the last of headers that are given twice; `started` says that
    the response's status is sent."""

    __slots__ = ("_send", "headers", "receive", "scope", "started", "traceparent")

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, headers: Mapping[bytes, bytes], traceparent: str
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.headers = headers
        self.traceparent = traceparent
        self.started = False
        self._send = send

    @property
    def is_head(self) -> bool:
        """Whether only the headers are wanted."""
        return self.scope["method"] == "HEAD"

    async def reply(self, http_status: int, headers: Headers, body: bytes) -> None:
        """Sends a whole response. `headers` lack content-length and may be changed."""
        if http_status not in (204, 304):
            headers.append((b"content-length", b"%d" % len(body)))
        await self.start(http_status, headers)
        await self._send({"type": "http.response.body", "body": b"" if self.is_head else body})

    async def start(self, http_status: int, headers: Headers) -> None:
        """Sends the status and the headers of a response whose body follows in parts."""
        self.started = True
        await self._send({"type": "http.response.start", "status": http_status, "headers": headers})

    async def write(self, data: bytes, *, more: bool) -> None:
        """Sends a part of the body; returns when the client has taken most of what was sent before."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def reply_error(self, error: ErrorReply) -> Outcome:
        """Sends an error as the whole response."""
        await self.reply(error.http_status, [(b"content-type", b"application/json"), *error.headers], error.body)
        return Outcome(error.http_status, error.code)


class Endpoint(Protocol):
    """Answers the requests of one route."""

    async def answer(self, exchange: Exchange, segments: Sequence[str]) -> Outcome:
        """`segments` are the raw ones of the path, without a verb. Raises RequestRefused and ClientGone before it has
        sent anything."""
        ...


class Cancellable(Protocol):
    """A call in flight."""

    def cancel(self) -> bool:
        """Ends it."""
        ...


@dataclass(frozen=True, slots=True)
class CallArguments:
    """What a call is made with. `timeout` is in seconds."""

    request: bytes
    metadata: CallMetadata
    timeout: float | None


@dataclass(frozen=True, slots=True)
class Preparation:
    """Makes calls' arguments out of requests, the same way for every route."""

    forwarding: HeaderForwarding
    max_body_bytes: int
    pace: Pace

    async def arguments(self, route: Route, exchange: Exchange, segments: Sequence[str]) -> CallArguments:
        """Reads and binds the request. Raises RequestRefused, ClientGone."""
        body = await self._body(route, exchange)
        return CallArguments(self.bound(route, exchange, segments, body), *self.terms(route, exchange))

    def bound(self, route: Route, exchange: Exchange, segments: Sequence[str], body: bytes) -> bytes:
        """One request message as it goes on the wire. Raises RequestRefused."""
        return route.binder.bind(segments, exchange.scope["query_string"], body, exchange.headers).to_binary()

    def terms(self, route: Route, exchange: Exchange) -> tuple[CallMetadata, float | None]:
        """A call's metadata and timeout. Raises RequestRefused."""
        metadata = self.forwarding.metadata(exchange.headers, exchange.scope, exchange.traceparent)
        return CallMetadata(metadata), timeout_of(exchange.headers, route.default_deadline)

    async def _body(self, route: Route, exchange: Exchange) -> bytes:
        if not route.rule.body:
            await require_no_body(exchange.receive, exchange.headers)
            return b""
        body = await read_body(exchange.receive, exchange.headers, self.max_body_bytes, self.pace)
        if body and not route.binder.takes_raw:
            require_json(exchange.headers)
        if body and b"content-encoding" in exchange.headers:
            return await decompressed(exchange.headers, body, self.max_body_bytes)
        return body


class DisconnectWatch:
    """Cancels a call when its client goes away. It starts looking `after` seconds, so that a fast call costs a timer
    and no task."""

    failure: Exception | None = None
    """A request that was bound before the call has nothing more to fail with."""

    def __init__(self, receive: Receive, call: Cancellable, after: float) -> None:
        self.gone = False
        self._receive = receive
        self._call = call
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(after, self._start)

    def stop(self) -> None:
        """Ends the watch; the call is left alone."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
            pass
        self.gone = True
        self._call.cancel()
