"""The services behind the gateway: one channel each, raw bytes through it. Adds no token: callers bring their own."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence

import grpc
from google.rpc import code_pb2

from gateway.contract import ContractError, Rpc

_HEALTH_CHECK = "/grpc.health.v1.Health/Check"
_SERVING = b"\x08\x01"
"""HealthCheckResponse{status: SERVING} on the wire."""
_HEALTH_TIMEOUT = 1.0

RETRY = {"maxAttempts": 4, "initialBackoff": "0.05s", "maxBackoff": "0.5s", "backoffMultiplier": 2}
THROTTLING = {"maxTokens": 100, "tokenRatio": 0.1}


class Upstreams:
    """Channels by package or service. Made anywhere; `open` and `close` belong to the loop that serves."""

    def __init__(
        self, packages: Mapping[str, str], services: Mapping[str, Sequence[str]], max_message_bytes: int
    ) -> None:
        """`packages` maps a package to an address: the longest that contains an rpc's own is taken. `services` maps a
        service that no package contains to the addresses that have it."""
        self._packages = dict(packages)
        self._services = dict(services)
        self._max_message_bytes = max_message_bytes
        self._channels: dict[str, grpc.aio.Channel] = {}

    def target_of(self, rpc: Rpc) -> str | None:
        """The address that serves an rpc. Raises ContractError when there are several to choose from."""
        matching = [name for name in self._packages if rpc.package == name or rpc.package.startswith(f"{name}.")]
        if matching:
            return self._packages[max(matching, key=len)]
        targets = self._services.get(rpc.service, ())
        if len(targets) > 1:
            raise ContractError(f"{rpc.service} is served by {' and by '.join(targets)}: an upstream must say by which")
        return targets[0] if targets else None

    def open(self, rpcs: Iterable[Rpc]) -> None:
        """Opens a channel to every address. Connects on first use, so services may start later."""
        config = json.dumps(service_config(rpcs))
        options = [*connection_options(self._max_message_bytes), ("grpc.service_config", config)]
        for target in set(self._names().values()):
            self._channels[target] = grpc.aio.insecure_channel(target, options=options)

    def channel(self, rpc: Rpc) -> grpc.aio.Channel:
        """The channel that serves an rpc for which `target_of` has an answer."""
        return self._channels[self.target_of(rpc) or ""]

    async def close(self) -> None:
        """Ends what is still in flight."""
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()

    async def health(self) -> dict[str, str]:
        """`SERVING` or the name of what is wrong, by package, or by address where packages do not say it; a service
        without a health service is SERVING."""
        names = self._names()
        states: list[str] = await asyncio.gather(*map(self._health_of, names.values()))
        return dict(zip(names, states, strict=True))

    def _names(self) -> dict[str, str]:
        """Every address, by the name under which its health is told."""
        return self._packages | {target: target for targets in self._services.values() for target in targets}

    async def _health_of(self, target: str) -> str:
        check: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channels[target].unary_unary(_HEALTH_CHECK)
        try:
            reply: bytes = await check(b"", timeout=_HEALTH_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            return "SERVING" if error.code() is grpc.StatusCode.UNIMPLEMENTED else error.code().name
        return "SERVING" if reply == _SERVING else "NOT_SERVING"


def connection_options(max_message_bytes: int) -> list[tuple[str, str | int]]:
    """How any channel of the gateway keeps its connection."""
    return [
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        # Keepalive alone misses a stopped peer for 25 s and more.
        ("grpc.http2.ping_timeout_ms", 5_000),
        ("grpc.http2.max_pings_without_data", 0),
        # A service that comes back is found again within a second, not after minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
    ]


def service_config(rpcs: Iterable[Rpc]) -> dict[str, object]:
    """The channel's service config: retries where the policy allows them. It never holds a timeout: gRPC would fire it
    1-2 s early (grpc#34547)."""
    methods: list[dict[str, object]] = []
    for rpc in rpcs:
        if rpc.policy is None or not rpc.policy.retryable:
            continue
        name = {"service": rpc.service, "method": rpc.full_name.rpartition(".")[2]}
        codes = [code_pb2.Code.Name(code) for code in rpc.policy.retryable]
        methods.append({"name": [name], "retryPolicy": {**RETRY, "retryableStatusCodes": codes}})
    return {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": ""},
        "methodConfig": methods,
        "retryThrottling": THROTTLING,
    }
