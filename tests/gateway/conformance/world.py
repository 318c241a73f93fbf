"""Plays cases: a real gateway, a real gRPC service behind it, and raw bytes over a real socket."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from gateway.settings import GatewaySettings
from tests.gateway.conformance.backend import Backend
from tests.gateway.conformance.cases import Case
from tests.gateway.conformance.contract import PACKAGE, as_text, image, message, methods
from tests.gateway.http import Connection, Response
from tests.gateway.serving import running_gateway

PATIENCE = 10
"""Seconds after which what has not happened will not."""


@dataclass(frozen=True)
class World:
    """A gateway's port, and the service behind it."""

    port: int
    backend: Backend

    async def play(self, case: Case) -> Response:
        """Sends a case's bytes on a connection of its own; returns what came back."""
        self.backend.begin(case.answers, case.fails, waits=case.waits or case.hangs_up)
        connection = await Connection.open(self.port)
        try:
            connection.writer.write(case.sends)
            if case.hangs_up:
                await asyncio.wait_for(self.backend.called.wait(), PATIENCE)
                connection.close()
                await asyncio.wait_for(self.backend.cancelled.wait(), PATIENCE)
                return Response(case.status, {}, b"")
            head_only = case.sends.startswith(b"HEAD ")
            return await asyncio.wait_for(connection.response(head_only=head_only), PATIENCE)
        finally:
            connection.close()

    def received(self) -> str:
        """What reached the service, as cases write it."""
        return "\n".join(map(str, self.backend.calls))


@asynccontextmanager
async def running_world(folder: Path, **settings: Any) -> AsyncGenerator[World]:
    """A world; `settings` are the gateway's."""
    descriptor_set = folder / "conformance.binpb"
    descriptor_set.write_bytes(image())
    backend = Backend()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((backend,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    configured = GatewaySettings(
        listen="127.0.0.1:0",
        upstreams={PACKAGE: f"127.0.0.1:{port}"},
        descriptor_set=descriptor_set,
        forwarded_headers=("authorization", "tracestate", "x-tenant", "x-data-bin"),
        **settings,
    )
    async with running_gateway(configured) as (gateway_port, _):
        yield World(gateway_port, backend)
    await server.stop(None)


def normalised(received: str) -> str:
    """What a case says was received, as `World.received` would say it."""
    lines: list[str] = []
    for line in received.splitlines():
        rpc, _, text = line.strip().removesuffix(")").partition("(")
        lines.append(f"{rpc}({_one_line(rpc, text)})")
    return "\n".join(lines)


def _one_line(rpc: str, text: str) -> str:
    descriptor: Any = methods()[rpc].input_type
    return as_text(descriptor, message(descriptor, text).SerializeToString())
