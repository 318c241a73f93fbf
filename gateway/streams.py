"""Server streams, and both halves of bidi ones, as Server-Sent Events, NDJSON or a JSON array, whichever the client
accepts.

A message is read from the service only when the one before it has been written to the client, so that a slow client
holds the service back and costs bounded memory; one that reads nothing for long is dropped.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
from protobuf import DescField, Message

from gateway.errors import (
    ErrorReply,
    RequestRefused,
    UnreadableAnswer,
    reply_to_draining,
    reply_to_refusal,
    reply_to_rpc_error,
)
from gateway.exchange import GONE, DisconnectWatch, Exchange, Outcome, Preparation
from gateway.framing import Framing, Raw, framing_for
from gateway.replies import RawRenderer
from gateway.requests import RequestStream, request_stream, texts_of_body
from gateway.routes import Route

OPENING_WAIT = 1.0
"""Seconds for which the response waits for the first message, so that an early error keeps its HTTP status."""


@dataclass(frozen=True, slots=True)
class StreamTiming:
    """Seconds of silence after which a heartbeat is sent, and of not reading after which a client is dropped."""

    heartbeat: float
    stall: float


class Drainable(Protocol):
    """A stream that a stop can end."""

    def drain(self) -> None:
        """Ends the stream with an error that asks its client to come back."""
        ...


class Live:
    """The streams in flight, so that a stop can end them."""

    def __init__(self) -> None:
        self._streams: set[Drainable] = set()
        self._draining = False

    def drain(self) -> None:
        """Ends every stream, and every later one at once, with an error that asks the client to come back."""
        self._draining = True
        for stream in self._streams:
            stream.drain()

    def add(self, stream: Drainable) -> None:
        """Counts a stream until `remove`."""
        self._streams.add(stream)
        if self._draining:
            stream.drain()

    def remove(self, stream: Drainable) -> None:
        """Forgets a stream."""
        self._streams.discard(stream)


@dataclass(frozen=True, slots=True)
class StreamEndpoint:
    """A route and its method on the channel. `version` is the field of a message that makes an event's id."""

    route: Route
    rpc: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] | grpc.aio.StreamStreamMultiCallable[bytes, bytes]
    preparation: Preparation
    message_type: type[Message]
    version: DescField | None
    timing: StreamTiming
    live: Live

    async def answer(self, exchange: Exchange, segments: Sequence[str]) -> Outcome:
        """Raises RequestRefused and ClientGone before it has sent anything."""
        call, client = await self._call(exchange, segments)
        stream = _Stream(self, exchange, call, client)
        self.live.add(stream)
        try:
            return await stream.run()
        finally:
            self.live.remove(stream)
            call.cancel()

    async def _call(self, exchange: Exchange, segments: Sequence[str]) -> "tuple[Any, DisconnectWatch | RequestStream]":
        """The call, whose type depends on the rpc, and what tells when the client goes away."""
        rpc: Any = self.rpc
        if not self.route.rpc.client_streaming:
            arguments = await self.preparation.arguments(self.route, exchange, segments)
            call = rpc(arguments.request, metadata=arguments.metadata, timeout=arguments.timeout)
            return call, DisconnectWatch(exchange.receive, call, 0)
        metadata, timeout = self.preparation.terms(self.route, exchange)
        texts = texts_of_body(exchange, self.route, self.preparation.max_body_bytes)
        requests = request_stream(self.preparation, self.route, exchange, segments, texts)
        call = rpc(requests.messages(), metadata=metadata, timeout=timeout)
        requests.feeds(call)
        return call, requests

    def render(self, wire: bytes, framing: Framing) -> bytes:
        """One message as it is written. Raises ValueError on bytes that are not such a message."""
        message = self.message_type.from_binary(wire)
        version: object = message[self.version] if self.version is not None else None
        return framing.message(self.route.renderer.body(message), version)


