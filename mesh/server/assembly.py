"""Builds a grpc.aio server from servicers: their handlers, the infrastructure services, the interceptor, options."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from google.protobuf.descriptor import ServiceDescriptor
from grpc import aio
from grpc_channelz.v1 import channelz, channelz_pb2
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2
from prometheus_client import CollectorRegistry

from mesh.identity import TokenVerifier
from mesh.server.admission import Pool, WaitingCalls
from mesh.server.interceptor import MeshInterceptor
from mesh.server.outcome import Observer
from mesh.server.registration import Method, generic_handler, methods_of
from mesh.server.served_call import Guards
from mesh.server.validation import RequestValidator
from mesh.settings import ServerSettings
from mesh.telemetry import CallMetrics

Service = tuple[object, ServiceDescriptor]


class HealthChecks(Protocol):
    """What the health service says of this server."""

    async def set(self, service: str, status: int) -> None:
        """Sets a service's HealthCheckResponse.ServingStatus; `""` is the whole server."""
        ...

    async def enter_graceful_shutdown(self) -> None:
        """Sets every status to NOT_SERVING, for good."""
        ...


def health_checks() -> HealthChecks:
    """A health service that says SERVING of the server, and nothing yet of its services."""
    return health.aio.HealthServicer()  # pyright: ignore  # typeshed's stub of the module lacks `aio`


def infrastructure(services: Sequence[Service], checks: HealthChecks) -> Sequence[Service]:
    """Health, reflection and channelz for the services."""
    own: list[Any] = [  # the stubs of these packages say that they hold another kind of descriptor
        health_pb2.DESCRIPTOR.services_by_name["Health"],
        reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"],
        channelz_pb2.DESCRIPTOR.services_by_name["Channelz"],
    ]
    names = [service.full_name for service in (*(service for _, service in services), *own)]
    servicers: list[object] = [checks, reflection.aio.ReflectionServicer(names), channelz.aio.ChannelzServicer()]
    return list(zip(servicers, own, strict=True))


def assemble(
    settings: ServerSettings,
    services: Sequence[Service],
    verifier: TokenVerifier,
    waiting: WaitingCalls,
    registry: CollectorRegistry,
) -> aio.Server:
    """A server that listens nowhere yet. Raises PolicyMissing, MethodsMissing or protovalidate.CompilationError."""
    methods = [method for _, service in services for method in methods_of(service).values()]
    validator = RequestValidator()
    validator.prepare(method.request for method in methods)
    metrics = CallMetrics(registry)
    guards = Guards(
        methods={method.path: method for method in methods},
        pools=_pools(settings, methods, metrics),
        verifier=verifier,
        validator=validator,
        waiting=waiting,
        observer=Observer(metrics),
    )
    return aio.server(
        handlers=[generic_handler(servicer, service, validator) for servicer, service in services],
        interceptors=[MeshInterceptor(guards)],
        options=_options(settings),
    )


def _pools(settings: ServerSettings, methods: Iterable[Method], metrics: CallMetrics) -> dict[str, Pool]:
    calls = Pool("calls", settings.max_concurrent_calls)
    streams = Pool("streams", settings.max_concurrent_streams)
    # An overloaded server is still alive, and must be able to say so.
    unbounded = Pool("infrastructure", sys.maxsize)
    for pool in (calls, streams, unbounded):
        metrics.watch(pool.name, lambda pool=pool: pool.used)
    return {
        method.path: unbounded if method.infrastructure else streams if method.policy.waits else calls
        for method in methods
    }


def _options(settings: ServerSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", int(settings.reuse_port)),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        # Clients of the mesh ping every 20 s (mesh/channel.py); more often than this and they are cut off.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ]
