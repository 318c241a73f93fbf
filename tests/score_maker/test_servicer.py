"""ScoreService over real sockets, a real database and a real line_provider: every success and every refusal."""

import asyncio
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from grpc import aio
from sagamesh.mesh.v1 import saga_pb2
from sagamesh.score_maker.v1 import score_pb2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.channel import status_from
from mesh.identifiers import new_id
from stack.ports import free_port
from tests.line_provider.service import LineProvider
from tests.mesh.echo import Keys
from tests.score_maker.service import Score, ScoreMaker, serving
from tests.services import refusal

Code = grpc.StatusCode


async def rows(engine: AsyncEngine) -> dict[str, int]:
    """How many scores, sagas and messages there are."""
    async with engine.connect() as connection:
        return {
            table: (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
            for table in ("score", "saga", "outbox")
        }


NOTHING = {"score": 0, "saga": 0, "outbox": 0}
ONE = {"score": 1, "saga": 1, "outbox": 1}


class TestSubmitScore:
    async def test_a_new_score_is_pending(self, service: ScoreMaker, engine: AsyncEngine) -> None:
        event = await service.events.create()
        score = await service.submit(event.event_id, 5)
        assert (score.event_id, score.user_id, score.rate, score.revision) == (event.event_id, "alice", 5, 1)
        assert (score.status, score.reason, score.etag) == (Score.PENDING, "", "1")
        assert await service.get(score.score_id) == score
        assert await rows(engine) == ONE

    async def test_a_confirmed_score_is_edited(self, service: ScoreMaker) -> None:
        event = await service.events.create()
        first = await service.confirmed(event.event_id, 5)
        score = await service.submit(event.event_id, 2)
        assert (score.score_id, score.status, score.rate, score.revision) == (first.score_id, Score.PENDING, 2, 2)
        assert score.saga_id != first.saga_id

    async def test_the_same_rate_returns_the_score_and_writes_nothing(
        self, service: ScoreMaker, engine: AsyncEngine
    ) -> None:
        event = await service.events.create()
        pending = await service.submit(event.event_id, 5)
        assert await service.submit(event.event_id, 5) == pending
        assert await rows(engine) == ONE
        await service.relay()
        confirmed = await service.get(pending.score_id)
        assert await service.submit(event.event_id, 5) == confirmed
        assert await rows(engine) == {"score": 1, "saga": 1, "outbox": 0}

    async def test_users_score_an_event_each_by_themselves(self, service: ScoreMaker) -> None:
        event = await service.events.create()
        alices, bobs = await service.submit(event.event_id, 5), await service.submit(event.event_id, 1, by="bob")
        assert alices.score_id != bobs.score_id
        assert bobs.user_id == "bob"

    async def test_a_repeated_request_gets_the_first_answer(self, service: ScoreMaker) -> None:
        event, request_id = await service.events.create(), str(new_id())
        first = await service.submit(event.event_id, 5, request_id=request_id)
        await service.relay()
        assert await service.submit(event.event_id, 5, request_id=request_id) == first
        assert (await service.get(first.score_id)).status == Score.CONFIRMED

    async def test_a_repeated_request_gets_the_first_answer_even_when_the_event_has_ended(
        self, service: ScoreMaker, dsn: str, keys: Keys
    ) -> None:
        event, request_id = await service.events.create(), str(new_id())
        first = await service.submit(event.event_id, 5, request_id=request_id)
        await service.events.finish(event.event_id)
        async with serving(dsn, keys, service.events) as replica:  # it remembers nothing of the event
            assert await replica.submit(event.event_id, 5, request_id=request_id) == first

    async def test_the_same_request_id_with_another_body_is_refused(self, service: ScoreMaker) -> None:
        event, request_id = await service.events.create(), str(new_id())
        await service.submit(event.event_id, 5, request_id=request_id)
        refused = await refusal(service.submit(event.event_id, 4, request_id=request_id))
        assert refused == (Code.INVALID_ARGUMENT, "REQUEST_ID_REUSED", ["request_id"])

    async def test_concurrent_first_scores_of_one_user_are_one_score(
        self, service: ScoreMaker, engine: AsyncEngine
    ) -> None:
        event = await service.events.create()
        scores = await asyncio.gather(*(service.submit(event.event_id, 4) for _ in range(20)))
        assert len({score.score_id for score in scores}) == 1
        assert await rows(engine) == ONE

    async def test_of_concurrent_first_scores_that_differ_one_is_taken(
        self, service: ScoreMaker, engine: AsyncEngine
    ) -> None:
        event = await service.events.create()
        rates = [1 + number % 5 for number in range(20)]
        answers = await asyncio.gather(
            *(service.submit(event.event_id, rate) for rate in rates), return_exceptions=True
        )
        refused = [answer for answer in answers if isinstance(answer, aio.AioRpcError)]
        assert {error.code() for error in refused} == {Code.ABORTED}
        assert len(refused) == 16
        assert await rows(engine) == ONE

    async def test_a_change_while_another_is_under_way_is_refused_with_a_time_to_try_again(
        self, service: ScoreMaker
    ) -> None:
        event = await service.events.create()
        await service.submit(event.event_id, 5)
        with pytest.raises(aio.AioRpcError) as raised:
            await service.submit(event.event_id, 4)
        assert raised.value.code() is Code.ABORTED
        retry = RetryInfo()
        assert any(detail.Unpack(retry) for detail in status_from(raised.value).details)
        assert retry.retry_delay.seconds == 1
        assert await refusal(service.submit(event.event_id, 4)) == (Code.ABORTED, "SCORE_PENDING", [])

    async def test_an_unknown_event_is_refused(self, service: ScoreMaker, engine: AsyncEngine) -> None:
        refused = await refusal(service.submit(str(new_id()), 4))
        assert refused == (Code.NOT_FOUND, "EVENT_NOT_FOUND", ["event_id"])
        assert await rows(engine) == NOTHING

    async def test_a_finished_event_is_refused(self, service: ScoreMaker, engine: AsyncEngine) -> None:
        event = await service.events.finish((await service.events.create()).event_id)
        refused = await refusal(service.submit(event.event_id, 4))
        assert refused == (Code.FAILED_PRECONDITION, "EVENT_FINISHED", ["event_id"])
        assert await rows(engine) == NOTHING

    async def test_an_event_past_its_deadline_is_refused(self, service: ScoreMaker, engine: AsyncEngine) -> None:
        event = await service.events.create_past()
        refused = await refusal(service.submit(event.event_id, 4))
        assert refused == (Code.FAILED_PRECONDITION, "DEADLINE_PASSED", ["event_id"])
        assert await rows(engine) == NOTHING

    async def test_without_line_provider_nothing_is_written(
        self, dsn: str, keys: Keys, events: LineProvider, engine: AsyncEngine
    ) -> None:
        event = await events.create()
        async with serving(dsn, keys, events, line_provider_target=f"127.0.0.1:{free_port()}") as service:
            refused = await refusal(service.submit(event.event_id, 4))
        assert refused == (Code.UNAVAILABLE, "EVENTS_UNAVAILABLE", [])
        assert await rows(engine) == NOTHING

    @pytest.mark.parametrize("rate", [-1, 0, 6])
    async def test_a_rate_that_is_none_is_refused(self, service: ScoreMaker, engine: AsyncEngine, rate: int) -> None:
        event = await service.events.create()
        refused = await refusal(service.submit(event.event_id, rate))
        assert refused == (Code.INVALID_ARGUMENT, "INVALID_ARGUMENT", ["rate"])
        assert await rows(engine) == NOTHING

    async def test_what_is_no_id_is_refused(self, service: ScoreMaker) -> None:
        assert await refusal(service.submit("7", 4)) == (Code.INVALID_ARGUMENT, "INVALID_ARGUMENT", ["event_id"])

    async def test_nobody_scores_without_a_token(self, service: ScoreMaker) -> None:
        request = score_pb2.SubmitScoreRequest(event_id=str(new_id()), rate=4)
        assert (await refusal(service.scores.SubmitScore(request)))[:2] == (Code.UNAUTHENTICATED, "TOKEN_MISSING")

    async def test_no_service_scores(self, service: ScoreMaker) -> None:
        request = score_pb2.SubmitScoreRequest(event_id=str(new_id()), rate=4)
        code, _, _ = await refusal(service.scores.SubmitScore(request, **service.worker))
        assert code is Code.PERMISSION_DENIED


class TestGetScore:
    async def test_a_score_is_its_users_and_managers_to_see(self, service: ScoreMaker) -> None:
        score = await service.submit((await service.events.create()).event_id, 4)
        assert await service.get(score.score_id) == score
        assert await service.get(score.score_id, by="boss", role="manager") == score
        refused = await refusal(service.get(score.score_id, by="bob"))
        assert refused == (Code.NOT_FOUND, "SCORE_NOT_FOUND", ["score_id"])

    async def test_an_unknown_score_is_refused(self, service: ScoreMaker) -> None:
        refused = await refusal(service.get(str(new_id())))
        assert refused == (Code.NOT_FOUND, "SCORE_NOT_FOUND", ["score_id"])


class TestListScores:
    async def ids(self, service: ScoreMaker, by: str = "alice", role: str = "", **wanted: Any) -> list[str]:
        response = await service.scores.ListScores(score_pb2.ListScoresRequest(**wanted), **service.user(by, role))
        return [score.score_id for score in response.scores]

    async def test_users_list_their_own_and_managers_all(self, service: ScoreMaker) -> None:
        one, two = (await service.events.create()).event_id, (await service.events.create()).event_id
        first = (await service.submit(one, 4)).score_id
        bobs = (await service.submit(one, 3, by="bob")).score_id
        second = (await service.submit(two, 2)).score_id
        assert await self.ids(service) == [second, first]
        assert await self.ids(service, event_id=one) == [first]
        assert await self.ids(service, user_id="alice") == [second, first]
        assert await self.ids(service, "boss", "manager") == [second, bobs, first]
        assert await self.ids(service, "boss", "manager", event_id=one) == [bobs, first]
        assert await self.ids(service, "boss", "manager", user_id="bob") == [bobs]
        assert await self.ids(service, "boss", "manager", user_id="bob", event_id=two) == []

    async def test_pages_show_every_score_once(self, service: ScoreMaker) -> None:
        event = await service.events.create()
        made = [(await service.submit(event.event_id, 4, by=f"user {number}")).score_id for number in range(5)]
        seen, token = list[str](), ""
        while True:
            request = score_pb2.ListScoresRequest(page_size=2, page_token=token)
            page = await service.scores.ListScores(request, **service.user("boss", "manager"))
            seen += [score.score_id for score in page.scores]
            if not (token := page.next_page_token):
                break
        assert seen == made[::-1]

    async def test_another_users_scores_are_refused(self, service: ScoreMaker) -> None:
        refused = await refusal(self.ids(service, user_id="bob"))
        assert refused == (Code.PERMISSION_DENIED, "NOT_YOUR_SCORES", ["user_id"])

    @pytest.mark.parametrize(
        ("wanted", "field"),
        [
            ({"page_token": "x"}, "page_token"),
            ({"page_size": 501}, "page_size"),
            ({"event_id": "7"}, "event_id"),
            ({"user_id": "a\0"}, "user_id"),
        ],
    )
    async def test_a_bad_list_request_is_refused(self, service: ScoreMaker, wanted: dict[str, Any], field: str) -> None:
        code, _, fields = await refusal(self.ids(service, "boss", "manager", **wanted))
        assert (code, fields) == (Code.INVALID_ARGUMENT, [field])


class TestWithdrawScore:
    async def test_a_confirmed_score_is_withdrawing(self, service: ScoreMaker) -> None:
        confirmed = await service.confirmed((await service.events.create()).event_id, 4)
        score = await service.withdraw(confirmed.score_id, etag=confirmed.etag)
        assert (score.status, score.revision, score.rate) == (Score.WITHDRAWING, 2, 4)

    async def test_withdrawing_twice_is_withdrawing_once(self, service: ScoreMaker, engine: AsyncEngine) -> None:
        confirmed = await service.confirmed((await service.events.create()).event_id, 4)
        first = await service.withdraw(confirmed.score_id, etag=confirmed.etag)
        assert await service.withdraw(confirmed.score_id, etag=confirmed.etag) == first
        assert await rows(engine) == {"score": 1, "saga": 2, "outbox": 1}
        await service.relay()
        withdrawn = await service.withdraw(confirmed.score_id, etag=confirmed.etag)
        assert (withdrawn.status, withdrawn.revision) == (Score.WITHDRAWN, 2)

    async def test_concurrent_withdrawals_are_one(self, service: ScoreMaker, engine: AsyncEngine) -> None:
        confirmed = await service.confirmed((await service.events.create()).event_id, 4)
        scores = await asyncio.gather(*(service.withdraw(confirmed.score_id, etag=confirmed.etag) for _ in range(10)))
        assert {score.saga_id for score in scores} == {scores[0].saga_id}
        assert (await rows(engine))["saga"] == 2

    async def test_a_pending_score_is_refused(self, service: ScoreMaker) -> None:
        score = await service.submit((await service.events.create()).event_id, 4)
        assert await refusal(service.withdraw(score.score_id)) == (Code.ABORTED, "SCORE_PENDING", [])

    async def test_an_old_etag_is_refused(self, service: ScoreMaker) -> None:
        score = await service.confirmed((await service.events.create()).event_id, 4)
        assert await refusal(service.withdraw(score.score_id, etag="1")) == (Code.ABORTED, "ETAG_MISMATCH", ["etag"])

    async def test_a_finished_event_is_refused(self, service: ScoreMaker, dsn: str, keys: Keys) -> None:
        score = await service.confirmed((await service.events.create()).event_id, 4)
        await service.events.finish(score.event_id)
        async with serving(dsn, keys, service.events) as replica:
            refused = await refusal(replica.withdraw(score.score_id))
        assert refused == (Code.FAILED_PRECONDITION, "EVENT_FINISHED", ["event_id"])
        assert await service.get(score.score_id) == score

    async def test_only_its_user_withdraws_a_score(self, service: ScoreMaker) -> None:
        score = await service.confirmed((await service.events.create()).event_id, 4)
        refused = await refusal(service.withdraw(score.score_id, by="bob"))
        assert refused == (Code.NOT_FOUND, "SCORE_NOT_FOUND", ["score_id"])
        refused = await refusal(service.withdraw(score.score_id, by="boss", role="manager"))
        assert refused == (Code.PERMISSION_DENIED, "NOT_YOUR_SCORE", ["score_id"])

    async def test_an_unknown_score_is_refused(self, service: ScoreMaker) -> None:
        refused = await refusal(service.withdraw(str(new_id())))
        assert refused == (Code.NOT_FOUND, "SCORE_NOT_FOUND", ["score_id"])


class TestGetScoreSaga:
    async def test_the_scores_user_a_manager_and_an_operator_see_it(self, service: ScoreMaker) -> None:
        score = await service.submit((await service.events.create()).event_id, 4)
        saga = await service.saga(score.score_id)
        assert (saga.saga_id, saga.name, saga.owner, saga.entity_id) == (
            score.saga_id,
            "rate",
            "user:alice",
            score.score_id,
        )
        assert saga.state == saga_pb2.Saga.RUNNING
        for by, role in (("boss", "manager"), ("ops", "operator")):
            assert await service.saga(score.score_id, by=by, role=role) == saga

    async def test_other_users_do_not(self, service: ScoreMaker) -> None:
        score = await service.submit((await service.events.create()).event_id, 4)
        refused = await refusal(service.saga(score.score_id, by="bob"))
        assert refused == (Code.NOT_FOUND, "SCORE_NOT_FOUND", ["score_id"])

    async def test_it_is_the_saga_of_the_last_change(self, service: ScoreMaker) -> None:
        confirmed = await service.confirmed((await service.events.create()).event_id, 4)
        assert (await service.saga(confirmed.score_id)).state == saga_pb2.Saga.COMPLETED
        await service.withdraw(confirmed.score_id)
        assert (await service.saga(confirmed.score_id)).name == "withdraw"
