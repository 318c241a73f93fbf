"""Whether a server serves, asked the way its clients would. A probe answers; it never raises and never waits long."""

import asyncio
import struct
from collections.abc import Awaitable, Callable

import grpc.aio
from grpc_health.v1 import health_pb2

_STARTUP = struct.pack("!i", 3 << 16) + b"user\0postgres\0\0"
POSTGRES_GREETING = struct.pack("!i", len(_STARTUP) + 4) + _STARTUP
"""The first message of a connection to PostgreSQL."""
POSTGRES_WELCOME = b"R"
"""The beginning of its answer when it can serve: it asks for the password. While it starts, it answers an error."""

Probe = Callable[[], Awaitable[bool]]

_PATIENCE = 2.0
# A proxy that the environment names is not for the loopback, and no channel may inherit another's failures.
LOOPBACK_OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]


def tcp(port: int) -> Probe:
    """Whether the loopback port accepts connections."""
    return _exchange(port, b"", 0, lambda _: True)


def postgresql(port: int) -> Probe:
    """Whether PostgreSQL takes connections, which it does some time after its port does."""
    return _exchange(port, POSTGRES_GREETING, len(POSTGRES_WELCOME), lambda answer: answer == POSTGRES_WELCOME)


def redis(port: int) -> Probe:
    """Whether Redis has loaded its data. Without its password it says so, or that it wants one."""
    return _exchange(port, b"PING\r\n", 5, lambda answer: answer in (b"+PONG", b"-NOAU"))


def http(port: int, path: str) -> Probe:
    """Whether a GET of the path answers 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    return _exchange(port, request, len("HTTP/1.1 200"), lambda answer: answer.endswith(b" 200"))


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
    async with grpc.aio.insecure_channel(target, LOOPBACK_OPTIONS) as channel:
        try:
            reply = await _check(channel)(health_pb2.HealthCheckRequest(), timeout=_PATIENCE)
        except grpc.aio.AioRpcError:
            return False
        return reply.status == health_pb2.HealthCheckResponse.SERVING


def _exchange(port: int, question: bytes, size: int, good: Callable[[bytes], bool]) -> Probe:
    """Asks a question on a new connection, and judges the first `size` bytes of the answer."""

    async def probe() -> bool:
        try:
            async with asyncio.timeout(_PATIENCE):
                return good(await _ask(port, question, size))
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return False

    return probe


async def _ask(port: int, question: bytes, size: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(question)
        return await reader.readexactly(size)
    finally:
        writer.close()
