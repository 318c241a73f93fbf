"""Puts the worker together: the one place where its channels are made."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from sagamesh.mesh.v1 import (
    inbox_pb2,
    inbox_pb2_grpc,
    maintenance_pb2,
    maintenance_pb2_grpc,
    outbox_pb2,
    outbox_pb2_grpc,
)

from arq_worker.lane import Destination
from arq_worker.relay import Relay, RelayOptions
from arq_worker.schedule import Schedule
from arq_worker.settings import WorkerSettings
from mesh.channel import open_channel
from mesh.identity import ServiceTokens

_SERVICES = [
    inbox_pb2.DESCRIPTOR.services_by_name["InboxService"],
    maintenance_pb2.DESCRIPTOR.services_by_name["MaintenanceService"],
    outbox_pb2.DESCRIPTOR.services_by_name["OutboxService"],
]

_PROBE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Wired:
    """What the worker runs."""

    relays: list[Relay]
    schedule: Schedule


def _health_of(channel: grpc.aio.Channel) -> Callable[[], Awaitable[bool]]:
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=HealthCheckRequest.SerializeToString,
        response_deserializer=HealthCheckResponse.FromString,
    )

    async def is_serving() -> bool:
        try:
            response = await check(HealthCheckRequest(), timeout=_PROBE_SECONDS)
        except grpc.aio.AioRpcError:
            return False
        return response.status == HealthCheckResponse.SERVING

    return is_serving


@asynccontextmanager
async def wire(settings: WorkerSettings) -> AsyncGenerator[Wired]:
    """Opens one channel a service; every service is asked for its outbox, and may be a destination."""
    tokens = ServiceTokens(settings.key_file)
    async with AsyncExitStack() as stack:
        channels = {
            name: await stack.enter_async_context(open_channel(target, _SERVICES, token=tokens))
            for name, target in settings.targets_by_name().items()
        }
        destinations = {
            name: Destination(name, inbox_pb2_grpc.InboxServiceStub(channel), _health_of(channel))
            for name, channel in channels.items()
        }
        options = RelayOptions(wait=settings.pull_wait, deliver_timeout=settings.deliver_timeout)
        relays = [
            Relay(name, outbox_pb2_grpc.OutboxServiceStub(channels[name]), destinations, options) for name in channels
        ]
        schedule = Schedule(
            {name: maintenance_pb2_grpc.MaintenanceServiceStub(channel) for name, channel in channels.items()}
        )
        yield Wired(relays, schedule)
