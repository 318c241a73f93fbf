"""The contract of the conformance suite: all protos of the folder `contract`, as a descriptor set and as messages."""

from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2

from tests.gateway.contracts import compiled

PACKAGE = "test.conformance.v1"


@cache
def image() -> bytes:
    """The serialised descriptor set, with comments."""
    files: dict[str, Any] = {}
    for proto in sorted((Path(__file__).parent / "contract").glob("*.proto")):
        for file in FileDescriptorSet.FromString(compiled(proto.read_text(), proto.name)).file:
            files.setdefault(file.name, file)
    return FileDescriptorSet(file=files.values()).SerializeToString()


@cache
def _pool() -> DescriptorPool:
    """The contract's types and those of error details, apart from every other test's."""
    pool: Any = DescriptorPool()
    files = list(FileDescriptorSet.FromString(image()).file)
    if all(file.name != error_details_pb2.DESCRIPTOR.name for file in files):
        error_details_pb2.DESCRIPTOR.CopyToProto(last := type(files[0])())
        files.append(last)
    for file in files:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


@cache
def methods() -> dict[str, MethodDescriptor]:
    """Every rpc by its path on the wire, and by its own name, which no two share."""
    found: dict[str, MethodDescriptor] = {}
    for file in FileDescriptorSet.FromString(image()).file:
        for service in file.service if file.package == PACKAGE else ():
            for method in service.method:
                assert method.name not in found, f"two rpcs are called {method.name}"
                descriptor: Any = _pool().FindMethodByName(f"{PACKAGE}.{service.name}.{method.name}")
                found[method.name] = found[f"/{PACKAGE}.{service.name}/{method.name}"] = descriptor
    return found


def message(descriptor: Any, text: str) -> Message:
    """A message from protobuf's text format, in which no rule of JSON has a part."""
    pool = _pool()
    return text_format.Parse(text, GetMessageClass(descriptor)(), descriptor_pool=pool)


def error_detail(text: str) -> Any:
    """A google.protobuf.Any from text format: `[type.googleapis.com/google.rpc.ErrorInfo] { reason: "X" }`."""
    return message(_pool().FindMessageTypeByName("google.protobuf.Any"), text)


def as_text(descriptor: Any, wire: bytes) -> str:
    """A message on the wire in text format, for comparing and for reading a difference."""
    typed = GetMessageClass(descriptor)()
    typed.ParseFromString(wire)
    return text_format.MessageToString(typed, as_one_line=True, descriptor_pool=_pool())
