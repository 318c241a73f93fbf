"""ScoreService: messages to domain objects and back. Decides nothing."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sagamesh.mesh.v1 import saga_pb2
from sagamesh.score_maker.v1 import score_pb2, score_pb2_grpc
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.call import current_call
from mesh.idempotency import Once, once
from mesh.paging import id_position, limit_of, page_of
from mesh.saga import SagaServicer
from score_maker import commands, queries, tables
from score_maker.domain import Caller, Score
from score_maker.errors import UserIdInvalid
from score_maker.ports import Events, Work
from score_maker.queries import ScoreFilter


class ScoreServicer(score_pb2_grpc.ScoreServiceServicer):
    """Owns users' scores: one per user and event."""

    SERVICE = score_pb2.DESCRIPTOR.services_by_name["ScoreService"]

    def __init__(
        self,
        engine: AsyncEngine,
        begin: Callable[[Once | None], Work],
        events: Events,
        sagas: SagaServicer,
        clock: Callable[[], datetime],
    ) -> None:
        """Takes an engine for reads, what begins a transaction, the events, the service's sagas, and a clock that
        tells UTC."""
        self._engine = engine
        self._begin = begin
        self._events = events
        self._sagas = sagas
        self._clock = clock

    async def SubmitScore(self, request: score_pb2.SubmitScoreRequest, context: Any) -> score_pb2.Score:
        """Raises EventNotFound, EventsUnavailable, EventFinished, DeadlinePassed, ScorePending."""
        work = self._begin(once(tables.request, request, to_proto))
        event_id, now = UUID(request.event_id), self._clock()
        return to_proto(await commands.submit_score(work, self._events, event_id, _caller(), request.rate, now))

    async def GetScore(self, request: score_pb2.GetScoreRequest, context: Any) -> score_pb2.Score:
        """Raises ScoreNotFound."""
        return to_proto(await queries.get_score(self._engine, UUID(request.score_id), _caller()))

    async def ListScores(self, request: score_pb2.ListScoresRequest, context: Any) -> score_pb2.ListScoresResponse:
        """Newest first. Raises NotYourScores, UserIdInvalid."""
        before, limit = id_position(request, request.page_token), limit_of(request)
        found = await queries.list_scores(self._engine, _filter(request), _caller(), before=before, limit=limit)
        page = page_of(request, found, to_proto, lambda score: score.score_id)
        return score_pb2.ListScoresResponse(scores=page.messages, next_page_token=page.token)

    async def WithdrawScore(self, request: score_pb2.WithdrawScoreRequest, context: Any) -> score_pb2.Score:
        """Raises ScoreNotFound, NotYourScore, EtagMismatch, ScorePending, NothingToWithdraw, EventFinished,
        DeadlinePassed, EventsUnavailable."""
        caller, now = _caller(), self._clock()
        seen = await queries.get_score(self._engine, UUID(request.score_id), caller)
        score = await commands.withdraw_score(self._begin(None), self._events, seen, caller, request.etag, now)
        return to_proto(score)

    async def GetScoreSaga(self, request: score_pb2.GetScoreSagaRequest, context: Any) -> saga_pb2.Saga:
        """Raises ScoreNotFound, and the mesh's SagaNotFound for a saga that ended long ago."""
        saga_id = await queries.get_saga_id(self._engine, UUID(request.score_id), _caller())
        return await self._sagas.GetSaga(saga_pb2.GetSagaRequest(saga_id=str(saga_id)), context)


def to_proto(score: Score) -> score_pb2.Score:
    """A score as its message."""
    message = score_pb2.Score(
        score_id=str(score.score_id),
        event_id=str(score.event_id),
        user_id=score.user_id,
        rate=score.rate,
        revision=score.revision,
        status=score.status.name,
        reason=score.reason,
        saga_id=str(score.saga_id),
        etag=score.etag,
    )
    message.create_time.FromDatetime(score.create_time)
    message.update_time.FromDatetime(score.update_time)
    return message


def _caller() -> Caller:
    principal = current_call().principal
    return Caller(principal.subject, principal.has_role("manager"), principal.has_role("operator"))


def _filter(request: score_pb2.ListScoresRequest) -> ScoreFilter:
    if "\0" in request.user_id:  # PostgreSQL's text cannot hold it
        raise UserIdInvalid(field="user_id")
    return ScoreFilter(UUID(request.event_id) if request.event_id else None, request.user_id or None)
