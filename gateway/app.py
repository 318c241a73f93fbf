"""The composition root: a contract, its routes and its services become one FastAPI application."""

from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Page
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.binding import RouteError
from gateway.body import Pace
from gateway.browsers import browser_front
from gateway.compression import Compression, compressed_page
from gateway.contract import ContractError, read_contract
from gateway.docs import docs_routes
from gateway.endpoints import Terms, endpoint_of, socket_endpoint_of
from gateway.errors import ErrorReply
from gateway.exchange import Endpoint, Preparation
from gateway.handshakes import Handshakes
from gateway.headers import HeaderForwarding
from gateway.observation import Observation
from gateway.openapi import document_of
from gateway.origins import Origins
from gateway.routes import Route, RouteTable, compile_routes
from gateway.settings import GatewaySettings
from gateway.sockets import SocketEndpoint
from gateway.streams import Live, StreamTiming
from gateway.transcoder import Transcoder
from gateway.upstreams import Upstreams
from mesh.codec import Codec
from mesh.telemetry import new_registry

_OPENAPI = "/openapi.json"


class GatewayApplication(FastAPI):
    """A FastAPI application of the gateway's own pages, in front of which one raw ASGI path serves the contract: going
    through FastAPI's layers would cost every request some 60 us for nothing."""

    def __init__(
        self,
        transcoder: Transcoder,
        pages: Iterable[Page],
        lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    ) -> None:
        super().__init__(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, routes=[*pages])
        self._transcoder = transcoder
        self._own_paths = frozenset(page.path for page in pages)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's entry."""
        if scope["type"] == "websocket" or (scope["type"] == "http" and scope["path"] not in self._own_paths):
            await self._transcoder.serve(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def methods_at(self, scope: Scope) -> Collection[str]:
        """The methods that a path has, as the transcoder says it of the contract's paths. Raises InvalidRequest."""
        return ("GET", "HEAD") if scope["path"] in self._own_paths else self._transcoder.methods_at(scope)


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway, wired. `app` is an ASGI application whose lifespan opens and closes the channels."""

    app: ASGIApp
    table: RouteTable
    drain: Callable[[], None]
    """Ends every stream with an error that asks its client to come back; call it before the server stops."""
    refused: Callable[[ErrorReply], None]
    """Counts and logs a request that the server refused, because it never was one."""


def create_app(settings: GatewaySettings, registry: CollectorRegistry | None = None) -> ASGIApp:
    """The application alone, for servers that bring their own way of stopping."""
    return create_gateway(settings, registry).app


def create_gateway(settings: GatewaySettings, registry: CollectorRegistry | None = None) -> Gateway:
    """Compiles everything, connects to nothing. Metrics go to `registry`, or to one of their own.

    Raises ContractError, RouteError and HeaderError for what cannot be served, OSError for a descriptor set that
    cannot be read."""
    contract = read_contract(settings.descriptor_set.read_bytes())
    codec = Codec(contract.registry)
    upstreams = Upstreams(settings.upstreams, settings.max_message_bytes)
    table = compile_routes(
        contract,
        codec,
        serves=lambda rpc: upstreams.package_of(rpc) is not None,
        unary_deadline=settings.unary_deadline,
    )
    if not table.routes:
        raise RouteError(f"no rpc with an http rule in {', '.join(settings.upstreams)}")
    metrics = registry or new_registry()
    pace = Pace(settings.body_rate, settings.body_timeout)
    preparation = Preparation(HeaderForwarding(settings.forwarded_headers), settings.max_body_bytes, pace)
    handshakes = Handshakes(table.routes)
    live = Live()
    endpoints: dict[Route, Endpoint] = {}
    sockets: dict[Route, SocketEndpoint] = {}
    timing = StreamTiming(settings.heartbeat, settings.stall)
    compression = Compression(settings.compression, settings.compression_minimum)
    terms = Terms(preparation, compression, timing, Origins(settings.allowed_origins), live)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        upstreams.open(contract.rpcs)
        for route in table.routes:
            endpoints[route] = endpoint_of(route, contract, upstreams, terms)
            if route in handshakes.routes:
                sockets[route] = socket_endpoint_of(route, contract, upstreams, terms)
        yield
        await upstreams.close()

    openapi = document_of(
        contract,
        table.routes,
        sockets=handshakes.routes,
        title=settings.title,
        version=settings.api_version,
        auth_cookie=settings.auth_cookie,
    )
    own = [*docs_routes(settings.title), *_operational_pages(openapi, metrics, upstreams)]
    pages = [compressed_page(page, compression) for page in own]
    _refuse_hidden_routes(table, pages)
    observation = Observation(metrics)
    app = GatewayApplication(Transcoder(table.trie, endpoints, handshakes, sockets, observation), pages, lifespan)
    aside = {page.path for page in pages} - {_OPENAPI}
    front = browser_front(app, settings, app.methods_at, aside, observation)
    return Gateway(front, table, live.drain, observation.refused)


def _refuse_hidden_routes(table: RouteTable, pages: Iterable[Page]) -> None:
    """A rule may cover the gateway's own pages with a wildcard, but none is about one of them alone."""
    for page in pages:
        for route in table.routes:
            if route.template.segments == tuple(page.path.split("/")[1:]):
                raise RouteError(f"{route} is hidden by the gateway's own page {page.path}")


def _operational_pages(openapi: bytes, metrics: CollectorRegistry, upstreams: Upstreams) -> list[Page]:
    async def show_openapi(request: Request) -> Response:
        return Response(openapi, media_type="application/json")

    async def show_metrics(request: Request) -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    async def show_health(request: Request) -> Response:
        return JSONResponse({"status": "SERVING"})

    async def show_readiness(request: Request) -> Response:
        health = await upstreams.health()
        ready = all(state == "SERVING" for state in health.values())
        return JSONResponse({"upstreams": health}, status_code=200 if ready else 503)

    return [
        Page(_OPENAPI, show_openapi),
        Page("/metrics", show_metrics),
        Page("/healthz", show_health),
        Page("/readyz", show_readiness),
    ]


__all__ = ["ContractError", "Gateway", "create_app", "create_gateway"]
