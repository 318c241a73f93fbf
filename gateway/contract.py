"""Reads a descriptor set: its rpcs with their http rules and policies, and what it says about every element.

Structure is read from protobuf-py's registry (`Contract.registry`), options and comments from google's descriptors,
because the options' extensions are google messages in `gen/`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from buf.validate import validate_pb2
from google.api import annotations_pb2, field_behavior_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldOptions,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
)
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from protobuf import Registry
from sagamesh.mesh.v1 import policy_pb2

from mesh.codec import registry_of

_VERBS = ("get", "put", "post", "delete", "patch")


class ContractError(Exception):
    """A descriptor set cannot be served."""


@dataclass(frozen=True, slots=True)
class HttpBinding:
    """One REST form of an rpc. `verb` is an HTTP method, or `*` for any; `template` is unparsed."""

    verb: str
    template: str
    body: str
    response_body: str


@dataclass(frozen=True, slots=True)
class Rpc:
    """One rpc of the contract. `full_name` is `package.Service.Method`, `path` its wire form."""

    full_name: str
    path: str
    service: str
    package: str
    request: str
    response: str
    client_streaming: bool
    server_streaming: bool
    bindings: tuple[HttpBinding, ...]
    policy: policy_pb2.Policy | None

    @property
    def is_stream(self) -> bool:
        """Whether either side sends any number of messages."""
        return self.client_streaming or self.server_streaming

    @property
    def waits(self) -> bool:
        """Whether a call may last as long as its caller: a stream or a long poll."""
        return self.is_stream or (self.policy is not None and self.policy.long_poll)

    @property
    def default_deadline(self) -> float | None:
        """Seconds that the policy gives a call; None when it says nothing."""
        if self.policy is None or not self.policy.HasField("default_deadline"):
            return None
        return self.policy.default_deadline.ToNanoseconds() / 1e9


@dataclass(frozen=True, slots=True)
class Contract:
    """A descriptor set, read. `comments` and `field_options` are keyed by full names of elements."""

    registry: Registry
    rpcs: tuple[Rpc, ...]
    comments: dict[str, str]
    field_options: dict[str, FieldOptions]

    def is_output_only(self, full_name: str) -> bool:
        """Whether a field is one that only the server sets (AIP-203)."""
        return field_behavior_pb2.OUTPUT_ONLY in self.behaviour(full_name)

    def behaviour(self, full_name: str) -> Sequence[int]:
        """The google.api.FieldBehavior values of a field."""
        options = self.field_options.get(full_name)
        return () if options is None else read_option(options, field_behavior_pb2.field_behavior) or ()

    def rules(self, full_name: str) -> validate_pb2.FieldRules | None:
        """The buf.validate rules of a field; None without any."""
        options = self.field_options.get(full_name)
        return None if options is None else read_option(options, validate_pb2.field)


def read_contract(descriptor_set: bytes) -> Contract:
    """Reads a serialised FileDescriptorSet with its imports; without source info there are no comments.

    Raises ContractError."""
    try:
        files = FileDescriptorSet.FromString(descriptor_set).file
        registry = registry_of(_with_error_details(files))
    except Exception as error:  # two parsers and a linker, each with errors of its own
        raise ContractError(f"not a complete descriptor set: {error}") from error
    comments: dict[str, str] = {}
    field_options: dict[str, FieldOptions] = {}
    for file in files:
        comments.update(_comments_of(file))
        for message in file.message_type:
            field_options.update(_field_options_of(file.package, message))
    rpcs = tuple(rpc for file in files for rpc in _rpcs_of(file))
    return Contract(registry, rpcs, comments, field_options)


def read_option(options: Message, extension: FieldDescriptor) -> Any:
    """The value of a custom option, None when it is not set; Any because no stub types an extension."""
    typeless: Any = options
    if extension.is_repeated:
        return typeless.Extensions[extension]
    return typeless.Extensions[extension] if typeless.HasExtension(extension) else None


def _with_error_details(files: Sequence[FileDescriptorProto]) -> bytes:
    """The set with the types that AIP-193 puts into `google.rpc.Status.details`, which nobody imports: without them a
    response that holds a Status has no JSON form."""
    known = {file.name for file in files}
    modules = (any_pb2, duration_pb2, error_details_pb2)
    added = [module.DESCRIPTOR for module in modules if module.DESCRIPTOR.name not in known]
    completed = FileDescriptorSet(file=files)
    for file in added:
        file.CopyToProto(completed.file.add())
    return completed.SerializeToString()


def _rpcs_of(file: FileDescriptorProto) -> Iterator[Rpc]:
    for service in file.service:
        name = _join(file.package, service.name)
        for method in service.method:
            yield _rpc_of(file.package, name, method)


def _rpc_of(package: str, service: str, method: MethodDescriptorProto) -> Rpc:
    rule: HttpRule | None = read_option(method.options, annotations_pb2.http)
    return Rpc(
        full_name=f"{service}.{method.name}",
        path=f"/{service}/{method.name}",
        service=service,
        package=package,
        request=method.input_type.removeprefix("."),
        response=method.output_type.removeprefix("."),
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        bindings=tuple(_bindings_of(rule)) if rule is not None else (),
        policy=read_option(method.options, policy_pb2.policy),
    )


def _bindings_of(rule: HttpRule) -> Iterator[HttpBinding]:
    kind = rule.WhichOneof("pattern")
    if kind in _VERBS:
        yield HttpBinding(kind.upper(), getattr(rule, kind), rule.body, rule.response_body)
    elif kind == "custom":
        yield HttpBinding(rule.custom.kind.upper(), rule.custom.path, rule.body, rule.response_body)
    for additional in rule.additional_bindings:
        yield from _bindings_of(additional)


def _field_options_of(scope: str, message: DescriptorProto) -> Iterator[tuple[str, FieldOptions]]:
    name = _join(scope, message.name)
    for field in message.field:
        yield f"{name}.{field.name}", field.options
    for nested in message.nested_type:
        yield from _field_options_of(name, nested)


def _comments_of(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    for location in file.source_code_info.location:
        if location.leading_comments and (name := _name_at(file, location.path)):
            yield name, "\n".join(line.strip() for line in location.leading_comments.strip().splitlines())


def _name_at(file: FileDescriptorProto, path: Sequence[int]) -> str:
    """The full name of the element at a path of SourceCodeInfo; empty for what has no name (options, ranges)."""
    element, name = file, file.package
    for number, index in zip(path[::2], path[1::2], strict=False):
        descriptor = element.DESCRIPTOR.fields_by_number.get(number)
        items = getattr(element, descriptor.name) if descriptor is not None else ()
        if descriptor is None or not descriptor.is_repeated or not hasattr(items[index], "name"):
            return ""
        element = items[index]
        name = _join(name, element.name)
    return name if len(path) % 2 == 0 else ""


def _join(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name
