"""What is for browsers only, in front of the application: CORS, and the cookie that holds a token. Where neither is
configured, this layer does not exist."""

from collections.abc import Callable, Collection
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.cookies import TokenCookie
from gateway.cors import Cors
from gateway.errors import Headers, NoRoute, RequestRefused, reply_to_refusal
from gateway.exchange import Exchange, Outcome
from gateway.headers import RequestHeaders, trace_of
from gateway.observation import UNROUTED, Observation
from gateway.origins import Origins
from gateway.settings import GatewaySettings
from gateway.sockets import SocketExchange

_PRIVATE = (b"cache-control", b"private")
"""Shared caches know that Authorization makes an answer somebody's own; of cookies they do not."""


class BrowserFront:
    """An ASGI layer. What it answers itself is observed like any other request."""

    def __init__(
        self,
        app: ASGIApp,
        cors: Cors | None,
        cookie: TokenCookie | None,
        methods_at: Callable[[Scope], Collection[str]],
        aside: Collection[str],
        observation: Observation,
    ) -> None:
        """`methods_at` says what is allowed at a path, nothing where nothing is, and raises RequestRefused. The paths
        `aside` are no business of other origins."""
        self._app = app
        self._cors = cors
        self._cookie = cookie
        self._methods_at = methods_at
        self._aside = frozenset(aside)
        self._observation = observation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's entry."""
        if scope["type"] == "lifespan" or scope["path"] in self._aside:
            await self._app(scope, receive, send)
            return
        headers: RequestHeaders = dict(scope["headers"])
        added: Headers = []
        send = _adding(added, send)
        try:
            if self._cors is not None and scope["type"] == "http":
                added += self._cors.headers(headers.get(b"origin"))
                if _is_preflight(scope, headers):
                    answer = self._preflight(self._cors, scope, headers)
                    await self._reply(scope, receive, send, headers, answer)
                    return
            if self._cookie is not None:
                scope = _authorized(self._cookie, scope, headers, added)
        except RequestRefused as refusal:
            await self._reply(scope, receive, send, headers, refusal)
            return
        await self._app(scope, receive, send)

    def _preflight(self, cors: Cors, scope: Scope, headers: RequestHeaders) -> Headers:
        methods = self._methods_at(scope)
        if not methods:
            raise NoRoute(reason="NO_ROUTE")
        return cors.preflight(methods, headers)

    async def _reply(
        self, scope: Scope, receive: Receive, send: Send, headers: RequestHeaders, answer: Headers | RequestRefused
    ) -> None:
        started = perf_counter()
        kind = Exchange if scope["type"] == "http" else SocketExchange
        exchange = kind(scope, receive, send, headers, trace_of(headers))
        if isinstance(answer, RequestRefused):
            outcome = await exchange.reply_error(reply_to_refusal(answer))
        else:
            outcome = Outcome(204)
            await exchange.reply(204, answer, b"")
        self._observation.ended(scope, UNROUTED, outcome, started, exchange.traceparent)


def browser_front(
    app: ASGIApp,
    settings: GatewaySettings,
    methods_at: Callable[[Scope], Collection[str]],
    aside: Collection[str],
    observation: Observation,
) -> ASGIApp:
    """`app` behind what the settings have for browsers; `app` itself when that is nothing. Raises HeaderError."""
    origins, forwarded = Origins(settings.allowed_origins), settings.forwarded_headers
    cors = Cors(origins, forwarded, settings.cors_max_age) if settings.allowed_origins else None
    cookie = TokenCookie(settings.auth_cookie, origins, forwarded) if settings.auth_cookie else None
    if cors is None and cookie is None:
        return app
    return BrowserFront(app, cors, cookie, methods_at, aside, observation)


def _is_preflight(scope: Scope, headers: RequestHeaders) -> bool:
    return scope["method"] == "OPTIONS" and b"origin" in headers and b"access-control-request-method" in headers


def _authorized(cookie: TokenCookie, scope: Scope, headers: RequestHeaders, added: Headers) -> Scope:
    authorization = cookie.authorization(scope, headers)
    if authorization is None:
        return scope
    added.append(_PRIVATE)
    return {**scope, "headers": [*scope["headers"], (b"authorization", authorization)]}


def _adding(added: Headers, send: Send) -> Send:
    """Sends `added`, as it is by then, with the head of the response."""

    async def send_all(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *added]
        await send(message)

    return send_all
