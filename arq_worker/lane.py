"""What goes from one producer to one destination: one delivery at a time, backed off and made smaller when it fails.

A failed call says nothing about its messages, so it costs none of them an attempt. Only a batch of one that fails at a
destination which is up, and which did not itself say that it is unavailable, is taken for the message's own failure.
"""

import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import grpc
from google.rpc.status_pb2 import Status
from prometheus_client import Counter
from sagamesh.mesh.v1 import inbox_pb2, inbox_pb2_grpc
from sagamesh.mesh.v1.envelope_pb2 import Outcome
from sagamesh.mesh.v1.outbox_pb2 import LeasedEnvelope

from mesh.channel import status_from
from mesh.telemetry import MECHANISMS

_log = logging.getLogger(__name__)
_DELIVERIES = Counter("sagamesh_relay_deliveries", "Batches delivered", ["destination", "code"], registry=MECHANISMS)

MAX_BATCH = 500
_MAX_BYTES = 1024 * 1024
_OVERLOADED = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a destination rests after its n-th failure in a row: full jitter below base * 2^n, capped (seconds)."""

    base: float = 0.1
    cap: float = 5.0
    jitter: Callable[[], float] = random.random

    def delay(self, failures: int) -> float:
        """Seconds to rest; never less than a tenth of the bound, so that a failing call is not hammered."""
        return (0.1 + 0.9 * self.jitter()) * min(self.cap, self.base * 2.0**failures)


@dataclass(frozen=True, slots=True)
class Destination:
    """A service that takes messages. `is_serving` asks its health; any failure to answer is False."""

    name: str
    inbox: "inbox_pb2_grpc.InboxServiceAsyncStub"
    is_serving: Callable[[], Awaitable[bool]]


class Lane:
    """The way to one destination. `busy` while a delivery is on its way."""

    def __init__(self, destination: Destination, backoff: Backoff) -> None:
        self._destination = destination
        self._backoff = backoff
        self._failures = 0
        self._limit = MAX_BATCH
        self.resting_until = 0.0
        self.busy = False

    @property
    def is_open(self) -> bool:
        """Whether it takes a batch now."""
        return not self.busy and self.resting_until <= time.monotonic()

    def cut(self, envelopes: Sequence[LeasedEnvelope]) -> list[LeasedEnvelope]:
        """The first part of `envelopes` that is delivered at once: within the batch limit and 1 MiB, never empty."""
        size, batch = 0, list[LeasedEnvelope]()
        for leased in envelopes[: self._limit]:
            size += leased.envelope.ByteSize()
            if batch and size > _MAX_BYTES:
                break
            batch.append(leased)
        return batch

    async def deliver(self, batch: Sequence[LeasedEnvelope], seconds: float) -> list[Outcome]:
        """What became of the batch; nothing when the call failed and the messages are to come again."""
        request = inbox_pb2.DeliverRequest(envelopes=[leased.envelope for leased in batch])
        try:
            response = await self._destination.inbox.Deliver(request, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            _DELIVERIES.labels(self._destination.name, error.code().name).inc()
            return await self._failed(batch, error)
        _DELIVERIES.labels(self._destination.name, "OK").inc()
        self._failures = 0
        self._limit = min(MAX_BATCH, self._limit * 2)
        return list(response.outcomes)

    async def _failed(self, batch: Sequence[LeasedEnvelope], error: grpc.aio.AioRpcError) -> list[Outcome]:
        name, code = self._destination.name, error.code()
        self.resting_until = time.monotonic() + self._backoff.delay(self._failures)
        self._failures += 1
        self._limit = max(1, len(batch) // 2)
        _log.warning("delivery of %d messages to %s failed: %s", len(batch), name, code.name)
        if len(batch) > 1 or code in _OVERLOADED or _said_by_itself(error) or not await self._destination.is_serving():
            return []
        status = Status(code=code.value[0], message=f"Delivery to {name} failed: {code.name}.")
        return [Outcome(message_id=batch[0].envelope.message_id, code=Outcome.RETRY, error=status)]


def _said_by_itself(error: grpc.aio.AioRpcError) -> bool:
    """Whether the destination itself answered UNAVAILABLE (its database is away), rather than the transport."""
    return error.code() is grpc.StatusCode.UNAVAILABLE and len(status_from(error).details) > 0
