"""How a call ended: what its caller is told, what the log and the metrics say."""

import asyncio
import logging
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import grpc
from google.rpc.status_pb2 import Status
from grpc import aio

from mesh.call import Call
from mesh.errors import Refusal
from mesh.policy import STATUS_CODES
from mesh.server.registration import Method
from mesh.status import status_of
from mesh.telemetry import CallMetrics, trace_id_of

log = logging.getLogger("mesh.calls")

DETAILS_KEY = "grpc-status-details-bin"
# Peers refuse more than 8 KiB of trailers, and would then see RESOURCE_EXHAUSTED instead of the refusal.
_MOST_DETAIL_BYTES = 5000
_LONGEST_MESSAGE = 1000
# grpc cancels a call some milliseconds before the caller's deadline, by this side's clock.
_EARLY = 0.05


class DeadlinePassed(Exception):
    """The call's deadline passed on this side."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A code, and the status that the caller gets unless grpc has told it already (`status` None)."""

    code: grpc.StatusCode
    status: Status | None = None
    unexpected: BaseException | None = None

    async def tell(self, context: Any) -> None:  # grpc's context classes share no public type
        """Ends the call with the status: raises grpc's AbortError. Does nothing without one."""
        if self.status is None:
            return
        details = self.status.SerializeToString()
        trailers = ((DETAILS_KEY, details),) if self.status.details else ()
        await context.abort(self.code, self.status.message, trailers)


OK = Outcome(grpc.StatusCode.OK)


def outcome_of(error: BaseException | None, context: Any, call: Call) -> Outcome:
    """The outcome of a handler that returned (None) or raised."""
    match error:
        case None:
            return OK if (code := context.code()) is None else Outcome(code)
        case Refusal():
            return _refused(error)
        case DeadlinePassed():
            return _plain(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed")
        case aio.AbortError():
            return Outcome(context.code())
        case asyncio.CancelledError() | GeneratorExit():
            remaining = call.time_remaining
            late = remaining is not None and remaining < _EARLY
            return Outcome(grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED)
        case _:
            return _plain(grpc.StatusCode.INTERNAL, "internal error", error)


def _refused(refusal: Refusal) -> Outcome:
    status = status_of(refusal)
    status.message = status.message[:_LONGEST_MESSAGE]
    while len(status.details) > 0 and status.ByteSize() > _MOST_DETAIL_BYTES:
        status.details.pop()
    return Outcome(STATUS_CODES[status.code], status)


def _plain(code: grpc.StatusCode, message: str, unexpected: BaseException | None = None) -> Outcome:
    return Outcome(code, Status(code=code.value[0], message=message), unexpected)


class Observer:
    """Writes one log line and the metrics of each call."""

    def __init__(self, metrics: CallMetrics) -> None:
        self._metrics = metrics
        # prometheus-client finds a labelled child in 1-2 us; most of that is saved by keeping them.
        self._counters: dict[tuple[str, grpc.StatusCode], Any] = {}
        self._histograms: dict[str, Any] = {}

    def observe(self, method: Method, outcome: Outcome, call: Call, started: float) -> None:
        """Takes note of a call that began at `started` on perf_counter's clock."""
        seconds = perf_counter() - started
        self._count(method.path, outcome.code, seconds)
        level = logging.ERROR if outcome.unexpected else logging.DEBUG if method.infrastructure else logging.INFO
        if not log.isEnabledFor(level):
            return
        facts = {
            "method": method.path,
            "code": outcome.code.name,
            "ms": round(seconds * 1000, 3),
            "principal": call.principal.id,
            "trace_id": trace_id_of(call.traceparent),
        }
        log.log(level, "call", extra={"facts": facts}, exc_info=outcome.unexpected)

    def _count(self, path: str, code: grpc.StatusCode, seconds: float) -> None:
        counter = self._counters.get((path, code))
        if counter is None:
            counter = self._counters[path, code] = self._metrics.calls.labels(path, code.name)
        histogram = self._histograms.get(path)
        if histogram is None:
            histogram = self._histograms[path] = self._metrics.seconds.labels(path)
        counter.inc()
        histogram.observe(seconds)
