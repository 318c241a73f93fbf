"""What a saga's step may still do at this participant.

One row per (saga, step): APPLIED after an action, REFUSED after a refused one, CANCELLED after its compensation. An
undo acts only on APPLIED; an action that finds CANCELLED is refused. So a compensation that overtakes its action, and
an action that comes after its compensation, are both harmless.
"""

from collections.abc import Sequence
from enum import Enum, IntEnum, auto
from uuid import UUID

from sagamesh.mesh.v1.envelope_pb2 import SagaStep
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from mesh.errors import FailedPrecondition

Key = tuple[UUID, str]


class BarrierState(IntEnum):
    """What has happened to a step here."""

    APPLIED = 1
    REFUSED = 2
    CANCELLED = 3


class Pass(Enum):
    """What the barrier says to a message."""

    ACT = auto()
    NOTHING_TO_DO = auto()
    CANCELLED = auto()


class StepCancelled(FailedPrecondition):
    """This step was taken back before it was asked for."""

    reason = "SAGA_STEP_CANCELLED"


_CLAIM = text(
    """INSERT INTO barrier (saga_id, step, state)
    SELECT * FROM unnest(CAST(:saga_ids AS uuid[]), CAST(:steps AS text[]), CAST(:states AS smallint[]))
    ON CONFLICT DO NOTHING RETURNING saga_id, step"""
)
_LOCK = text(
    """SELECT saga_id, step, state FROM barrier
    WHERE (saga_id, step) IN (SELECT * FROM unnest(CAST(:saga_ids AS uuid[]), CAST(:steps AS text[])))
    ORDER BY saga_id, step FOR UPDATE"""
)
_CANCEL = text(
    """UPDATE barrier SET state = :state
    WHERE (saga_id, step) IN (SELECT * FROM unnest(CAST(:saga_ids AS uuid[]), CAST(:steps AS text[])))"""
)


def key_of(step: SagaStep) -> Key:
    """The barrier row of a saga's step."""
    return UUID(step.saga_id), step.step


async def enter(connection: AsyncConnection, steps: Sequence[SagaStep]) -> dict[Key, Pass]:
    """Claims each step's row for what is asked of it, and says what may be done. At most one message a step."""
    asked = {key_of(step): step.direction for step in sorted(steps, key=key_of)}
    first = {k: BarrierState.CANCELLED if d == SagaStep.UNDO else BarrierState.APPLIED for k, d in asked.items()}
    if not asked:
        return {}
    states = [int(state) for state in first.values()]
    rows = await connection.execute(_CLAIM, {**_columns(list(asked)), "states": states})
    claimed = {(row.saga_id, row.step) for row in rows}
    seen = [key for key in asked if key not in claimed]
    before: dict[Key, BarrierState] = {}
    if seen:
        found = await connection.execute(_LOCK, _columns(seen))
        before = {(row.saga_id, row.step): BarrierState(row.state) for row in found}
        undone = [k for k in seen if asked[k] == SagaStep.UNDO and before[k] is BarrierState.APPLIED]
        if undone:
            await connection.execute(_CANCEL, {**_columns(undone), "state": int(BarrierState.CANCELLED)})
    return {key: _verdict(asked[key] == SagaStep.UNDO, before.get(key)) for key in asked}


async def refuse(connection: AsyncConnection, steps: Sequence[SagaStep]) -> None:
    """Records refused actions. A step that was CANCELLED meanwhile stays so."""
    keys = sorted(key_of(step) for step in steps)
    if keys:
        await connection.execute(_CLAIM, {**_columns(keys), "states": [int(BarrierState.REFUSED)] * len(keys)})


def _columns(keys: Sequence[Key]) -> dict[str, list[UUID] | list[str]]:
    return {"saga_ids": [saga_id for saga_id, _ in keys], "steps": [step for _, step in keys]}


def _verdict(undo: bool, before: BarrierState | None) -> Pass:
    """Total over what is asked and what was there; None is an unseen step."""
    table: dict[tuple[bool, BarrierState | None], Pass] = {
        (False, None): Pass.ACT,
        (False, BarrierState.APPLIED): Pass.NOTHING_TO_DO,
        (False, BarrierState.REFUSED): Pass.CANCELLED,
        (False, BarrierState.CANCELLED): Pass.CANCELLED,
        (True, None): Pass.NOTHING_TO_DO,
        (True, BarrierState.APPLIED): Pass.ACT,
        (True, BarrierState.REFUSED): Pass.NOTHING_TO_DO,
        (True, BarrierState.CANCELLED): Pass.NOTHING_TO_DO,
    }
    return table[undo, before]
