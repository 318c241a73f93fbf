"""Calls with one response message: unary ones and client streams. Bytes go through the channel."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc

from gateway.compression import Compression
from gateway.errors import reply_to_rpc_error
from gateway.exchange import GONE, DisconnectWatch, Exchange, Outcome, Preparation
from gateway.requests import request_stream, texts_of_body
from gateway.routes import Route

WATCH_AFTER = 0.05
"""Seconds after which a call's client is watched; most calls have ended by then."""


@dataclass(frozen=True, slots=True)
class UnaryEndpoint:
    """A route and its method on the channel, which takes and returns bytes."""

    route: Route
    rpc: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
    preparation: Preparation
    compression: Compression

    async def answer(self, exchange: Exchange, segments: Sequence[str]) -> Outcome:
        """Raises RequestRefused and ClientGone before it has sent anything."""
        arguments = await self.preparation.arguments(self.route, exchange, segments)
        call: Any = self.rpc(arguments.request, metadata=arguments.metadata, timeout=arguments.timeout)
        watch = DisconnectWatch(exchange.receive, call, WATCH_AFTER)
        try:
            wire: bytes = await call
        except grpc.aio.AioRpcError as error:
            token_sent = b"authorization" in exchange.headers
            return await exchange.reply_error(reply_to_rpc_error(error, self.route.codec, token_sent=token_sent))
        except asyncio.CancelledError:
            if watch.gone:
                return GONE
            raise
        finally:
            watch.stop()
        return await _reply(self.route, exchange, wire, self.compression)


@dataclass(frozen=True, slots=True)
class ClientStreamEndpoint:
    """A route whose request body is a stream of messages."""

    route: Route
    rpc: grpc.aio.StreamUnaryMultiCallable[bytes, bytes]
    preparation: Preparation
    compression: Compression

    async def answer(self, exchange: Exchange, segments: Sequence[str]) -> Outcome:
        """Raises RequestRefused and ClientGone before it has sent anything."""
        metadata, timeout = self.preparation.terms(self.route, exchange)
        texts = texts_of_body(exchange, self.route, self.preparation.max_body_bytes)
        requests = request_stream(self.preparation, self.route, exchange, segments, texts)
        call: Any = self.rpc(requests.messages(), metadata=metadata, timeout=timeout)
        requests.feeds(call)
        try:
            wire: bytes = await call
        except grpc.aio.AioRpcError as error:
            token_sent = b"authorization" in exchange.headers
            return await exchange.reply_error(reply_to_rpc_error(error, self.route.codec, token_sent=token_sent))
        except asyncio.CancelledError:
            requests.explain()
            raise
        finally:
            requests.stop()
            call.cancel()
        return await _reply(self.route, exchange, wire, self.compression)


async def _reply(route: Route, exchange: Exchange, wire: bytes, compression: Compression) -> Outcome:
    reply = route.renderer.render(wire, exchange.headers)
    body = reply.body
    if len(body) >= compression.minimum:
        body = await compression.apply(exchange.headers.get(b"accept-encoding", b""), reply.headers, body)
    elif reply.http_status == 304:
        reply.headers.extend(compression.not_modified)
    await exchange.reply(reply.http_status, reply.headers, body)
    return Outcome(reply.http_status)
