"""The sagas that scores start. Both have one step, at line_provider, which is their pivot: they end when it answers.

A step's undo is asked for only when it is unknown whether the step was done (its attempts, or its time, ran out).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from google.protobuf.message import Message
from sagamesh.line_provider.v1.commands_pb2 import ApplyScore, RestoreScore, RevokeScore, WithdrawScore

from mesh.saga import Progress, Saga, Sagas, Step
from mesh.status import reason_of
from mesh.uow import UnitOfWork
from score_maker.commands import settle_scores
from score_maker.domain import Ending, Score
from score_maker.ports import Scores

LINE_PROVIDER = "line_provider"


@dataclass(frozen=True, slots=True)
class Definitions:
    """`rate` has an event count a revision of a score; `withdraw` has it count none."""

    rate: Saga
    withdraw: Saga

    @property
    def all(self) -> Sequence[Saga]:
        """What the service's sagas are made of."""
        return (self.rate, self.withdraw)


def define(scores: Callable[[UnitOfWork], Scores], clock: Callable[[], datetime], deadline: timedelta) -> Definitions:
    """The sagas. Their ends change the scores of the transaction that settles them; `deadline` bounds their time."""

    async def confirm(work: UnitOfWork, sagas: Sequence[Progress]) -> None:
        await settle_scores(scores(work), [Ending(UUID(saga.entity_id), saga.saga_id) for saga in sagas], clock())

    async def refuse(work: UnitOfWork, sagas: Sequence[Progress]) -> None:
        endings = [Ending(UUID(saga.entity_id), saga.saga_id, _reason(saga)) for saga in sagas]
        await settle_scores(scores(work), endings, clock())

    def at_line_provider(name: str, step: Step, command: type[Message]) -> Saga:
        return Saga(
            name,
            version=1,
            input=command,
            steps=(step,),
            pivot=step.name,
            on_pivot=confirm,
            on_compensated=refuse,
            deadline=deadline,
        )

    return Definitions(
        rate=at_line_provider("rate", Step("apply_score", LINE_PROVIDER, do=_input, undo=_revocation), ApplyScore),
        withdraw=at_line_provider(
            "withdraw", Step("withdraw_score", LINE_PROVIDER, do=_input, undo=_restoration), WithdrawScore
        ),
    )


class ScoreSagas:
    """Port Sagas. A score's id is the ordering key of its sagas' messages: its changes arrive in order."""

    def __init__(self, sagas: Sagas, definitions: Definitions, work: UnitOfWork) -> None:
        self._sagas = sagas
        self._definitions = definitions
        self._work = work

    async def rate(self, score: Score, submitted_at: datetime) -> None:
        """One statement, and no message leaves before the commit."""
        command = ApplyScore(
            score_id=str(score.score_id),
            event_id=str(score.event_id),
            revision=score.revision,
            rate=score.rate,
            submitted_at=submitted_at,
        )
        await self._start(self._definitions.rate, score, command)

    async def withdraw(self, score: Score, submitted_at: datetime) -> None:
        """One statement, and no message leaves before the commit."""
        command = WithdrawScore(
            score_id=str(score.score_id),
            event_id=str(score.event_id),
            revision=score.revision,
            submitted_at=submitted_at,
        )
        await self._start(self._definitions.withdraw, score, command)

    async def _start(self, saga: Saga, score: Score, command: Message) -> None:
        await self._sagas.start(
            self._work,
            saga,
            saga_id=score.saga_id,
            entity_id=str(score.score_id),
            ordering_key=str(score.score_id),
            owner=f"user:{score.user_id}",
            input=command,
        )


def _input(saga: Progress) -> Message:
    return saga.input


def _revocation(saga: Progress) -> Message:
    applied = cast("ApplyScore", saga.input)
    return RevokeScore(score_id=applied.score_id, event_id=applied.event_id, revision=applied.revision)


def _restoration(saga: Progress) -> Message:
    withdrawn = cast("WithdrawScore", saga.input)
    return RestoreScore(score_id=withdrawn.score_id, event_id=withdrawn.event_id, revision=withdrawn.revision)


def _reason(saga: Progress) -> str:
    return "TAKEN_BACK" if saga.error is None else reason_of(saga.error)
