"""W3C trace context, the metrics of a process and of its calls, and the endpoint that shows them."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from random import getrandbits

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from mesh.process import StartError

# https://www.w3.org/TR/trace-context/#traceparent-header: `ff` is no version, all-zero ids are invalid, and versions
# after 00 may append fields.
_TRACEPARENT = re.compile(
    r"(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?", re.ASCII
)
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

MECHANISMS = CollectorRegistry()
"""Metrics of messaging, which modules make when they are imported; every registry shows them."""


def new_traceparent() -> str:
    """The root of a new, sampled trace."""
    return f"00-{getrandbits(128) or 1:032x}-{getrandbits(64) or 1:016x}-01"


def continued_traceparent(received: str | None) -> str:
    """The trace that a caller asks to continue, or a new one when it sent nothing usable."""
    if received is None or _TRACEPARENT.fullmatch(received) is None:
        return new_traceparent()
    return f"00{received[2:55]}"


def child_traceparent(parent: str) -> str:
    """The same trace under a new span, for an outgoing call; a new trace when the parent is empty."""
    if not parent:
        return new_traceparent()
    return f"00-{parent[3:35]}-{getrandbits(64) or 1:016x}-{parent[53:55]}"


def trace_id_of(traceparent: str) -> str:
    """The 32 hex digits that name the trace; empty without one."""
    return traceparent[3:35]


def new_registry() -> CollectorRegistry:
    """A registry with the metrics of the process. A process has one; tests have one a server."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(MECHANISMS)
    return registry


@asynccontextmanager
async def metrics_endpoint(address: str | None, registry: CollectorRegistry) -> AsyncGenerator[None]:
    """Shows the registry over HTTP at `host:port`; nowhere when the address is None. Raises StartError."""
    if address is None:
        yield
        return
    host, _, port = address.rpartition(":")
    try:
        endpoint, thread = start_http_server(int(port), host, registry)
    except (OSError, ValueError) as error:
        raise StartError(f"cannot show metrics at {address}: {error}") from error
    try:
        yield
    finally:
        # The endpoint has a thread of its own, whose loop notices the shutdown within half a second.
        await asyncio.to_thread(endpoint.shutdown)
        endpoint.server_close()
        thread.join()


class CallMetrics:
    """Rate, errors and duration of the calls that a server answers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Counter("grpc_server_calls", "Calls answered.", ["method", "code"], registry=registry)
        self.seconds = Histogram(
            "grpc_server_call_seconds", "Duration of calls.", ["method"], registry=registry, buckets=_BUCKETS
        )
        self.in_flight = Gauge("grpc_server_calls_in_flight", "Calls being answered.", ["pool"], registry=registry)

    def watch(self, pool: str, used: Callable[[], int]) -> None:
        """Shows how many calls a pool holds, asked when the metrics are read."""
        self.in_flight.labels(pool).set_function(used)
