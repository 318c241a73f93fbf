"""A service's contract, asked of the service itself: gRPC server reflection, v1 or v1alpha.

Reflection gives no comments. Options come as they were compiled, so google.api.http rules do.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from gateway.sources import Pause, Snapshot, SourceError
from gateway.upstreams import connection_options

# Both versions have the same messages.
_METHODS = tuple(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in ("v1", "v1alpha"))
_OTHER_VERSION = frozenset({grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNAVAILABLE})
"""What a server without v1 answers, or a proxy in front of it."""
_INFRASTRUCTURE = ("grpc.reflection.", "grpc.health.", "grpc.channelz.")
_TIMEOUT = 10.0
_FIRST_RETRY = 1.0

_Ask = Callable[[ServerReflectionRequest], Awaitable[ServerReflectionResponse]]


class ReflectionSource:
    """The services of a host. They are asked every `poll` seconds, and whenever the host has been reached anew."""

    def __init__(self, target: str, poll: float, max_message_bytes: int) -> None:
        self._target = target
        self._poll = poll
        self._options = connection_options(max_message_bytes)
        self._pause = Pause()
        self._rest = poll
        self._channel: grpc.aio.Channel | None = None
        self._connection: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The host."""
        return self._target

    def call(self) -> None:
        """Asks at once."""
        self._pause.call()

    async def next(self) -> Snapshot:
        """After a failure the next try comes soon, and then less and less so. Raises SourceError."""
        channel = self._connected()
        await self._pause.wait(self._rest)
        try:
            snapshot = await read_by_reflection(channel, self._target)
        except SourceError:
            self._rest = min(_FIRST_RETRY if self._rest >= self._poll else self._rest * 2, self._poll)
            raise
        self._rest = self._poll
        return snapshot

    async def close(self) -> None:
        """Closes the connection."""
        if self._channel is not None and self._connection is not None:
            self._connection.cancel()
            await self._channel.close()

    def _connected(self) -> grpc.aio.Channel:
        """A channel of its own, which stays with one replica as long as that one answers."""
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self._target, options=self._options)
            self._connection = asyncio.get_running_loop().create_task(self._watch(self._channel))
        return self._channel

    async def _watch(self, channel: grpc.aio.Channel) -> None:
        """Connects, again and again, and calls when it has. One endless task: a wait for a channel's state that is
        given up would stay in gRPC until the state changes."""
        while (state := channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.SHUTDOWN:
            if state is grpc.ChannelConnectivity.READY:
                self._pause.call()
            await channel.wait_for_state_change(state)


async def read_by_reflection(channel: grpc.aio.Channel, target: str) -> Snapshot:
    """The services that a server lists, without gRPC's own, and every file that they need, dependencies first.

    Raises SourceError."""
    reason = ""
    for method in _METHODS:
        try:
            return await _read(channel, method, target)
        except grpc.aio.AioRpcError as error:
            reason = f"{error.code().name} {error.details()}"
            if error.code() not in _OTHER_VERSION:
                break
    raise SourceError(f"{target} does not tell its contract: {reason}")


async def _read(channel: grpc.aio.Channel, method: str, target: str) -> Snapshot:
    """Each question is a call of its own. On the wire that is a stream of one request, and the writes of a longer one
    race in grpc.aio with a server's refusal, which then reads INTERNAL."""
    call: Any = channel.unary_unary(
        method,
        request_serializer=ServerReflectionRequest.SerializeToString,
        response_deserializer=ServerReflectionResponse.FromString,
    )
    return await _Reading(partial(call, timeout=_TIMEOUT), target).snapshot()


class _Reading:
    """One look at a server."""

    def __init__(self, ask: _Ask, target: str) -> None:
        self._ask = ask
        self._target = target
        self._told: dict[str, FileDescriptorProto] = {}
        self._needed: dict[str, FileDescriptorProto] = {}

    async def snapshot(self) -> Snapshot:
        listed = (await self._ask(ServerReflectionRequest(list_services=""))).list_services_response.service
        services = sorted(one.name for one in listed if not one.name.startswith(_INFRASTRUCTURE))
        for service in services:
            await self._need(await self._file_with(service), ())
        files = FileDescriptorSet(file=self._needed.values())
        return Snapshot(files.SerializeToString(deterministic=True), dict.fromkeys(services, (self._target,)))

    async def _need(self, file: FileDescriptorProto, importers: tuple[str, ...]) -> None:
        """Takes a file after those that it imports, so that equal contracts are equal bytes."""
        if file.name in importers:
            raise SourceError(f"{self._target} tells of {file.name}, which imports itself")
        for name in file.dependency:
            if name not in self._needed:
                await self._need(await self._file_named(name), (*importers, file.name))
        self._needed[file.name] = file

    async def _file_with(self, service: str) -> FileDescriptorProto:
        if (file := self._teller_of(service)) is None:
            await self._learn(ServerReflectionRequest(file_containing_symbol=service), service)
            file = self._teller_of(service)
        if file is None:
            raise SourceError(f"{self._target} does not tell {service}")
        return file

    async def _file_named(self, name: str) -> FileDescriptorProto:
        if name not in self._told:
            await self._learn(ServerReflectionRequest(file_by_filename=name), name)
        if name not in self._told:
            raise SourceError(f"{self._target} does not tell {name}")
        return self._told[name]

    async def _learn(self, request: ServerReflectionRequest, wanted: str) -> None:
        """Takes what an answer tells: the file, and whatever the server tells beside it."""
        response = await self._ask(request)
        if response.HasField("error_response"):
            raise SourceError(f"{self._target} does not tell {wanted}: {response.error_response.error_message}")
        for encoded in response.file_descriptor_response.file_descriptor_proto:
            try:
                file = FileDescriptorProto.FromString(encoded)
            except DecodeError as error:
                raise SourceError(f"{self._target} tells no valid file for {wanted}: {error}") from error
            self._told.setdefault(file.name, file)

    def _teller_of(self, service: str) -> FileDescriptorProto | None:
        package, _, name = service.rpartition(".")
        for file in self._told.values():
            if file.package == package and any(one.name == name for one in file.service):
                return file
        return None
