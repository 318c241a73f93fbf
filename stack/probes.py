"""Whether a server serves, asked the way its clients would. A probe answers; it never raises and never waits long."""

import asyncio
from collections.abc import Awaitable, Callable

import grpc.aio
from grpc_health.v1 import health_pb2

from stack import postgres

Probe = Callable[[], Awaitable[bool]]

_PATIENCE = 2.0


def tcp(port: int, question: bytes = b"", answer: bytes = b"") -> Probe:
    """Whether the loopback port accepts connections and, when there is a question, answers it as expected."""

    async def probe() -> bool:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await _ask(port, question, len(answer)) == answer
        except (OSError, TimeoutError):
            return False

    return probe


def postgresql(port: int) -> Probe:
    """Whether PostgreSQL takes connections, which it does some time after its port does."""
    return tcp(port, postgres.PROBE, postgres.PROBE_ANSWER)


def redis(port: int) -> Probe:
    """Whether Redis has loaded its data. Without its password it says so, or that it wants one."""

    async def probe() -> bool:
        try:
            async with asyncio.timeout(_PATIENCE):
                return (await _ask(port, b"PING\r\n", 8)).startswith((b"+PONG", b"-NOAUTH"))
        except (OSError, TimeoutError):
            return False

    return probe


def http(port: int, path: str) -> Probe:
    """Whether a GET of the path answers 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    return tcp(port, request, b"HTTP/1.1 200")


def grpc_health(port: int) -> Probe:
    """Whether the server's health service says SERVING for the server as a whole."""
    listens = tcp(port)

    async def probe() -> bool:
        # A channel that found nobody waits before it tries again, longer each time; so it is only made for somebody.
        return await listens() and await _is_serving(f"127.0.0.1:{port}")

    return probe


def _check(
    channel: grpc.aio.Channel,
) -> grpc.aio.UnaryUnaryMultiCallable[health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse]:
    # The generated stub of the health service has no types.
    return channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )


async def _is_serving(target: str) -> bool:
    async with grpc.aio.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            reply = await _check(channel)(health_pb2.HealthCheckRequest(), timeout=_PATIENCE)
        except grpc.aio.AioRpcError:
            return False
        return reply.status == health_pb2.HealthCheckResponse.SERVING


async def _ask(port: int, question: bytes, size: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        if not question:
            return b""
        writer.write(question)
        return await reader.readexactly(size)
    except asyncio.IncompleteReadError as error:
        return error.partial
    finally:
        writer.close()
