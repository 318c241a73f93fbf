"""The echo service of `echo.proto`, compiled when the tests run, and what tests need to serve and call it."""

import json
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from buf.validate import validate_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message_factory import GetMessageClass
from grpc import aio
from grpc_tools import protoc
from sagamesh.mesh.v1 import policy_pb2

from mesh.identity import Jwk, generate_key, public_jwks
from mesh.server import Server
from mesh.settings import ServerSettings

ROOT = Path(__file__).parents[2]
CARDINALITIES = ["Unary", "ServerStream", "ClientStream", "Bidi"]
# Imported for this: what a proto depends on must be in the pool before it.
DEPENDENCIES = (validate_pb2.DESCRIPTOR, policy_pb2.DESCRIPTOR)

_compile: Any = protoc.main  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # grpc_tools has no types

# Messages of a proto that is compiled at run time have no static type.
Message = Any
Act = Callable[[Message], Awaitable[object]]


def compiled(text: str, name: str) -> Any:
    """The FileDescriptor of a proto, which may import the repository's contracts."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_text(text)
        image = ROOT / "gen" / "sagamesh.binpb"
        out = Path(folder) / "out.binpb"
        arguments = ["protoc", f"-I{folder}", f"--descriptor_set_in={image}", f"--descriptor_set_out={out}", name]
        assert _compile(arguments) == 0
        files = FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(files.file[0].SerializeToString())
    return pool.FindFileByName(name)


@cache
def echo_file() -> Any:
    """The compiled echo.proto."""
    return compiled((Path(__file__).parent / "echo.proto").read_text(), "echo.proto")


def echo_service() -> ServiceDescriptor:
    """The descriptor of EchoService."""
    return echo_file().services_by_name["EchoService"]


def echo(text: str = "", **fields: Any) -> Message:
    """An Echo message."""
    return GetMessageClass(echo_file().message_types_by_name["Echo"])(text=text, **fields)


async def nothing(_: Message) -> None:
    """The act of a handler that only echoes."""


class EchoServicer:
    """Runs `act` for each request, then echoes it. An act that returns a message answers with that."""

    def __init__(self, act: Act = nothing) -> None:
        self.act = act

    async def Unary(self, request: Message, context: Any) -> Message:
        return await self.act(request) or request

    Poll = Hurried = Patient = ForUsers = ForManagers = ForWorker = ForManagersAndWorker = ForNobody = Unary

    async def ServerStream(self, request: Message, context: Any) -> AsyncIterator[Message]:
        for _ in range(2):
            yield await self.act(request) or request

    HurriedStream = ServerStream

    async def ClientStream(self, requests: AsyncIterator[Message], context: Any) -> Message:
        last = echo()
        async for request in requests:
            last = await self.act(request) or request
        return last

    async def Bidi(self, requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
        async for request in requests:
            yield await self.act(request) or request


class EchoClient:
    """Calls any method of the echo service and gathers its answers."""

    def __init__(self, channel: aio.Channel) -> None:
        self._channel: Any = channel

    def start(self, method: str, *requests: Message, **options: Any) -> Any:
        """grpc's call object."""
        kind = echo_service().methods_by_name[method]
        shape = f"{'stream' if kind.client_streaming else 'unary'}_{'stream' if kind.server_streaming else 'unary'}"
        reply = GetMessageClass(kind.output_type)
        send = getattr(self._channel, shape)(
            f"/{echo_service().full_name}/{method}", _serialized, reply.FromString, _registered_method=False
        )
        return send(_each(requests) if kind.client_streaming else requests[0], **options)

    async def call(self, method: str, *requests: Message, **options: Any) -> list[Message]:
        """Every answer. Raises AioRpcError."""
        call = self.start(method, *requests, **options)
        if echo_service().methods_by_name[method].server_streaming:
            return [answer async for answer in call]
        return [await call]


def _serialized(request: Message) -> bytes:
    return request if isinstance(request, bytes) else request.SerializeToString()


async def _each(requests: Iterable[Message]) -> AsyncIterator[Message]:
    for request in requests:
        yield request


class Keys:
    """A JWK Set in a file, with a key for users and one for the worker."""

    def __init__(self, folder: Path) -> None:
        self.users: Jwk = generate_key("users")
        self.worker: Jwk = generate_key("service:arq_worker")
        self.jwks = folder / "jwks.json"
        self.worker_file = folder / "worker.json"
        self.jwks.write_text(json.dumps(public_jwks([self.users, self.worker])))
        self.worker_file.write_text(json.dumps(self.worker))

    def settings(self, **options: Any) -> ServerSettings:
        """Settings of a server that trusts the keys and drains fast."""
        chosen: dict[str, Any] = {"drain_grace_seconds": 2.0, **options}
        return ServerSettings(jwks=str(self.jwks), **chosen)


def plain_channel(server: Server) -> aio.Channel:
    """A channel that adds nothing to its calls."""
    return aio.insecure_channel(f"127.0.0.1:{server.port}")


@asynccontextmanager
async def serving(keys: Keys, servicer: object, **options: Any) -> AsyncGenerator[tuple[Server, EchoClient]]:
    """A server with the servicer, and a plain client of it that adds nothing to its calls."""
    server = Server(keys.settings(**options), [(servicer, echo_service())])
    async with server, plain_channel(server) as channel:
        yield server, EchoClient(channel)
