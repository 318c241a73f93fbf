"""Contracts for the gateway's tests, compiled when the tests run."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import grpc_tools
from google.api import httpbody_pb2
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message_factory import GetMessageClass
from grpc_tools import protoc

ROOT = Path(__file__).parents[2]
_compile: Any = protoc.main  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # grpc_tools has no types

# Messages of a proto that is compiled at run time have no static type.
Message = Any


def compiled(text: str, name: str) -> bytes:
    """The descriptor set of a proto with its imports and comments. It may import the repository's contracts."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_text(text)
        deps = Path(folder) / "deps.binpb"
        deps.write_bytes(_dependencies())
        out = Path(folder) / "out.binpb"
        kinds = ["--include_imports", "--include_source_info"]
        assert _compile(["protoc", f"-I{folder}", f"--descriptor_set_in={deps}", *kinds, f"-o{out}", name]) == 0
        return out.read_bytes()


@cache
def library() -> bytes:
    """The descriptor set of library.proto, whose messages `library_message` makes."""
    return compiled((Path(__file__).parent / "library.proto").read_text(), "library.proto")


@cache
def library_message(name: str) -> Message:
    """google's class of a message of library.proto."""
    return message_class(library(), f"test.library.v1.{name}")


def message_class(descriptor_set: bytes, full_name: str) -> Message:
    """google's class of a message of a descriptor set."""
    pool = descriptor_pool.Default()
    for file in FileDescriptorSet.FromString(descriptor_set).file:
        _add(pool, file)
    return GetMessageClass(pool.FindMessageTypeByName(full_name))


def _add(pool: Any, file: FileDescriptorProto) -> None:
    try:
        pool.FindFileByName(file.name)
    except KeyError:
        pool.AddSerializedFile(file.SerializeToString())


def _dependencies() -> bytes:
    """The repository's own image, and the well-known types that it does not import."""
    image = FileDescriptorSet.FromString((ROOT / "gen" / "sagamesh.binpb").read_bytes())
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.binpb"
        include = Path(grpc_tools.__file__).parent / "_proto"
        names = ["google/protobuf/struct.proto", "google/protobuf/wrappers.proto", "google/protobuf/empty.proto"]
        assert _compile(["protoc", f"-I{include}", "--include_imports", f"-o{out}", *names]) == 0
        known = {file.name for file in image.file}
        extra = [file for file in FileDescriptorSet.FromString(out.read_bytes()).file if file.name not in known]
    image.file.extend(extra)
    httpbody_pb2.DESCRIPTOR.CopyToProto(image.file.add())
    return image.SerializeToString()
