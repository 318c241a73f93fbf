"""Contracts that change, the services behind them, and a gateway that follows."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from gateway.app import Gateway, create_gateway
from gateway.settings import GatewaySettings
from tests.gateway.contracts import compiled
from tests.gateway.http import Json, request
from tests.gateway.serving import serving

_HEADER = 'syntax = "proto3"; package {package}; import "google/api/annotations.proto";'


def rpc(name: str, rule: str = "", *, stream: bool = False) -> str:
    """An rpc of a shop; without a rule it has no REST form."""
    option = f"option (google.api.http) = {{ {rule} }};" if rule else ""
    return f"rpc {name}(Item) returns ({'stream ' if stream else ''}Item) {{ {option} }}"


def shop(*rpcs: str, answer: str = "rpc", package: str = "test.shop.v1", service: str = "Shop") -> bytes:
    """A descriptor set with one service. Every answer repeats the request, and `answer` names the rpc's path."""
    item = f"message Item {{ string name = 1; string {answer} = 2; }}"
    text = f"{_HEADER.format(package=package)} {item} service {service} {{ {' '.join(rpcs)} }}"
    return compiled(text, f"{package}.{service}.proto".lower())


GET = rpc("Get", 'get: "/v1/items/{name}"')
WATCH = rpc("Watch", 'get: "/v1/items/{name}:watch"', stream=True)


class Backend(grpc.GenericRpcHandler):
    """Has every rpc but gRPC's own. One whose name begins with Slow waits to be `released`; one whose name begins with
    Watch answers at once, and at each `tick`."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.arrived = asyncio.Event()
        self.ticks = asyncio.Condition()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        method: str = handler_call_details.method
        if method.startswith("/grpc."):
            return None
        name = method.rpartition("/")[2]
        suffix = b"\x12" + bytes([len(method)]) + method.encode()  # the second field

        async def answer(request: bytes, context: Any) -> bytes:
            if name.startswith("Slow"):
                self.arrived.set()
                await self.released.wait()
            return request + suffix

        async def watch(request: bytes, context: Any) -> AsyncIterator[bytes]:
            while True:
                yield request + suffix
                async with self.ticks:
                    await self.ticks.wait()

        if name.startswith("Watch"):
            return grpc.unary_stream_rpc_method_handler(watch)
        return grpc.unary_unary_rpc_method_handler(answer)

    async def tick(self) -> None:
        async with self.ticks:
            self.ticks.notify_all()


@asynccontextmanager
async def running_backend(*handlers: grpc.GenericRpcHandler, port: int = 0) -> AsyncGenerator[str]:
    """The address of a server."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(handlers)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@dataclass
class Front:
    """A running gateway."""

    port: int
    gateway: Gateway
    file: Path = field(default_factory=Path)

    async def get(self, path: str) -> Json:
        """The answer's JSON, which must be one of success."""
        response = await request(self.port, "GET", path)
        assert response.status == 200, response.body
        return response.json

    async def status(self, path: str) -> int:
        return (await request(self.port, "GET", path)).status

    async def contract(self) -> Json:
        """What /readyz says of the contract."""
        return (await request(self.port, "GET", "/readyz")).json["contract"]

    async def metric(self, name: str) -> float:
        lines = (await request(self.port, "GET", "/metrics")).body.decode().splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))

    def replace(self, descriptor_set: bytes) -> None:
        """Puts another file in the place of the descriptor set, at once."""
        new = self.file.with_suffix(".new")
        new.write_bytes(descriptor_set)
        new.replace(self.file)

    async def load(self, descriptor_set: bytes) -> None:
        """Replaces the contract, and returns when it serves."""
        before = (await self.contract())["generation"]
        self.replace(descriptor_set)
        self.gateway.reload()
        await self.generation(before + 1)

    async def generation(self, number: int) -> None:
        """Returns when a generation serves."""
        async with asyncio.timeout(30):
            while (await self.contract())["generation"] < number:
                await asyncio.sleep(0.01)

    async def failures(self, number: int) -> None:
        """Returns when so many contracts have failed."""
        async with asyncio.timeout(30):
            while await self.metric("gateway_contract_failures_total") < number:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running_shop(tmp_path: Path, descriptor_set: bytes, target: str, **options: Any) -> AsyncGenerator[Front]:
    """A gateway for a descriptor set whose packages are served at one address. It looks at the file often."""
    file = tmp_path / "shop.binpb"
    file.write_bytes(descriptor_set)
    defaults: dict[str, Any] = {"descriptor_set_poll": 0.02}
    settings = GatewaySettings(
        listen="127.0.0.1:0", upstreams={"test": target}, descriptor_set=file, **(defaults | options)
    )
    gateway = create_gateway(settings)
    async with serving(gateway, settings) as (port, _):
        yield Front(port, gateway, file)


@asynccontextmanager
async def running_front(**options: Any) -> AsyncGenerator[Front]:
    """A gateway that asks its services for their contracts."""
    settings = GatewaySettings(listen="127.0.0.1:0", **options)
    gateway = create_gateway(settings)
    async with serving(gateway, settings) as (port, _):
        yield Front(port, gateway)
