"""Reads: SQL to scores. Nothing is locked or changed."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.uow import UnitOfWork
from score_maker import tables
from score_maker.domain import Caller, Score
from score_maker.errors import NotYourScores, ScoreNotFound

_SCORE = tables.score.c
_GET = select(tables.score).where(_SCORE.score_id == bindparam("id"))


@dataclass(frozen=True, slots=True)
class ScoreFilter:
    """Which scores to list; None does not filter."""

    event_id: UUID | None = None
    user_id: str | None = None


async def get_score(engine: AsyncEngine, score_id: UUID, caller: Caller) -> Score:
    """A score that the caller may see. Raises ScoreNotFound."""
    score = await _get(engine, score_id)
    caller.expect_sight(score)
    return score


async def get_saga_id(engine: AsyncEngine, score_id: UUID, caller: Caller) -> UUID:
    """The saga of a score's last change, if the caller may see it. Raises ScoreNotFound."""
    score = await _get(engine, score_id)
    caller.expect_sight_of_saga(score)
    return score.saga_id


async def list_scores(
    engine: AsyncEngine, wanted: ScoreFilter, caller: Caller, *, before: UUID | None, limit: int
) -> list[Score]:
    """At most `limit` scores that the caller may see, with an id below `before`, newest first.

    Raises NotYourScores when another user's are asked for.
    """
    if not caller.is_manager and wanted.user_id not in (None, caller.user_id):
        raise NotYourScores(field="user_id")
    query = select(tables.score).where(*_conditions(wanted, caller)).order_by(_SCORE.score_id.desc()).limit(limit)
    if before is not None:
        query = query.where(_SCORE.score_id < before)
    async with UnitOfWork(engine) as work:
        return [tables.score_of(row) for row in await work.connection.execute(query)]


async def _get(engine: AsyncEngine, score_id: UUID) -> Score:
    async with UnitOfWork(engine) as work:
        row = (await work.connection.execute(_GET, {"id": score_id})).one_or_none()
    if row is None:
        raise ScoreNotFound(field="score_id")
    return tables.score_of(row)


def _conditions(wanted: ScoreFilter, caller: Caller) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    user_id = wanted.user_id if caller.is_manager else caller.user_id
    if user_id is not None:
        conditions.append(_SCORE.user_id == user_id)
    if wanted.event_id is not None:
        conditions.append(_SCORE.event_id == wanted.event_id)
    return conditions
