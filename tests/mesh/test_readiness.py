"""Health follows readiness: whoever watches it turns elsewhere while the database is away."""

import asyncio
from typing import Any

from grpc import aio
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from mesh.background import running
from mesh.server import Server
from mesh.signal import Signal
from tests.mesh.echo import EchoServicer, Keys, echo_service, plain_channel


async def _next(watch: Any, status: int) -> None:
    async with asyncio.timeout(10):
        while (await watch.read()).status != status:
            pass


def _watch(channel: aio.Channel, service: str = "") -> Any:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    return stub.Watch(HealthCheckRequest(service=service))


async def test_health_follows_what_the_service_needs(keys: Keys) -> None:
    needed = {"here": True}
    services = [(EchoServicer(), echo_service())]
    async with Server(keys.settings(), services, ready=lambda: needed["here"]) as server, plain_channel(server) as c:
        whole, one = _watch(c), _watch(c, "sagamesh.echo.v1.EchoService")
        for here, status in ((True, HealthCheckResponse.SERVING), (False, HealthCheckResponse.NOT_SERVING)) * 2:
            needed["here"] = here
            await _next(whole, status)
            await _next(one, status)


async def test_a_signal_without_its_database_is_not_carried() -> None:
    signal = Signal("postgresql://nobody@127.0.0.1:1/nothing", "test")
    async with running("signal", signal.run):
        await asyncio.sleep(0.1)
        assert not signal.is_carried
