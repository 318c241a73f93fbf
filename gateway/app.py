"""The composition root: a contract, its routes and its services become one FastAPI application."""

from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.routing import Route as Page
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.body import Pace
from gateway.browsers import browser_front
from gateway.compression import Compression, compressed_page
from gateway.endpoints import Terms
from gateway.errors import ErrorReply
from gateway.exchange import Preparation
from gateway.generation import make_generation
from gateway.headers import HeaderForwarding
from gateway.observation import Observation
from gateway.origins import Origins
from gateway.page_errors import PAGE_ERRORS, PAGE_METHODS
from gateway.pages import OPENAPI, own_pages
from gateway.reflection import ReflectionSource
from gateway.reload import ContractState, Reloader
from gateway.routes import RouteTable
from gateway.settings import GatewaySettings
from gateway.sources import FileSource, Snapshot, Source
from gateway.streams import StreamTiming
from gateway.transcoder import Transcoder
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
        super().__init__(
            lifespan=lifespan,
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
            routes=[*pages],
            exception_handlers={**PAGE_ERRORS},
        )
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
        return PAGE_METHODS if scope["path"] in self._own_paths else self._transcoder.methods_at(scope)


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway, wired. `app` is an ASGI application whose lifespan opens and closes the channels."""

    app: ASGIApp
    transcoder: Transcoder
    drain: Callable[[], None]
    """Ends every stream with an error that asks its client to come back; call it before the server stops."""
    reload: Callable[[], None]
    """Reads the contract anew, soon; what has changed is served without a stop."""
    refused: Callable[[ErrorReply], None]
    """Counts and logs a request that the server refused, because it never was one."""

    @property
    def table(self) -> RouteTable:
        """The routes of now; none at the start, when reflection tells them later."""
        return self.transcoder.generation.plan.table


def create_app(settings: GatewaySettings, registry: CollectorRegistry | None = None) -> ASGIApp:
    """The application alone, for servers that bring their own way of stopping."""
    return create_gateway(settings, registry).app


def create_gateway(settings: GatewaySettings, registry: CollectorRegistry | None = None) -> Gateway:
    """Compiles everything, connects to nothing. Metrics go to `registry`, or to one of their own.

    Raises ContractError, RouteError and HeaderError for what cannot be served, OSError for a descriptor set that
    cannot be read."""
    metrics = registry or new_registry()
    state = ContractState(metrics)
    observation = Observation(metrics)
    terms = _terms(settings)
    own = own_pages(settings.title, metrics, state, lambda: transcoder.generation)
    pages = [compressed_page(page, terms.compression) for page in own]
    make = partial(make_generation, settings=settings, own_paths=[page.path for page in pages], terms=terms)
    said = _sources(settings)
    names = {source.name: snapshot for source, snapshot in said.items()}
    transcoder = Transcoder(make(int(any(names.values())), names), observation)
    reloader = Reloader(transcoder, said, make, state, settings.stream_grace)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with reloader.serving():
            yield

    app = GatewayApplication(transcoder, pages, lifespan)
    aside = {page.path for page in pages} - {OPENAPI}
    front = browser_front(app, settings, app.methods_at, aside, observation)
    return Gateway(front, transcoder, reloader.drain, reloader.reload, observation.refused)


def _sources(settings: GatewaySettings) -> dict[Source, Snapshot | None]:
    """Where the contract comes from, with what is known of it before anything runs. Raises OSError."""
    sources: dict[Source, Snapshot | None] = {}
    if settings.upstreams:
        file = FileSource(settings.descriptor_set, settings.descriptor_set_poll)
        sources[file] = file.read()
    for target in dict.fromkeys(settings.reflect):
        sources[ReflectionSource(target, settings.reflect_poll, settings.max_message_bytes)] = None
    return sources


def _terms(settings: GatewaySettings) -> Terms:
    """Raises HeaderError."""
    pace = Pace(settings.body_rate, settings.body_timeout)
    return Terms(
        Preparation(HeaderForwarding(settings.forwarded_headers), settings.max_body_bytes, pace),
        Compression(settings.compression, settings.compression_minimum),
        StreamTiming(settings.heartbeat, settings.stall),
        Origins(settings.allowed_origins),
    )
