"""The way of a request through the gateway: find the route, let its endpoint answer, tell what happened.

What the contract does not serve is answered here too; the gateway's own pages never come here.
"""

import logging
from collections.abc import Collection
from time import perf_counter

from starlette.types import Receive, Scope, Send

from gateway.body import ClientGone
from gateway.errors import (
    DEFAULT_RETRY_SECONDS,
    InvalidRequest,
    MethodNotAllowed,
    NoContract,
    NoRoute,
    RequestRefused,
    reply_to_bug,
    reply_to_refusal,
)
from gateway.exchange import GONE, Exchange, Outcome
from gateway.generation import Generation
from gateway.headers import trace_of
from gateway.observation import UNROUTED, Observation
from gateway.routes import Route
from gateway.sockets import SocketExchange
from gateway.trie import ANY_METHOD, Found, NotAllowed

_log = logging.getLogger("gateway")


class Transcoder:
    """Answers HTTP requests with the routes of a contract."""

    def __init__(self, generation: Generation, observation: Observation) -> None:
        """`generation` may be replaced at any time; a request is served to its end by the one that it began with."""
        self.generation = generation
        self._observation = observation

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application for HTTP and WebSocket."""
        started = perf_counter()
        headers = dict(scope["headers"])
        kind = Exchange if scope["type"] == "http" else SocketExchange
        exchange = kind(scope, receive, send, headers, trace_of(headers))
        with self._observation.in_flight.track_inprogress(), self.generation as generation:
            route, outcome = await _answer(generation, exchange)
        self._observation.ended(scope, route, outcome, started, exchange.traceparent)

    def methods_at(self, scope: Scope) -> Collection[str]:
        """The methods that a path has, ANY_METHOD among them where one rule takes any; none where nothing is. Raises
        InvalidRequest."""
        found = _find(self.generation, ANY_METHOD, scope)
        if found is None:
            return ()
        return (ANY_METHOD,) if isinstance(found, Found) else _allowed(found.methods)


async def _answer(generation: Generation, exchange: Exchange) -> tuple[str, Outcome]:
    label = UNROUTED
    try:
        if isinstance(exchange, SocketExchange):
            found = _find_stream(generation, exchange.scope)
            label = found.target.label
            return label, await generation.sockets[found.target].answer(exchange, found.segments)
        found = _find(generation, exchange.scope["method"], exchange.scope)
        if not isinstance(found, Found):
            return label, await _answer_without_route(generation, exchange, found)
        label = found.target.label
        return label, await generation.endpoints[found.target].answer(exchange, found.segments)
    except RequestRefused as refusal:
        return label, await exchange.reply_error(reply_to_refusal(refusal))
    except ClientGone:
        return label, GONE
    except Exception:
        _log.exception("bug", extra={"facts": {"route": label, "traceparent": exchange.traceparent}})
        if exchange.started:
            raise
        return label, await exchange.reply_error(reply_to_bug())


def _find_stream(generation: Generation, scope: Scope) -> Found[Route]:
    try:
        found = generation.handshakes.find(scope["raw_path"].decode("ascii"))
    except UnicodeDecodeError:
        raise _malformed_path() from None
    if found is None:
        raise _nothing(generation, "There is no stream at this path.")
    return found


def _find(generation: Generation, method: str, scope: Scope) -> Found[Route] | NotAllowed | None:
    try:
        return generation.trie.find(method, scope["raw_path"].decode("ascii"))
    except UnicodeDecodeError:
        raise _malformed_path() from None


def _malformed_path() -> InvalidRequest:
    return InvalidRequest("The path is not percent-encoded UTF-8.", reason="MALFORMED_PATH")


def _nothing(generation: Generation, message: str | None = None) -> RequestRefused:
    """As long as a source has not told its contract, nobody knows what is not there."""
    if generation.missing:
        return NoContract(reason="CONTRACT_MISSING", headers=[(b"retry-after", b"%d" % DEFAULT_RETRY_SECONDS)])
    return NoRoute(message, reason="NO_ROUTE")


async def _answer_without_route(generation: Generation, exchange: Exchange, found: NotAllowed | None) -> Outcome:
    if found is None:
        raise _nothing(generation)
    allow = (b"allow", ", ".join(sorted(_allowed(found.methods))).encode())
    if exchange.scope["method"] != "OPTIONS":
        raise MethodNotAllowed(reason="METHOD_NOT_ALLOWED", headers=[allow])
    await exchange.reply(204, [allow], b"")
    return Outcome(204)


def _allowed(methods: Collection[str]) -> set[str]:
    implied = {"HEAD"} if "GET" in methods else set[str]()
    return ({*methods, "OPTIONS"} | implied) - {ANY_METHOD}
