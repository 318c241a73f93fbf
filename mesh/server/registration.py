"""Turns servicers into gRPC handlers, with a deserializer that neither leaks nor skips a check.

grpc would answer a body that does not parse with UNKNOWN and the exception's text, before any interceptor runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from mesh.errors import InvalidArgument
from mesh.policy import INFRASTRUCTURE, Cardinality, MethodPolicy, method_policy, path_of
from mesh.server.validation import RequestValidator


class MethodsMissing(Exception):
    """A servicer does not implement every rpc of its service."""


class Malformed(InvalidArgument):
    """The request's body is not a message of the expected type."""

    reason = "MALFORMED"


MALFORMED = object()  # stands for a unary request that does not parse, until the interceptor refuses it

_FACTORIES: dict[Cardinality, Callable[..., Any]] = {  # grpc's handlers are generic in its stubs only
    Cardinality.UNARY_UNARY: grpc.unary_unary_rpc_method_handler,
    Cardinality.UNARY_STREAM: grpc.unary_stream_rpc_method_handler,
    Cardinality.STREAM_UNARY: grpc.stream_unary_rpc_method_handler,
    Cardinality.STREAM_STREAM: grpc.stream_stream_rpc_method_handler,
}


@dataclass(frozen=True, slots=True)
class Method:
    """An rpc that a server serves."""

    path: str
    policy: MethodPolicy
    request: type[Message]
    response: type[Message]
    infrastructure: bool

    @classmethod
    def of(cls, method: MethodDescriptor) -> "Method":
        """Reads a descriptor. Raises PolicyMissing."""
        request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        return cls(
            path_of(method),
            method_policy(method),
            request,
            response,
            method.containing_service.full_name in INFRASTRUCTURE,
        )


def methods_of(service: ServiceDescriptor) -> dict[str, Method]:
    """The rpcs of a service by name. Raises PolicyMissing."""
    return {method.name: Method.of(method) for method in service.methods}


def generic_handler(
    servicer: object, service: ServiceDescriptor, validator: RequestValidator
) -> grpc.GenericRpcHandler:
    """The handlers of a servicer's rpcs. Raises MethodsMissing unless its own class implements every one."""
    methods = methods_of(service)
    missing = [name for name in methods if not _implements(type(servicer), name)]
    if missing and service.full_name not in INFRASTRUCTURE:
        raise MethodsMissing(f"{type(servicer).__qualname__} does not implement {', '.join(missing)}")
    handlers = {
        name: _FACTORIES[method.policy.cardinality](
            getattr(servicer, name),
            request_deserializer=_deserializer(method, validator),
            response_serializer=method.response.SerializeToString,
        )
        for name, method in methods.items()
        if name not in missing
    }
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _implements(servicer: type, name: str) -> bool:
    # The generated base class has every rpc too; its own answer is UNIMPLEMENTED.
    owner = next((cls for cls in servicer.__mro__ if name in vars(cls)), None)
    return owner is not None and not owner.__module__.endswith("_pb2_grpc")


def _deserializer(method: Method, validator: RequestValidator) -> Callable[[bytes], object]:
    parse = method.request.FromString

    def one(body: bytes) -> object:
        try:
            return parse(body)
        except DecodeError:
            return MALFORMED

    def one_of_many(body: bytes) -> object:
        # Raised where the handler reads its stream, by iteration or by context.read(), and caught around the handler.
        try:
            message = parse(body)
        except DecodeError:
            raise Malformed from None
        validator.check(message)
        return message

    return one_of_many if method.policy.cardinality.request_streaming else one
