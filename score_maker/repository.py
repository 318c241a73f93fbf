"""The ports over PostgreSQL. Speaks SQL inside the caller's transaction, and never commits.

A score is changed under its row's lock. `save` checks once more that the change is one legal step from the row.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, and_, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.idempotency import Once
from mesh.uow import UnitOfWork
from score_maker import tables
from score_maker.domain import MOVES, Score
from score_maker.ports import LostUpdate, Sagas

_SCORE = tables.score.c
_ADD = insert(tables.score).on_conflict_do_nothing(index_elements=[_SCORE.event_id, _SCORE.user_id])
_LOCK_OWN = (
    select(tables.score)
    .where(_SCORE.event_id == bindparam("event"), _SCORE.user_id == bindparam("user"))
    .with_for_update()
)
_LOCK = select(tables.score).where(_SCORE.score_id == bindparam("id")).with_for_update()
# Arrays, not a value a parameter: the statement is prepared once, whatever the size of the set.
_IDS, _SAGAS = bindparam("ids", type_=ARRAY(Uuid)), bindparam("sagas", type_=ARRAY(Uuid))
_ASKED = func.unnest(_IDS, _SAGAS).table_valued("score_id", "saga_id", name="asked").render_derived()
_LOCK_SET = (
    select(tables.score)
    .join(_ASKED, and_(_SCORE.score_id == _ASKED.c.score_id, _SCORE.saga_id == _ASKED.c.saga_id))
    .order_by(_SCORE.score_id)
    .with_for_update(of=tables.score)
)

_SAVE = text(
    """UPDATE score SET status = new.status, rate = new.rate, revision = new.revision, drawn = new.drawn,
                        standing_status = new.standing_status, standing_revision = new.standing_revision,
                        standing_rate = new.standing_rate, reason = new.reason, saga_id = new.saga_id,
                        version = new.version, update_time = new.update_time
    FROM unnest(CAST(:score_id AS uuid[]), CAST(:status AS text[]), CAST(:rate AS smallint[]),
                CAST(:revision AS bigint[]), CAST(:drawn AS bigint[]), CAST(:standing_status AS text[]),
                CAST(:standing_revision AS bigint[]), CAST(:standing_rate AS smallint[]), CAST(:reason AS text[]),
                CAST(:saga_id AS uuid[]), CAST(:version AS bigint[]), CAST(:update_time AS timestamptz[]))
         AS new (score_id, status, rate, revision, drawn, standing_status, standing_revision, standing_rate, reason,
                 saga_id, version, update_time)
    WHERE score.score_id = new.score_id AND score.version = new.version - 1
      AND score.status || '>' || new.status = ANY(CAST(:moves AS text[]))"""
)
_NEVER_CHANGE = ("event_id", "user_id", "create_time")
_LEGAL_MOVES = [f"{before.name}>{after.name}" for before, after in MOVES]


class SqlScores:
    """Port Scores."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def add(self, score: Score) -> bool:
        """Waits for a transaction that adds the same user's score of the event."""
        added = await self._work.connection.execute(_ADD, tables.row_of(score))
        return added.rowcount == 1

    async def lock_own(self, event_id: UUID, user_id: str) -> Score | None:
        """Waits for whoever holds the score."""
        found = await self._work.connection.execute(_LOCK_OWN, {"event": event_id, "user": user_id})
        row = found.one_or_none()
        return None if row is None else tables.score_of(row)

    async def lock(self, score_id: UUID) -> Score:
        """Waits for whoever holds the score."""
        return tables.score_of((await self._work.connection.execute(_LOCK, {"id": score_id})).one())

    async def lock_set(self, sagas: Mapping[UUID, UUID]) -> Sequence[Score]:
        """Locks in the order of the scores' ids, so that two sets cannot wait for each other."""
        asked = {"ids": list(sagas), "sagas": list(sagas.values())}
        return list(map(tables.score_of, await self._work.connection.execute(_LOCK_SET, asked)))

    async def save(self, scores: Sequence[Score]) -> None:
        """Writes one set."""
        if not scores:
            return
        saved = await self._work.connection.execute(_SAVE, {**_columns(scores), "moves": _LEGAL_MOVES})
        if saved.rowcount != len(scores):
            raise LostUpdate


class ScoreWork(UnitOfWork):
    """Port Work. `sagas` makes the port Sagas of this transaction."""

    def __init__(self, engine: AsyncEngine, sagas: Callable[[UnitOfWork], Sagas], *, once: Once | None = None) -> None:
        super().__init__(engine, once=once)
        self._scores = SqlScores(self)
        self._sagas = sagas(self)

    @property
    def scores(self) -> SqlScores:
        """The scores as this transaction sees them."""
        return self._scores

    @property
    def sagas(self) -> Sagas:
        """What starts sagas in this transaction."""
        return self._sagas


def _columns(scores: Sequence[Score]) -> dict[str, list[Any]]:  # one type a column
    rows = [tables.row_of(score) for score in scores]
    columns = {name: [row[name] for row in rows] for name in rows[0] if name not in _NEVER_CHANGE}
    for name in ("status", "standing_status"):
        columns[name] = [status and status.name for status in columns[name]]
    return columns
