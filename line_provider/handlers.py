"""The commands that line_provider handles from other services' sagas: messages to domain changes. Decides nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sagamesh.line_provider.v1.commands_pb2 import ApplyScore, RestoreScore, RevokeScore, WithdrawScore

from line_provider.commands import change_scores
from line_provider.domain import Change, Count, Revoke
from line_provider.ports import Scores
from mesh.errors import Refusal
from mesh.uow import UnitOfWork

ScoreCommand = ApplyScore | RevokeScore | WithdrawScore | RestoreScore
HANDLED: tuple[type[ScoreCommand], ...] = (ApplyScore, RevokeScore, WithdrawScore, RestoreScore)
"""One handler takes them all, so that it can lock the events of a mixed batch in one order."""


class ScoreHandler:
    """Handles sets of score commands in the inbox's transaction."""

    def __init__(self, scores: Callable[[UnitOfWork], Scores], clock: Callable[[], datetime]) -> None:
        self._scores = scores
        self._clock = clock

    async def __call__(self, work: UnitOfWork, messages: Sequence[ScoreCommand]) -> Sequence[Refusal | None]:
        """Refuses with EventNotFound, EventFinished, DeadlinePassed; never a revocation or a restoration."""
        return await change_scores(self._scores(work), [_change(message) for message in messages], self._clock())


def _change(message: ScoreCommand) -> Change:
    score_id, event_id = UUID(message.score_id), UUID(message.event_id)
    match message:
        case ApplyScore():
            return Count(score_id, event_id, message.revision, message.rate, message.submitted_at.ToDatetime(UTC))
        case WithdrawScore():
            return Count(score_id, event_id, message.revision, None, message.submitted_at.ToDatetime(UTC))
        case RevokeScore() | RestoreScore():  # both take a revision back; what stood before stands again
            return Revoke(score_id, event_id, message.revision)
