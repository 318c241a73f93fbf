"""The relay of one producer's outbox: pull, deliver by destination, settle; forever.

While a destination is busy or rests, what goes to it is not pulled: its messages gather into the next batch, so that
batches grow with the load and a lone message does not wait. Nothing is remembered that the producer does not know: a
lost pull, delivery or settlement is repeated, and the inbox removes the duplicate.
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import grpc
from prometheus_client import Histogram
from sagamesh.mesh.v1 import outbox_pb2, outbox_pb2_grpc
from sagamesh.mesh.v1.envelope_pb2 import Outcome
from sagamesh.mesh.v1.outbox_pb2 import LeasedEnvelope

from arq_worker.lane import Backoff, Destination, Lane
from mesh.telemetry import MECHANISMS

_log = logging.getLogger(__name__)
_BATCH = Histogram(
    "sagamesh_relay_batch_size",
    "Messages a delivery",
    ["destination"],
    buckets=(1, 2, 5, 10, 50, 200, 500),
    registry=MECHANISMS,
)

_RENEWAL = 1.0
_NO_OUTBOX = 30.0
_PIPELINED = 100  # a batch this large is settled while the next one is delivered; a small one is not worth a pull more


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """How long a pull may wait and a delivery may take (seconds), and how failures rest. A failed pull costs little,
    and every message waits for the next one, so pulls rest less than deliveries."""

    wait: float = 5.0
    deliver_timeout: float = 10.0
    backoff: Backoff = field(default_factory=Backoff)
    pull_backoff: Backoff = field(default_factory=lambda: Backoff(cap=1.0))
    max_unsettled: int = 1500


class Relay:
    """Relays the outbox of `producer`. One instance a task: its owner name is its own."""

    def __init__(
        self,
        producer: str,
        outbox: "outbox_pb2_grpc.OutboxServiceAsyncStub",
        destinations: Mapping[str, Destination],
        options: RelayOptions,
    ) -> None:
        self.producer = producer
        self._owner = f"{producer}/{uuid4()}"
        self._outbox = outbox
        self._options = options
        self._lanes = {name: Lane(destination, options.backoff) for name, destination in destinations.items()}
        self._addressed: set[Lane] = set()
        self._unsettled: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._freed = asyncio.Event()
        self._failures = 0

    async def run(self) -> None:
        """Relays until cancelled; then finishes what is on its way and gives its leases back."""
        try:
            while True:
                await self._cycle()
        finally:
            await self._leave()

    async def _cycle(self) -> None:
        try:
            response = await self._pull()
            self._failures = 0
        except grpc.aio.AioRpcError as error:
            await self._rest(error.code())
            return
        if response is not None:
            self._dispatch(response)

    async def _rest(self, code: grpc.StatusCode) -> None:
        if code is grpc.StatusCode.UNIMPLEMENTED:  # no producer, unless a later release makes it one
            await asyncio.sleep(_NO_OUTBOX)
            return
        _log.warning("pull from %s failed: %s", self.producer, code.name)
        await asyncio.sleep(self._options.pull_backoff.delay(self._failures))
        self._failures += 1

    async def _pull(self) -> outbox_pb2.PullResponse | None:
        """The next messages; None when a lane became free meanwhile, so that it is asked for too. While every lane
        that this producer ever used is busy, it is hardly worth a look whether it uses another one now."""
        self._freed.clear()
        full = len(self._unsettled) >= self._options.max_unsettled
        if full or (self._addressed and all(lane.busy for lane in self._addressed)):
            with contextlib.suppress(TimeoutError):  # then pull all the same: that renews the leases
                await asyncio.wait_for(self._freed.wait(), _RENEWAL)
                return None
        wait = self._patience()
        request = outbox_pb2.PullRequest(
            owner=self._owner,
            max_envelopes=500,
            in_flight=self._unsettled,
            skip_destinations=[name for name, lane in self._lanes.items() if not lane.is_open],
        )
        request.wait.FromTimedelta(timedelta(seconds=wait))
        call = asyncio.ensure_future(self._outbox.Pull(request, timeout=wait + self._options.deliver_timeout))
        freed = asyncio.ensure_future(self._freed.wait())
        try:
            await asyncio.wait((call, freed), return_when=asyncio.FIRST_COMPLETED)
            return call.result() if call.done() else None
        finally:
            call.cancel()
            freed.cancel()

    def _patience(self) -> float:
        """Seconds to wait for work: no longer than until the next resting lane opens."""
        now = time.monotonic()
        rests = [lane.resting_until - now for lane in self._lanes.values() if lane.resting_until > now]
        return min([self._options.wait, *rests])

    def _dispatch(self, response: outbox_pb2.PullResponse) -> None:
        seconds = min(self._options.deliver_timeout, response.lease_remaining.ToTimedelta().total_seconds() * 0.8)
        by_destination: defaultdict[str, list[LeasedEnvelope]] = defaultdict(list)
        for leased in response.envelopes:
            by_destination[leased.envelope.destination].append(leased)
        for name, envelopes in by_destination.items():
            lane = self._lanes.get(name)
            batch = envelopes if lane is None else lane.cut(envelopes)
            self._unsettled |= {leased.envelope.message_id for leased in batch}
            if lane is None:
                self._spawn(self._settle(batch, [_unknown(leased) for leased in batch]))
            else:
                lane.busy = True
                self._addressed.add(lane)
                _BATCH.labels(name).observe(len(batch))
                self._spawn(self._carry(lane, batch, seconds))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, lane: Lane, batch: Sequence[LeasedEnvelope], seconds: float) -> None:
        outcomes: list[Outcome] = []
        try:
            outcomes = await lane.deliver(batch, seconds)
        finally:
            if len(batch) >= _PIPELINED:
                self._free(lane)
                await self._settle(batch, outcomes)
            else:
                await self._settle(batch, outcomes)
                self._free(lane)

    def _free(self, lane: Lane) -> None:
        lane.busy = False
        self._freed.set()

    async def _settle(self, batch: Sequence[LeasedEnvelope], outcomes: Sequence[Outcome]) -> None:
        epochs = {leased.envelope.message_id: leased.epoch for leased in batch}
        settlements = [
            outbox_pb2.Settlement(outcome=outcome, epoch=epochs[outcome.message_id])
            for outcome in outcomes
            if outcome.code != Outcome.NOT_RUN
        ]
        try:
            if settlements:
                await self._outbox.Settle(outbox_pb2.SettleRequest(owner=self._owner, settlements=settlements))
        except grpc.aio.AioRpcError as error:  # they come again, and the inbox answers from memory
            _log.warning("settling %d messages of %s failed: %s", len(settlements), self.producer, error.code().name)
        finally:
            self._unsettled -= epochs.keys()
            self._freed.set()

    async def _leave(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._options.deliver_timeout)
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(grpc.aio.AioRpcError):
            await self._outbox.Pull(
                outbox_pb2.PullRequest(owner=self._owner, max_envelopes=1, leaving=True), timeout=1.0
            )


def _unknown(leased: LeasedEnvelope) -> Outcome:
    return Outcome(message_id=leased.envelope.message_id, code=Outcome.UNKNOWN_DESTINATION)
