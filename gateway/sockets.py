"""Streams over WebSocket: every text frame is the JSON of one message, in both directions.

- A client-streaming rpc takes any number of frames, any other with a body one; an empty frame half-closes.
- The stream's end is close code 1000. An error is a last frame `{"error": ...}`, and close code 4000 + HTTP status;
  4503 when the gateway stops (1012 where the server is quicker).
- A client that closes, or goes away, cancels the call.
- A frame is read when the service has taken the one before, and a message is read from the service when the client
  has taken the one before; a client that reads nothing for long is dropped.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import grpc
from protobuf import Message

from gateway.errors import (
    ErrorReply,
    Headers,
    RequestRefused,
    UnreadableAnswer,
    reply_to_draining,
    reply_to_refusal,
    reply_to_rpc_error,
)
from gateway.exchange import GONE, Exchange, Outcome, Preparation
from gateway.origins import Origins
from gateway.requests import RequestStream, request_stream, texts_of_frames
from gateway.routes import Route
from gateway.streams import Live

CLOSED = 1000
REFUSED = 4000
"""Close codes from 4000 are free for applications (RFC 6455 section 7.4.2); ours add the HTTP status."""


class SocketExchange(Exchange):
    """A handshake, and the frames after it. What is replied before the start is an HTTP response."""

    __slots__ = ()

    async def reply(self, http_status: int, headers: Headers, body: bytes) -> None:
        """Refuses the handshake."""
        await self._send({"type": "websocket.http.response.start", "status": http_status, "headers": headers})
        await self._send({"type": "websocket.http.response.body", "body": body})

    async def accept(self) -> None:
        """Answers the handshake. That a client is gone already is seen at the first frame."""
        await self.receive()
        self.started = True
        await self._send({"type": "websocket.accept"})

    async def frame(self, json: bytes) -> None:
        """Sends a message; returns when the client has taken most of what was sent before. Raises OSError."""
        await self._send({"type": "websocket.send", "text": json.decode()})

    async def close(self, code: int) -> None:
        """Ends the connection. Raises OSError."""
        await self._send({"type": "websocket.close", "code": code})


@dataclass(frozen=True, slots=True)
class SocketEndpoint:
    """A route of a stream. On the wire every kind of rpc is a stream of requests and one of responses."""

    route: Route
    rpc: grpc.aio.StreamStreamMultiCallable[bytes, bytes]
    preparation: Preparation
    message_type: type[Message]
    origins: Origins
    stall: float
    live: Live

    async def answer(self, exchange: SocketExchange, segments: Sequence[str]) -> Outcome:
        """Raises RequestRefused before it has accepted."""
        self.origins.require(exchange.headers)
        metadata, timeout = self.preparation.terms(self.route, exchange)
        texts = texts_of_frames(exchange.receive, self.route)
        requests = request_stream(self.preparation, self.route, exchange, segments, texts)
        await exchange.accept()
        call: Any = self.rpc(requests.messages(), metadata=metadata, timeout=timeout)
        requests.feeds(call)
        conversation = _Conversation(self, exchange, call, requests)
        self.live.add(conversation)
        try:
            return await conversation.run()
        finally:
            self.live.remove(conversation)
            requests.stop()
            call.cancel()

    def render(self, wire: bytes) -> bytes:
        """One message as JSON. Raises ValueError on bytes that are not such a message."""
        return self.route.renderer.body(self.message_type.from_binary(wire))


class _Conversation:
    """One socket. Whoever cancels the call says why first."""

    def __init__(self, endpoint: SocketEndpoint, exchange: SocketExchange, call: Any, requests: RequestStream) -> None:
        self._endpoint = endpoint
        self._exchange = exchange
        self._call = call
        self._requests = requests
        self._draining = False
        self._messages = 0

    def drain(self) -> None:
        """Ends the stream with an error that asks the client to come back."""
        self._draining = True
        self._call.cancel()

    async def run(self) -> Outcome:
        """Relays the stream to its end, whoever brings it about."""
        try:
            return await self._relay()
        except OSError:  # the client is gone, or reads nothing: TimeoutError is one too
            return self._outcome("CANCELLED", GONE.http_status)

    async def _relay(self) -> Outcome:
        try:
            async for wire in self._call:
                await self._write(self._endpoint.render(wire))
                self._messages += 1
        except grpc.aio.AioRpcError as error:
            token_sent = b"authorization" in self._exchange.headers
            return await self._fail(reply_to_rpc_error(error, self._endpoint.route.codec, token_sent=token_sent))
        except UnreadableAnswer as refusal:
            return await self._fail(reply_to_refusal(refusal))
        except asyncio.CancelledError:
            if self._requests.gone:
                return self._outcome("CANCELLED", GONE.http_status)
            if isinstance(self._requests.failure, RequestRefused):
                return await self._fail(reply_to_refusal(self._requests.failure))
            if self._requests.failure is not None:
                raise self._requests.failure from None
            if self._draining:
                return await self._fail(reply_to_draining())
            raise
        await self._exchange.close(CLOSED)
        return self._outcome("OK", 101)

    async def _fail(self, error: ErrorReply) -> Outcome:
        with suppress(RuntimeError):  # a server that stops may have closed it already
            await self._write(error.body)
            await self._exchange.close(REFUSED + error.http_status)
        return self._outcome(error.code, 101)

    async def _write(self, json: bytes) -> None:
        async with asyncio.timeout(self._endpoint.stall):
            await self._exchange.frame(json)

    def _outcome(self, code: str, http_status: int) -> Outcome:
        return Outcome(http_status, code, self._messages)
