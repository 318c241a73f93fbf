"""The composition root: a contract, its routes and its services become one FastAPI application."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Page
from starlette.types import Receive, Scope, Send

from gateway.binding import RouteError, cursor_of, message_of
from gateway.contract import Contract, ContractError, read_contract
from gateway.docs import docs_routes
from gateway.exchange import Endpoint, Preparation
from gateway.headers import HeaderForwarding
from gateway.observation import Observation
from gateway.openapi import document_of
from gateway.routes import Route, RouteTable, compile_routes
from gateway.settings import GatewaySettings
from gateway.streams import Live, StreamEndpoint, StreamTiming
from gateway.transcoder import Transcoder
from gateway.unary import UnaryEndpoint
from gateway.upstreams import Upstreams
from mesh.codec import Codec
from mesh.telemetry import new_registry


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
        if scope["type"] == "http" and scope["path"] not in self._own_paths:
            await self._transcoder.serve(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway, wired. `app` is an ASGI application whose lifespan opens and closes the channels."""

    app: FastAPI
    table: RouteTable
    drain: Callable[[], None]
    """Ends every stream with an error that asks its client to come back; call it before the server stops."""


def create_app(settings: GatewaySettings, registry: CollectorRegistry | None = None) -> FastAPI:
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
    preparation = Preparation(HeaderForwarding(settings.forwarded_headers), settings.max_body_bytes)
    live = Live()
    endpoints: dict[Route, Endpoint] = {}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        upstreams.open(contract.rpcs)
        timing = StreamTiming(settings.heartbeat, settings.stall)
        endpoints.update(_endpoints(table, contract, codec, upstreams, preparation, timing, live))
        yield
        await upstreams.close()

    openapi = document_of(contract, table.routes, title=settings.title, version=settings.api_version)
    pages = [*docs_routes(settings.title), *_operational_pages(openapi, metrics, upstreams)]
    _refuse_hidden_routes(table, pages)
    transcoder = Transcoder(table.trie, endpoints, Observation(metrics))
    return Gateway(GatewayApplication(transcoder, pages, lifespan), table, live.drain)


def _endpoints(
    table: RouteTable,
    contract: Contract,
    codec: Codec,
    upstreams: Upstreams,
    preparation: Preparation,
    timing: StreamTiming,
    live: Live,
) -> Iterable[tuple[Route, Endpoint]]:
    """Binds every route to its method on a channel; needs the running loop."""
    for route in table.routes:
        rpc, channel = route.rpc, upstreams.channel(route.rpc)
        if not rpc.server_streaming:
            yield route, UnaryEndpoint(route, channel.unary_unary(rpc.path), preparation)
            continue
        cursor = cursor_of(contract, rpc)
        yield (
            route,
            StreamEndpoint(
                route=route,
                rpc=channel.unary_stream(rpc.path),
                preparation=preparation,
                codec=codec,
                message_type=message_of(contract, rpc.response).type,
                version=cursor[0] if cursor is not None else None,
                timing=timing,
                live=live,
            ),
        )


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
        Page("/openapi.json", show_openapi),
        Page("/metrics", show_metrics),
        Page("/healthz", show_health),
        Page("/readyz", show_readiness),
    ]


__all__ = ["ContractError", "Gateway", "create_app", "create_gateway"]
