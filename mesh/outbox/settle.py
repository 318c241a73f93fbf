"""What became of messages: rows deleted, sagas advanced, failures counted.

A report of success or refusal needs no fence: whoever deletes the row has settled it, once. A report of failure is
fenced by owner, epoch and an unexpired lease, because a relay that lost its lease must not postpone what another one
is delivering.
"""

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from sagamesh.mesh.v1.envelope_pb2 import Outcome, SagaStep
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from mesh.outbox.dead_letters import Burial, bury
from mesh.outbox.rows import QueuedRow, delete, lock
from mesh.saga.engine import Sagas, StepReport
from mesh.saga.machine import Report
from mesh.uow import UnitOfWork, is_connection_lost

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a message is tried, and how long it waits: full jitter below base * 2^attempts, capped (seconds)."""

    attempts: int = 20
    base: float = 0.2
    cap: float = 60.0
    jitter: Callable[[], float] = random.random

    def delay(self, attempts: int) -> float:
        """Seconds before the next attempt, after `attempts` failures."""
        return self.jitter() * min(self.cap, self.base * 2.0**attempts)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a relay says of one message that it pulled under `epoch`."""

    outcome: Outcome
    epoch: int

    @property
    def message_id(self) -> UUID:
        """The message."""
        return UUID(self.outcome.message_id)


@dataclass(slots=True)
class Settled:
    """How a set of settlements was taken: messages whose report changed nothing, and messages that stay because
    their saga could not be advanced."""

    ignored: list[UUID] = field(default_factory=list[UUID])
    failed: list[UUID] = field(default_factory=list[UUID])


@dataclass(slots=True)
class _Plan:
    """What a set of settlements will write."""

    gone: list[QueuedRow] = field(default_factory=list[QueuedRow])
    burials: list[Burial] = field(default_factory=list[Burial])
    postponed: dict[int, float] = field(default_factory=dict[int, float])
    reports: list[StepReport] = field(default_factory=list[StepReport])
    ignored: list[UUID] = field(default_factory=list[UUID])


_FENCE = text(
    """SELECT bucket, epoch FROM outbox_bucket WHERE owner = :owner AND expire_time > now() AND bucket = ANY(:buckets)
    ORDER BY bucket FOR SHARE"""
)
_POSTPONE = text(
    """UPDATE outbox SET attempts = attempts + :cost, not_before = now() + make_interval(secs => new.delay)
    FROM unnest(CAST(:seqs AS bigint[]), CAST(:delays AS float8[])) AS new (seq, delay) WHERE outbox.seq = new.seq"""
)
_NO_SUCH_DESTINATION = Status(code=code_pb2.UNIMPLEMENTED, message="The relay knows no such destination.")


