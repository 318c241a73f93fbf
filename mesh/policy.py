"""The policy of every rpc, read from its `sagamesh.mesh.v1.policy` option.

Nothing is enforced here: the server and the channel read these values and act on them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from sagamesh.mesh.v1 import policy_pb2

from mesh.call import Principal

STATUS_CODES: Mapping[int, grpc.StatusCode] = MappingProxyType({int(code.value[0]): code for code in grpc.StatusCode})
_OPTION: Any = policy_pb2.policy  # the generated stub does not say that this descriptor is an extension


class PolicyMissing(Exception):
    """An rpc has no policy, so nobody has said who may call it."""


class Cardinality(Enum):
    """How many messages each side of an rpc sends; the value is (client streams, server streams)."""

    UNARY_UNARY = (False, False)
    UNARY_STREAM = (False, True)
    STREAM_UNARY = (True, False)
    STREAM_STREAM = (True, True)

    @property
    def request_streaming(self) -> bool:
        """Whether the client sends a stream."""
        return self.value[0]

    @property
    def response_streaming(self) -> bool:
        """Whether the server sends a stream."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call. The rules are alternatives; the default admits nobody."""

    anonymous: bool = False
    user: bool = False
    roles: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()

    def admits(self, principal: Principal) -> bool:
        """Whether one of the rules matches the caller."""
        if self.anonymous:
            return True
        if principal.is_user:
            return self.user or principal.has_role(*self.roles)
        return principal.id.startswith("service:") and principal.subject in self.services


@dataclass(frozen=True, slots=True)
class MethodPolicy:
    """What is enforced around one rpc. `default_deadline` is in seconds; `idempotency` is a policy_pb2.Idempotency."""

    access: Access
    cardinality: Cardinality
    default_deadline: float | None = None
    idempotency: int = policy_pb2.IDEMPOTENCY_UNSPECIFIED
    retryable: tuple[grpc.StatusCode, ...] = ()
    long_poll: bool = False

    @property
    def waits(self) -> bool:
        """Whether a call may last long without using anything: a stream or a long poll."""
        return self.long_poll or self.cardinality is not Cardinality.UNARY_UNARY


# Services that come from elsewhere and carry no options of ours.
INFRASTRUCTURE: Mapping[str, Access] = MappingProxyType(
    {
        "grpc.health.v1.Health": Access(anonymous=True),
        "grpc.reflection.v1alpha.ServerReflection": Access(anonymous=True),
        "grpc.channelz.v1.Channelz": Access(roles=frozenset({"operator"})),
    }
)


def path_of(method: MethodDescriptor) -> str:
    """The path of an rpc on the wire: `/package.Service/Method`."""
    return f"/{method.containing_service.full_name}/{method.name}"


def method_policy(method: MethodDescriptor) -> MethodPolicy:
    """The policy of one rpc. Raises PolicyMissing."""
    cardinality = Cardinality((method.client_streaming, method.server_streaming))
    if (access := INFRASTRUCTURE.get(method.containing_service.full_name)) is not None:
        return MethodPolicy(access, cardinality, idempotency=policy_pb2.READ_ONLY)
    options = method.GetOptions()
    if not options.HasExtension(_OPTION):
        raise PolicyMissing(f"{method.full_name} has no (sagamesh.mesh.v1.policy) option: say who may call it")
    policy: policy_pb2.Policy = options.Extensions[_OPTION]
    return MethodPolicy(
        access=_access_of(policy.access),
        cardinality=cardinality,
        default_deadline=policy.default_deadline.ToNanoseconds() / 1e9 if policy.HasField("default_deadline") else None,
        idempotency=policy.idempotency,
        retryable=tuple(STATUS_CODES[code] for code in policy.retryable),
        long_poll=policy.long_poll,
    )


def policies_of(services: Iterable[ServiceDescriptor]) -> dict[str, MethodPolicy]:
    """The policies of every rpc of the services, by path. Raises PolicyMissing."""
    return {path_of(method): method_policy(method) for service in services for method in service.methods}


def _access_of(access: policy_pb2.Access) -> Access:
    return Access(access.anonymous, access.user, frozenset(access.roles), frozenset(access.services))
