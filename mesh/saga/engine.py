"""Starts sagas and applies reports to sets of them, in the caller's transaction.

What follows from a report is machine.py's to say; this module loads, asks, and writes: sagas, their log, their next
messages, and the callbacks of what was settled. Locks are taken outbox row -> saga -> entity, never otherwise.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from google.protobuf.any_pb2 import Any as AnyProto
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from sagamesh.mesh.v1.envelope_pb2 import SagaStep

from mesh.call import current_call
from mesh.identifiers import new_id
from mesh.outbox.store import OutboxRow, append, seal
from mesh.saga import store
from mesh.saga.definition import Progress, Saga
from mesh.saga.machine import Direction, Reaction, Report, Settled, begin, react
from mesh.saga.store import LogRow, SagaRow
from mesh.uow import UnitOfWork


@dataclass(frozen=True, slots=True)
class StepReport:
    """What became of the message of a saga's step."""

    saga_id: UUID
    message_id: UUID
    kind: Report
    reply: AnyProto | None = None
    error: Status | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """What one report makes of one saga."""

    row: SagaRow
    saga: Saga
    reaction: Reaction
    log: tuple[LogRow, ...]
    message: OutboxRow | None


class Sagas:
    """The sagas of one service. `wake` is called with a destination after a commit that left messages for it in the
    outbox."""

    def __init__(self, definitions: Sequence[Saga], wake: Callable[[str], None]) -> None:
        self._definitions = {(saga.name, saga.version): saga for saga in definitions}
        self._wake = wake

    async def start(
        self,
        work: UnitOfWork,
        saga: Saga,
        *,
        saga_id: UUID,
        entity_id: str,
        ordering_key: str,
        owner: str,
        input: Message,
    ) -> None:
        """Writes a new saga and its first message. The entity's row must be locked or just inserted."""
        standing = begin(saga).standing
        row = SagaRow(
            saga_id=saga_id,
            name=saga.name,
            version=saga.version,
            standing=standing,
            message_id=new_id(),
            entity_id=entity_id,
            ordering_key=ordering_key,
            owner=owner,
            input=input.SerializeToString(),
            replies=b"",
            error=b"",
            traceparent=current_call().traceparent,
            deadline=datetime.now(UTC) + saga.deadline,
        )
        message = _message(saga, row, Progress(saga_id, entity_id, input))
        await store.insert(work.connection, row, message)
        work.on_commit(partial(self._wake, message.destination))

    async def apply(self, work: UnitOfWork, reports: Sequence[StepReport]) -> None:
        """Applies reports, at most one a saga. Whoever reports an end of a message must hold (have deleted) its
        outbox row: that makes each end reach the saga once. Raises KeyError for an unknown definition."""
        if not reports:
            return
        rows = await store.lock(work.connection, sorted({report.saga_id for report in reports}))
        current = [r for r in reports if r.saga_id in rows and rows[r.saga_id].message_id == r.message_id]
        changes = [self._change(rows[report.saga_id], report) for report in current]
        log = [line for change in changes for line in change.log]
        await store.advance(work.connection, [change.row for change in changes], log)
        messages = [change.message for change in changes if change.message is not None]
        await append(work.connection, messages)
        await self._call_back(work, changes)
        for destination in {message.destination for message in messages}:
            work.on_commit(partial(self._wake, destination))

    def _change(self, row: SagaRow, report: StepReport) -> _Change:
        saga = self._definitions[row.name, row.version]
        error = report.error.SerializeToString() if report.error is not None else b""
        line = LogRow(row.saga_id, row.standing.step, row.standing.direction, report.kind, error)
        if report.kind is Report.RETRIED:
            return _Change(row, saga, Reaction(row.standing), (line,), None)
        reaction = react(saga, row.standing, report.kind)
        changed = replace(row, standing=reaction.standing, **_learned(row, report, error))
        if not reaction.send:
            return _Change(changed, saga, reaction, (line,), None)
        changed = replace(changed, message_id=new_id())
        message = _message(saga, changed, _progress(saga, changed))
        sent = LogRow(row.saga_id, changed.standing.step, changed.standing.direction, Report.SENT)
        return _Change(changed, saga, reaction, (line, sent), message)

    async def _call_back(self, work: UnitOfWork, changes: Iterable[_Change]) -> None:
        settled: defaultdict[tuple[str, int, Settled], list[Progress]] = defaultdict(list)
        for change in changes:
            if change.reaction.settled is not None:
                key = (change.saga.name, change.saga.version, change.reaction.settled)
                settled[key].append(_progress(change.saga, change.row))
        for (name, version, what), progress in sorted(settled.items(), key=lambda item: item[0][:2]):
            saga = self._definitions[name, version]
            callback = saga.on_pivot if what is Settled.PIVOT else saga.on_compensated
            await callback(work, progress)


def _learned(row: SagaRow, report: StepReport, error: bytes) -> dict[str, bytes]:
    """What a saga keeps of a report: the reply of a done step, and the first error that turned it back."""
    if report.kind is Report.DONE and row.standing.direction is not Direction.UNDO:
        if report.reply is None:
            return {}
        return {"replies": store.pack_replies(store.unpack_replies(row.replies) | {row.standing.step: report.reply})}
    return {"error": error} if error and row.standing.direction is Direction.DO else {}


def _progress(saga: Saga, row: SagaRow) -> Progress:
    return Progress(
        saga_id=row.saga_id,
        entity_id=row.entity_id,
        input=saga.input.FromString(row.input),
        replies=store.unpack_replies(row.replies),
        error=Status.FromString(row.error) if row.error else None,
    )


def _message(saga: Saga, row: SagaRow, progress: Progress) -> OutboxRow:
    step = saga.step(row.standing.step)
    build = step.undo if step.undo is not None and row.standing.direction is Direction.UNDO else step.do
    return seal(
        row.message_id,
        step.destination,
        row.ordering_key,
        build(progress),
        saga_step=SagaStep(
            saga_id=str(row.saga_id), step=step.name, direction=SagaStep.Direction.Name(row.standing.direction)
        ),
        traceparent=row.traceparent,
    )
