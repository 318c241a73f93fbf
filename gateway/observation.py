"""What is told about every request: one log line, and rate, errors and duration by route."""

import logging
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.errors import ErrorReply
from gateway.exchange import Outcome
from mesh.telemetry import trace_id_of

UNROUTED = "none"
"""The route of requests that have none."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_log = logging.getLogger("gateway.access")


class Observation:
    """Counts and logs requests. Routes and codes are few, so their metrics are looked up once and kept."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["route", "code", "http_status"]
        self._requests = Counter("gateway_requests", "Requests answered.", labels, registry=registry)
        self._seconds = Histogram(
            "gateway_request_seconds", "Duration of requests.", ["route"], registry=registry, buckets=_BUCKETS
        )
        self.in_flight = Gauge("gateway_requests_in_flight", "Requests being answered.", registry=registry)
        self._by_outcome: dict[tuple[str, str, int], Counter] = {}
        self._by_route: dict[str, Histogram] = {}

    def ended(self, scope: Mapping[str, Any], route: str, outcome: Outcome, started: float, traceparent: str) -> None:
        """`started` is on perf_counter's clock. The query is not logged: it may hold what is nobody's business."""
        seconds = perf_counter() - started
        self._count(route, outcome, seconds)
        if _log.isEnabledFor(logging.INFO):
            facts: dict[str, object] = {
                "method": scope.get("method", "WEBSOCKET"),
                "path": scope["path"],
                "route": route,
                "status": outcome.http_status,
                "code": outcome.code,
                "ms": round(seconds * 1000, 2),
                "trace_id": trace_id_of(traceparent),
            }
            if outcome.messages is not None:
                facts["messages"] = outcome.messages
            _log.info("request", extra={"facts": facts})

    def refused(self, error: ErrorReply) -> None:
        """A request that ended before it was one: too large, too slow, or no HTTP. It took no time of a service."""
        self._count(UNROUTED, Outcome(error.http_status, error.code), 0.0)
        _log.info("request refused", extra={"facts": {"status": error.http_status, "code": error.code}})

    def _count(self, route: str, outcome: Outcome, seconds: float) -> None:
        key = (route, outcome.code, outcome.http_status)
        counter = self._by_outcome.get(key)
        if counter is None:
            counter = self._by_outcome[key] = self._requests.labels(*key)
        counter.inc()
        histogram = self._by_route.get(route)
        if histogram is None:
            histogram = self._by_route[route] = self._seconds.labels(route)
        histogram.observe(seconds)
