"""The way of a request through the gateway: find the route, let its endpoint answer, tell what happened.

What the contract does not serve is answered here too; the gateway's own pages never come here.
"""

import logging
from collections.abc import Collection, Mapping
from time import perf_counter

from starlette.types import Receive, Scope, Send

from gateway.body import ClientGone
from gateway.errors import InvalidRequest, MethodNotAllowed, NoRoute, RequestRefused, reply_to_bug, reply_to_refusal
from gateway.exchange import GONE, Endpoint, Exchange, Outcome
from gateway.handshakes import Handshakes
from gateway.headers import trace_of
from gateway.observation import UNROUTED, Observation
from gateway.routes import Route
from gateway.sockets import SocketEndpoint, SocketExchange
from gateway.trie import ANY_METHOD, Found, NotAllowed, PathTrie

_log = logging.getLogger("gateway")


class Transcoder:
    """Answers HTTP requests with the routes of a contract."""

    def __init__(
        self,
        trie: PathTrie[Route],
        endpoints: Mapping[Route, Endpoint],
        handshakes: Handshakes,
        sockets: Mapping[Route, SocketEndpoint],
        observation: Observation,
    ) -> None:
        """`endpoints` and `sockets`, those of the routes of `handshakes`, are filled before requests come."""
        self._trie = trie
        self._endpoints = endpoints
        self._handshakes = handshakes
        self._sockets = sockets
        self._observation = observation

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application for HTTP and WebSocket."""
        started = perf_counter()
        headers = dict(scope["headers"])
        kind = Exchange if scope["type"] == "http" else SocketExchange
        exchange = kind(scope, receive, send, headers, trace_of(headers))
        with self._observation.in_flight.track_inprogress():
            route, outcome = await self._answer(exchange)
        self._observation.ended(scope, route, outcome, started, exchange.traceparent)

    def methods_at(self, scope: Scope) -> Collection[str]:
        """The methods that a path has, ANY_METHOD among them where one rule takes any; none where nothing is. Raises
        InvalidRequest."""
        found = self._find(ANY_METHOD, scope)
        if found is None:
            return ()
        return (ANY_METHOD,) if isinstance(found, Found) else _allowed(found.methods)

    async def _answer(self, exchange: Exchange) -> tuple[str, Outcome]:
        label = UNROUTED
        try:
            if isinstance(exchange, SocketExchange):
                found = self._find_stream(exchange.scope)
                label = found.target.label
                return label, await self._sockets[found.target].answer(exchange, found.segments)
            found = self._find(exchange.scope["method"], exchange.scope)
            if not isinstance(found, Found):
                return label, await _answer_without_route(exchange, found)
            label = found.target.label
            return label, await self._endpoints[found.target].answer(exchange, found.segments)
        except RequestRefused as refusal:
            return label, await exchange.reply_error(reply_to_refusal(refusal))
        except ClientGone:
            return label, GONE
        except Exception:
            _log.exception("bug", extra={"facts": {"route": label, "traceparent": exchange.traceparent}})
            if exchange.started:
                raise
            return label, await exchange.reply_error(reply_to_bug())

    def _find_stream(self, scope: Scope) -> Found[Route]:
        try:
            found = self._handshakes.find(scope["raw_path"].decode("ascii"))
        except UnicodeDecodeError:
            raise _malformed_path() from None
        if found is None:
            raise NoRoute("There is no stream at this path.", reason="NO_ROUTE")
        return found

    def _find(self, method: str, scope: Scope) -> Found[Route] | NotAllowed | None:
        try:
            return self._trie.find(method, scope["raw_path"].decode("ascii"))
        except UnicodeDecodeError:
            raise _malformed_path() from None


def _malformed_path() -> InvalidRequest:
    return InvalidRequest("The path is not percent-encoded UTF-8.", reason="MALFORMED_PATH")


async def _answer_without_route(exchange: Exchange, found: NotAllowed | None) -> Outcome:
    if found is None:
        raise NoRoute(reason="NO_ROUTE")
    allow = (b"allow", ", ".join(sorted(_allowed(found.methods))).encode())
    if exchange.scope["method"] != "OPTIONS":
        raise MethodNotAllowed(reason="METHOD_NOT_ALLOWED", headers=[allow])
    await exchange.reply(204, [allow], b"")
    return Outcome(204)


def _allowed(methods: Collection[str]) -> set[str]:
    implied = {"HEAD"} if "GET" in methods else set[str]()
    return ({*methods, "OPTIONS"} | implied) - {ANY_METHOD}