class Settler:
    """Settles messages of one service."""

    def __init__(self, engine: AsyncEngine, sagas: Sagas, retry: RetryPolicy) -> None:
        self._engine = engine
        self._sagas = sagas
        self._retry = retry

    async def settle(self, owner: str, settlements: Sequence[Settlement]) -> Settled:
        """Settles a set in one transaction. When the set fails as a whole, each message is settled in a savepoint of
        its own, so that one saga's fault holds up no other."""
        async with UnitOfWork(self._engine) as work:
            try:
                ignored = await self._settle_set(work, owner, settlements)
                await work.commit()
                return Settled(ignored)
            except Exception as error:
                if is_connection_lost(error) or len(settlements) == 0:
                    raise
        _log.warning("a set of %d settlements failed; settling each by itself", len(settlements))
        async with UnitOfWork(self._engine) as work:
            settled = await self._settle_each(work, owner, settlements)
            await work.commit()
        return settled

    async def _settle_each(self, work: UnitOfWork, owner: str, settlements: Iterable[Settlement]) -> Settled:
        settled = Settled()
        for settlement in settlements:
            try:
                async with work.connection.begin_nested():
                    settled.ignored += await self._settle_set(work, owner, [settlement])
            except Exception as error:
                if is_connection_lost(error):
                    raise
                _log.exception("message %s could not be settled; it will come again", settlement.message_id)
                settled.failed.append(settlement.message_id)
        rows = await lock(work.connection, settled.failed)
        delays = {row.seq: self._retry.delay(row.attempts + 3) for row in rows.values()}
        await _postpone(work.connection, delays, cost=0)
        return settled

    async def _settle_set(self, work: UnitOfWork, owner: str, settlements: Sequence[Settlement]) -> list[UUID]:
        rows = await lock(work.connection, [s.message_id for s in settlements if s.outcome.code != Outcome.NOT_RUN])
        held = await self._held(work.connection, owner, rows.values(), settlements)
        plan = _Plan()
        for settlement in settlements:
            row = rows.get(settlement.message_id)
            if row is None:
                plan.ignored.append(settlement.message_id)
            else:
                self._judge(plan, row, settlement, fenced=(row.bucket, settlement.epoch) not in held)
        await delete(work.connection, [row.seq for row in plan.gone])
        await bury(work.connection, plan.burials)
        await _postpone(work.connection, plan.postponed, cost=1)
        await self._sagas.apply(work, plan.reports)
        return plan.ignored

    async def _held(
        self,
        connection: AsyncConnection,
        owner: str,
        rows: Iterable[QueuedRow],
        settlements: Iterable[Settlement],
    ) -> set[tuple[int, int]]:
        """The leases (bucket, epoch) that the relay holds, locked until commit; looked up only for failures."""
        if all(s.outcome.code in (Outcome.OK, Outcome.NOT_RUN) for s in settlements):
            return set()
        found = await connection.execute(_FENCE, {"owner": owner, "buckets": sorted({row.bucket for row in rows})})
        return {(row.bucket, row.epoch) for row in found}

    def _judge(self, plan: _Plan, row: QueuedRow, settlement: Settlement, *, fenced: bool) -> None:
        outcome = settlement.outcome
        may_be_refused = row.direction in (None, SagaStep.DO)
        if outcome.code == Outcome.OK:
            plan.gone.append(row)
            self._report(plan, row, Report.DONE, outcome)
        elif outcome.code == Outcome.REJECT and may_be_refused:
            plan.gone.append(row)
            if row.saga_id is None:
                plan.burials.append(Burial(row, outcome.error, redrivable=False, parked=False))
            self._report(plan, row, Report.REJECTED, outcome)
        elif fenced:
            plan.ignored.append(row.message_id)
        elif outcome.code == Outcome.UNKNOWN_DESTINATION:
            self._give_up(plan, row, Outcome(error=_NO_SUCH_DESTINATION))
        elif row.attempts + 1 >= self._retry.attempts:
            self._give_up(plan, row, outcome)
        else:
            plan.postponed[row.seq] = self._retry.delay(row.attempts + 1)
            self._report(plan, row, Report.RETRIED, outcome)

    def _give_up(self, plan: _Plan, row: QueuedRow, outcome: Outcome) -> None:
        """Up to the pivot the saga is taken back and the key moves on; otherwise the key waits for a redrive."""
        compensated = row.direction == SagaStep.DO
        plan.gone.append(row)
        plan.burials.append(Burial(row, outcome.error, redrivable=not compensated, parked=not compensated))
        self._report(plan, row, Report.EXHAUSTED, outcome)

    def _report(self, plan: _Plan, row: QueuedRow, kind: Report, outcome: Outcome) -> None:
        if row.saga_id is not None:
            reply = outcome.reply if outcome.HasField("reply") else None
            error = outcome.error if outcome.HasField("error") else None
            plan.reports.append(StepReport(row.saga_id, row.message_id, kind, reply, error))


async def _postpone(connection: AsyncConnection, delays: dict[int, float], *, cost: int) -> None:
    if delays:
        await connection.execute(_POSTPONE, {"seqs": list(delays), "delays": list(delays.values()), "cost": cost})
