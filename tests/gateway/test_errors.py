"""Errors that are no one's refusal: services that fail, are away, lack an rpc, or take too long."""

import socket
from pathlib import Path
from typing import Any

import grpc
import pytest

from gateway.settings import GatewaySettings
from tests.gateway.contracts import Message, library
from tests.gateway.http import request
from tests.gateway.serving import Running, running_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_nor_does_an_uncaught_exceptions(running: Running) -> None:
    async def act(request: Message, context: Any) -> Message:
        raise RuntimeError("postgresql://user:password@db")

    running.library.act = act

    response = await request(running.port, "GET", "/v1/books/b1")

    assert (response.status, response.error["message"]) == (500, "The service failed.")


async def test_a_service_without_the_rpc_is_a_501(tmp_path: Path) -> None:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with running_gateway(_settings(tmp_path, port)) as (gateway_port, _):
        response = await request(gateway_port, "GET", "/v1/books/b1")
    await server.stop(None)

    assert (response.status, response.error["status"]) == (501, "UNIMPLEMENTED")


async def test_a_service_that_is_away_is_a_503_at_once_and_is_found_when_it_comes(tmp_path: Path) -> None:
    held = socket.socket()  # keeps the port without listening on it
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("127.0.0.1", 0))
    port = held.getsockname()[1]
    server = grpc.aio.server()
    async with running_gateway(_settings(tmp_path, port)) as (gateway_port, _):
        away = await request(gateway_port, "GET", "/v1/books/b1")
        stream = await request(gateway_port, "GET", "/v1/books/b1:watch")
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        while (come := await request(gateway_port, "GET", "/v1/books/b1")).status == 503:
            pass
    await server.stop(None)
    held.close()

    assert (away.status, away.headers["retry-after"], away.reason) == (503, "1", "UNAVAILABLE")
    assert b"127.0.0.1" not in away.body
    assert stream.status == 503
    assert come.status == 501


async def test_a_deadline_that_passes_is_a_504(running: Running) -> None:
    async def act(request: Message, context: Any) -> Message:
        await running.library.cancelled.wait()

    running.library.act = act

    response = await request(running.port, "GET", "/v1/books/b1")

    assert (response.status, response.error["status"]) == (504, "DEADLINE_EXCEEDED")
    assert response.error["message"] == "The call did not end within its deadline."
    await running.library.cancelled.wait()


def _settings(tmp_path: Path, port: int) -> GatewaySettings:
    image = tmp_path / "library.binpb"
    image.write_bytes(library())
    return GatewaySettings(listen="127.0.0.1:0", upstreams={"test.library": f"127.0.0.1:{port}"}, descriptor_set=image)