class _Stream:
    """One response. Whoever cancels the call says why first, because grpc.aio then raises CancelledError."""

    def __init__(
        self, endpoint: StreamEndpoint, exchange: Exchange, call: Any, client: DisconnectWatch | RequestStream
    ) -> None:
        self._endpoint = endpoint
        self._exchange = exchange
        self._call = call
        self._framing = self._framing_of(endpoint.route)
        self._client = client
        self._draining = False
        self._stalled = False
        self._writing = asyncio.Lock()
        self._messages = 0

    def _framing_of(self, route: Route) -> Framing:
        if isinstance(route.renderer, RawRenderer):
            return Raw()
        return framing_for(self._exchange.headers.get(b"accept", b""))()

    def drain(self) -> None:
        """Ends the stream with an error that asks the client to come back."""
        self._draining = True
        self._call.cancel()

    async def run(self) -> Outcome:
        """Relays the stream to its end, whoever brings it about."""
        heartbeats = asyncio.get_running_loop().create_task(self._keep_alive())
        try:
            return await self._relay()
        finally:
            heartbeats.cancel()
            self._client.stop()

    async def _relay(self) -> Outcome:
        try:
            await self._pump()
        except grpc.aio.AioRpcError as error:
            token_sent = b"authorization" in self._exchange.headers
            return await self._fail(reply_to_rpc_error(error, self._endpoint.route.codec, token_sent=token_sent))
        except UnreadableAnswer as refusal:
            return await self._fail(reply_to_refusal(refusal))
        except asyncio.CancelledError:
            if self._client.gone or self._stalled:
                return self._outcome("CANCELLED", GONE.http_status)
            if isinstance(self._client.failure, RequestRefused):
                return await self._fail(reply_to_refusal(self._client.failure))
            if self._client.failure is not None:
                raise self._client.failure from None
            if self._draining:
                return await self._fail(reply_to_draining())
            raise
        except TimeoutError:
            return self._outcome("CANCELLED", GONE.http_status)
        await self._write(self._framing.end(), more=False)
        return self._outcome("OK")

    async def _pump(self) -> None:
        messages = aiter(self._call)
        first = asyncio.ensure_future(anext(messages, None))
        renderer = self._endpoint.route.renderer
        is_raw = isinstance(renderer, RawRenderer)  # whose content type the first message has
        await asyncio.wait({first}, timeout=None if is_raw else OPENING_WAIT)
        opening = first.result() if first.done() else None
        if isinstance(renderer, RawRenderer):
            await self._exchange.start(200, renderer.headers(self._endpoint.message_type.from_binary(opening or b"")))
        else:
            await self._start()
        if self._exchange.is_head:
            return
        wire: bytes | None = await first
        while wire is not None:
            await self._write(self._endpoint.render(wire, self._framing))
            self._messages += 1
            wire = await anext(messages, None)

    async def _start(self) -> None:
        headers = [
            (b"content-type", self._framing.content_type),
            (b"cache-control", b"no-cache"),
            (b"vary", b"accept"),
            (b"x-accel-buffering", b"no"),
        ]
        await self._exchange.start(200, headers)

    async def _fail(self, error: ErrorReply) -> Outcome:
        if not self._exchange.started:
            return await self._exchange.reply_error(error)
        if not self._framing.in_band:
            return self._outcome(error.code)
        await self._write(self._framing.error(error.body) + self._framing.end(), more=False)
        return self._outcome(error.code)

    async def _keep_alive(self) -> None:
        """Sends a heartbeat after each silence; a write that is held up is no silence."""
        while self._framing.heartbeat:
            sent = self._messages
            await asyncio.sleep(self._endpoint.timing.heartbeat)
            if self._exchange.started and sent == self._messages and not self._writing.locked():
                with suppress(TimeoutError):
                    await self._write(self._framing.heartbeat)

    async def _write(self, data: bytes, *, more: bool = True) -> None:
        """Raises TimeoutError when the client has stopped reading, and ends the call."""
        try:
            async with self._writing, asyncio.timeout(self._endpoint.timing.stall):
                await self._exchange.write(data, more=more)
        except TimeoutError:
            self._stalled = True
            self._call.cancel()
            raise

    def _outcome(self, code: str, http_status: int = 200) -> Outcome:
        return Outcome(http_status, code, self._messages)
