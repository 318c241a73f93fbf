"""Servers that tell their contract, each its own: the descriptors of a test are in no pool of the process."""

from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

Answer = Callable[[ServerReflectionRequest], ServerReflectionResponse]


def reflecting(descriptor_set: bytes, *services: str, version: str = "v1alpha") -> grpc.GenericRpcHandler:
    """grpcio's own reflection servicer, which tells `services` and itself. It has v1alpha only, but the messages of v1
    are the same."""
    servicer: Any = reflection.aio.ReflectionServicer(  # pyright: ignore  # the stub of the module lacks `aio`
        [*services, f"grpc.reflection.{version}.ServerReflection", "grpc.health.v1.Health"], pool=_pool(descriptor_set)
    )
    return _handler(servicer.ServerReflectionInfo, version)


def answering(answer: Answer) -> grpc.GenericRpcHandler:
    """Any server there may be."""

    async def info(requests: Any, context: Any) -> Any:
        async for request in requests:
            yield answer(request)

    return _handler(info, "v1")


def _handler(info: Any, version: str) -> grpc.GenericRpcHandler:
    method = grpc.stream_stream_rpc_method_handler(
        info,
        request_deserializer=ServerReflectionRequest.FromString,
        response_serializer=ServerReflectionResponse.SerializeToString,
    )
    name = f"grpc.reflection.{version}.ServerReflection"
    return grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": method})


def _pool(descriptor_set: bytes) -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    files = {file.name: file.SerializeToString() for file in FileDescriptorSet.FromString(descriptor_set).file}
    for file in files.values():
        pool.AddSerializedFile(file)
    return pool
