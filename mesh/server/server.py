"""The life of a gRPC server: it starts whole or not at all, and drains before it stops."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Self

import protovalidate
from grpc import aio
from grpc_health.v1.health_pb2 import HealthCheckResponse
from prometheus_client import CollectorRegistry

from mesh.background import running
from mesh.identity import KeySet, KeysUnavailable, TokenVerifier
from mesh.policy import PolicyMissing
from mesh.process import StartError, keep_what_is_loaded, stop_event
from mesh.server.admission import WaitingCalls
from mesh.server.assembly import Service, assemble, health_checks, infrastructure
from mesh.server.registration import MethodsMissing
from mesh.settings import ServerSettings
from mesh.telemetry import metrics_endpoint, new_registry

log = logging.getLogger(__name__)

# Clients that watch health leave within milliseconds; only then are connections told to go away.
_LAME_DUCK = 0.1
# How often readiness is looked at; looking costs nothing.
_LOOK = 0.25
_FIRST_LOOKS = 80
# How long the handler of a stream or long poll may take to end after `draining` is set.
_PATIENCE = 1.0


class Server:
    """Serves servicers over gRPC, with health, reflection and channelz.

    `services` pairs each servicer with the descriptor of its service. `resources` are entered before the port opens
    and left after the last call (a database engine, a background task). While `ready` says no (the database is away),
    health is NOT_SERVING, so that callers turn to other replicas and charge no message for the outage. Handlers of
    streams and long polls should end when `draining` is set; those that do not are cancelled a second later, and
    their callers turn elsewhere.
    """

    def __init__(
        self,
        settings: ServerSettings,
        services: Sequence[Service],
        *,
        resources: Sequence[AbstractAsyncContextManager[object]] = (),
        registry: CollectorRegistry | None = None,
        draining: asyncio.Event | None = None,
        ready: Callable[[], bool] = lambda: True,
    ) -> None:
        self.port = 0
        self.draining = draining or asyncio.Event()
        self._settings = settings
        self._services = services
        self._resources = resources
        self._registry = registry or new_registry()
        self._waiting = WaitingCalls(self.draining)
        self._health = health_checks()
        self._ready = ready
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Opens the resources, then the port, whose number is in `port` from then on. Raises StartError."""
        async with AsyncExitStack() as opening:
            server = await self._assembled()
            for resource in (metrics_endpoint(self._settings.metrics_listen, self._registry), *self._resources):
                await opening.enter_async_context(resource)
            self.port = _listen(server, self._settings.listen)
            await self._show_health(serving=await self._ready_soon())
            await server.start()
            await opening.enter_async_context(running("health", self._follow_readiness))
            opening.push_async_callback(self._drain, server)
            self._open = opening.pop_all()

    async def stop(self) -> None:
        """Drains, then closes the resources. Stopping twice, or before the start, does nothing."""
        await self._open.aclose()

    async def _assembled(self) -> aio.Server:
        verifier = TokenVerifier(KeySet(self._settings.jwks))
        services = [*self._services, *infrastructure(self._services, self._health)]
        try:
            await verifier.load()
            return assemble(self._settings, services, verifier, self._waiting, self._registry)
        except (PolicyMissing, MethodsMissing, KeysUnavailable, protovalidate.CompilationError) as error:
            raise StartError(str(error)) from error

    async def _ready_soon(self) -> bool:
        """Gives what `ready` looks at a moment to connect; a server that is not ready serves all the same."""
        for _ in range(_FIRST_LOOKS):
            if self._ready():
                return True
            await asyncio.sleep(_LOOK / 10)
        return False

    async def _follow_readiness(self) -> None:
        shown = self._ready()
        while True:
            await asyncio.sleep(_LOOK)
            if (ready := self._ready()) is not shown:
                shown = ready
                log.log(logging.INFO if ready else logging.WARNING, "ready" if ready else "not ready")
                await self._show_health(serving=ready)

    async def _show_health(self, *, serving: bool) -> None:
        status = HealthCheckResponse.SERVING if serving else HealthCheckResponse.NOT_SERVING
        for name in ("", *(service.full_name for _, service in self._services)):
            await self._health.set(name, status)

    async def _drain(self, server: aio.Server) -> None:
        grace = self._settings.drain_grace_seconds
        await self._health.enter_graceful_shutdown()
        self.draining.set()
        await asyncio.sleep(_LAME_DUCK)
        await asyncio.gather(server.stop(grace), self._waiting.evict(min(grace, _PATIENCE)))


async def serve(server: Server) -> None:
    """Serves until SIGTERM or SIGINT, then drains. Raises StartError."""
    stopping = stop_event()
    keep_what_is_loaded()
    async with server:
        log.info("serving", extra={"facts": {"port": server.port}})
        await stopping.wait()
        log.info("draining")


def _listen(server: aio.Server, address: str) -> int:
    try:
        return server.add_insecure_port(address)
    except RuntimeError as error:
        raise StartError(f"cannot listen on {address}: it is taken, or not this machine's") from error
