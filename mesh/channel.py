"""Channels to other services: one per upstream and process, never one per call.

What a call does when it fails follows from the policy of its rpc: retries are the service config's (so that they run
inside grpc), deadlines are set here per call. The service config's own `timeout` is never used: it fires 1-2 s early
(grpc#34547). Hedging is accepted by grpc and does nothing.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.rpc.status_pb2 import Status
from grpc import aio

from mesh.call import current_call
from mesh.errors import Refusal, Unavailable
from mesh.identity import ServiceTokens
from mesh.policy import MethodPolicy, policies_of
from mesh.status import refusal_of
from mesh.telemetry import child_traceparent

_ATTEMPTS = 4
_RETRY = {"maxAttempts": _ATTEMPTS, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 2}
# A retry costs a token, a success gives a tenth back: retries stop when half of the tokens are gone.
_THROTTLING = {"maxTokens": 100, "tokenRatio": 0.1}
_DETAILS_KEY = "grpc-status-details-bin"

# What a stub calls. grpc's own types for it are generic in its stubs only, and differ by cardinality.
MultiCallable = Callable[..., Any]


def open_channel(
    target: str,
    services: Iterable[ServiceDescriptor],
    token: ServiceTokens | None = None,
    *,
    max_message_bytes: int = 4 * 1024 * 1024,
) -> aio.Channel:
    """A channel to `target` (`host:port`, `dns:///name:port`, `unix:path`) for the rpcs of the services.

    Every call carries the deadline that the policy and the call being served leave it, the trace, and this service's
    token unless the caller passes its own `authorization`.
    """
    policies = policies_of(services)
    options = [("grpc.service_config", json.dumps(service_config(policies))), *_options(max_message_bytes)]
    return MeshChannel(aio.insecure_channel(target, options=options), policies, token)


def service_config(policies: Mapping[str, MethodPolicy]) -> dict[str, Any]:
    """gRPC's service config for rpcs by path: retries where the policy allows them, all healthy replicas in turn."""
    return {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": ""},
        "retryThrottling": _THROTTLING,
        "methodConfig": [_method_config(path, policy) for path, policy in policies.items() if policy.retryable],
    }


def _method_config(path: str, policy: MethodPolicy) -> dict[str, Any]:
    _, service, method = path.split("/")
    codes = [code.name for code in policy.retryable]
    return {"name": [{"service": service, "method": method}], "retryPolicy": {**_RETRY, "retryableStatusCodes": codes}}


def _options(max_message_bytes: int) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.ping_timeout_ms", 5_000),  # keepalive alone misses a stopped peer for 25 s and more
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.dns_min_time_between_resolutions_ms", 2_000),
    ]


def refusal_from(error: aio.AioRpcError) -> Refusal | aio.AioRpcError:
    """What to raise for a failed call: the refusal that the other service sent, Unavailable when it did not answer
    in time or at all, or the error itself when it is nobody's refusal (INTERNAL and such)."""
    if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
        return Unavailable()
    return refusal_of(status_from(error)) or error


def status_from(error: aio.AioRpcError) -> Status:
    """The google.rpc.Status of a failed call, made of its code and message when it carried none."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            return Status.FromString(value)
    return Status(code=error.code().value[0], message=error.details() or "")


class MeshChannel(aio.Channel):
    """A channel whose calls are prepared before grpc sees them. grpc's client interceptors would do the same at the
    price of a task a call."""

    def __init__(self, channel: aio.Channel, policies: Mapping[str, MethodPolicy], token: ServiceTokens | None) -> None:
        self._channel = channel
        self._policies = policies
        self._token = token

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        """Ends the calls, after `grace` seconds if it is given."""
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """See grpc.aio.Channel."""
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """See grpc.aio.Channel."""
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Returns when there is a connection."""
        await self._channel.channel_ready()

    def unary_unary(self, method: str, *args: Any, **options: Any) -> Any:
        """A unary rpc. Arguments as in grpc.aio.Channel, here and below: generated stubs pass them."""
        return self._prepared(method, self._channel.unary_unary(method, *args, **options))

    def unary_stream(self, method: str, *args: Any, **options: Any) -> Any:
        """An rpc that answers with a stream."""
        return self._prepared(method, self._channel.unary_stream(method, *args, **options))

    def stream_unary(self, method: str, *args: Any, **options: Any) -> Any:
        """An rpc that takes a stream."""
        return self._prepared(method, self._channel.stream_unary(method, *args, **options))

    def stream_stream(self, method: str, *args: Any, **options: Any) -> Any:
        """An rpc of two streams."""
        return self._prepared(method, self._channel.stream_stream(method, *args, **options))

    def _prepared(self, path: str, send: MultiCallable) -> MultiCallable:
        policy = self._policies.get(path)
        default = policy.default_deadline if policy else None
        token = self._token

        def call(
            *request: Any,
            timeout: float | None = None,
            metadata: Iterable[tuple[str, str | bytes]] = (),
            **options: Any,
        ) -> Any:
            served = current_call()
            added = [*metadata, ("traceparent", child_traceparent(served.traceparent))]
            if token is not None and not any(key == "authorization" for key, _ in added):
                added.append(("authorization", token.authorization()))
            allowed = [default if timeout is None else timeout, served.time_remaining]
            seconds = min((limit for limit in allowed if limit is not None), default=None)
            return send(*request, timeout=seconds, metadata=tuple(added), **options)

        return call
