"""What commands do and what they refuse, over ports in memory."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mesh.errors import Refusal
from mesh.identifiers import new_id
from score_maker.commands import settle_scores, submit_score, withdraw_score
from score_maker.domain import Ending, Event, Score, Status
from score_maker.errors import (
    DeadlinePassed,
    EtagMismatch,
    EventFinished,
    EventNotFound,
    EventsUnavailable,
    NothingToWithdraw,
    NotYourScore,
    ScoreNotFound,
    ScorePending,
)
from tests.score_maker.examples import ALICE, BOB, HOUR, MANAGER, NOW, SECOND, a_score, an_event, score_that_is
from tests.score_maker.fakes import FakeEvents, FakeScores, FakeWork, Started, Store

End = Callable[[Event], Event]
ENDED: list[tuple[End, type[Refusal]]] = [
    (lambda event: replace(event, finished_at=NOW - SECOND), EventFinished),
    (lambda event: replace(event, deadline=NOW), DeadlinePassed),
]


async def submit(store: Store, event: Event, rate: int = 4) -> Score:
    return await submit_score(FakeWork(store), FakeEvents(event), event.event_id, ALICE, rate, NOW)


class TestSubmitScore:
    async def test_a_first_score_is_pending_and_its_saga_starts(self) -> None:
        store, event = Store(), an_event()
        score = await submit(store, event, 5)
        assert (score.status, score.rate, score.revision, score.user_id) == (Status.PENDING, 5, 1, "alice")
        assert store.scores == {score.score_id: score}
        assert store.sagas == [Started("rate", score.score_id, score.saga_id, 1, 5, NOW)]

    async def test_another_rate_is_the_next_revision_of_the_same_score(self) -> None:
        event = an_event()
        confirmed = score_that_is(Status.CONFIRMED, event_id=event.event_id)
        store = Store.of(confirmed)
        score = await submit(store, event, 1)
        assert (score.score_id, score.status, score.revision) == (confirmed.score_id, Status.PENDING, 2)
        assert store.sagas == [Started("rate", score.score_id, score.saga_id, 2, 1, NOW)]
        assert score.saga_id != confirmed.saga_id

    async def test_a_change_is_judged_by_the_time_that_its_user_is_shown(self) -> None:
        event = an_event()
        settled_meanwhile = replace(score_that_is(Status.CONFIRMED, event_id=event.event_id), update_time=NOW + SECOND)
        store = Store.of(settled_meanwhile)
        score = await submit(store, event, 1)
        assert store.sagas[0].submitted_at == score.update_time == NOW + SECOND

    @pytest.mark.parametrize("status", [Status.PENDING, Status.CONFIRMED])
    async def test_the_same_rate_returns_the_score_and_writes_nothing(self, status: Status) -> None:
        event = an_event()
        score = score_that_is(status, event_id=event.event_id)
        store = Store.of(score)
        assert await submit(store, event, score.rate) == score
        assert store == Store.of(score)

    async def test_the_answer_of_an_unchanged_score_is_kept_for_repetitions(self) -> None:
        event = an_event()
        score = score_that_is(Status.CONFIRMED, event_id=event.event_id)
        work = FakeWork(Store.of(score))
        await submit_score(work, FakeEvents(event), event.event_id, ALICE, score.rate, NOW)
        assert work.answer == score

    async def test_a_change_while_another_is_under_way_is_refused(self) -> None:
        event = an_event()
        store = Store.of(score_that_is(Status.PENDING, event_id=event.event_id))
        with pytest.raises(ScorePending):
            await submit(store, event, 1)
        assert not store.sagas

    async def test_an_unknown_event_is_refused(self) -> None:
        store = Store()
        with pytest.raises(EventNotFound) as refused:
            await submit_score(FakeWork(store), FakeEvents(), new_id(), ALICE, 4, NOW)
        assert refused.value.field == "event_id"
        assert store == Store()

    async def test_without_line_provider_nothing_is_written(self) -> None:
        store, event = Store(), an_event()
        with pytest.raises(EventsUnavailable):
            await submit_score(FakeWork(store), FakeEvents(event, is_reachable=False), event.event_id, ALICE, 4, NOW)
        assert store == Store()

    @pytest.mark.parametrize(("end", "refusal"), ENDED)
    async def test_an_event_that_has_ended_is_refused(self, end: End, refusal: type[Refusal]) -> None:
        store, event = Store(), end(an_event())
        with pytest.raises(refusal) as refused:
            await submit(store, event)
        assert refused.value.field == "event_id"
        assert store == Store()

    @pytest.mark.parametrize(("end", "refusal"), ENDED)
    async def test_a_change_after_the_end_is_refused_and_the_same_rate_is_not(
        self, end: End, refusal: type[Refusal]
    ) -> None:
        event = end(an_event())
        score = score_that_is(Status.CONFIRMED, event_id=event.event_id)
        store = Store.of(score)
        assert await submit(store, event, score.rate) == score
        with pytest.raises(refusal):
            await submit(store, event, 1)
        assert store == Store.of(score)

    async def test_the_second_of_two_first_scores_finds_the_first(self) -> None:
        event = an_event()
        other = a_score(4, event_id=event.event_id)
        store = Store()
        work = FakeWork(store, races=[other])
        assert await submit_score(work, FakeEvents(event), event.event_id, ALICE, 4, NOW) == other
        with pytest.raises(ScorePending):
            await submit(store, event, 5)


class TestWithdrawScore:
    async def withdraw(self, store: Store, seen: Score, event: Event, etag: str = "") -> Score:
        return await withdraw_score(FakeWork(store), FakeEvents(event), seen, ALICE, etag, NOW)

    async def test_the_score_is_withdrawing_and_its_saga_starts(self) -> None:
        event = an_event()
        confirmed = score_that_is(Status.CONFIRMED, event_id=event.event_id)
        store = Store.of(confirmed)
        score = await self.withdraw(store, confirmed, event, confirmed.etag)
        assert (score.status, score.revision, score.rate) == (Status.WITHDRAWING, 2, 4)
        assert store.scores == {score.score_id: score}
        assert store.sagas == [Started("withdraw", score.score_id, score.saga_id, 2, 4, NOW)]

    @pytest.mark.parametrize("status", [Status.WITHDRAWING, Status.WITHDRAWN])
    async def test_a_repetition_returns_the_score_whatever_its_etag_and_wherever_the_event_is(
        self, status: Status
    ) -> None:
        score = score_that_is(status)
        nowhere = FakeEvents(is_reachable=False)
        assert await withdraw_score(FakeWork(Store.of(score)), nowhere, score, ALICE, "1", NOW) == score

    async def test_a_repetition_that_comes_while_the_first_is_decided_returns_the_score(self) -> None:
        event = an_event()
        seen = score_that_is(Status.CONFIRMED, event_id=event.event_id)
        withdrawn = seen.withdrawn(new_id(), NOW)
        store = Store.of(withdrawn)
        assert await self.withdraw(store, seen, event, seen.etag) == withdrawn
        assert not store.sagas

    @pytest.mark.parametrize(
        ("status", "etag", "refusal"),
        [
            (Status.PENDING, "", ScorePending),
            (Status.REJECTED, "", NothingToWithdraw),
            (Status.CONFIRMED, "1", EtagMismatch),
        ],
    )
    async def test_a_refused_withdrawal_writes_nothing(self, status: Status, etag: str, refusal: type[Refusal]) -> None:
        event = an_event()
        score = score_that_is(status, event_id=event.event_id)
        store = Store.of(score)
        with pytest.raises(refusal):
            await self.withdraw(store, score, event, etag)
        assert store == Store.of(score)

    @pytest.mark.parametrize(("end", "refusal"), ENDED)
    async def test_it_obeys_the_end_of_the_event(self, end: End, refusal: type[Refusal]) -> None:
        event = end(an_event())
        score = score_that_is(Status.CONFIRMED, event_id=event.event_id)
        store = Store.of(score)
        with pytest.raises(refusal):
            await self.withdraw(store, score, event)
        assert store == Store.of(score)

    async def test_only_its_user_withdraws_a_score(self) -> None:
        score = score_that_is(Status.CONFIRMED)
        for caller, refusal in ((BOB, ScoreNotFound), (MANAGER, NotYourScore)):
            with pytest.raises(refusal):
                await withdraw_score(FakeWork(Store.of(score)), FakeEvents(), score, caller, "", NOW)


class TestSettleScores:
    async def test_confirmed_and_refused_scores_are_settled_in_one_set(self) -> None:
        one, two = a_score(1), a_score(2)
        store = Store.of(one, two)
        endings = [Ending(one.score_id, one.saga_id), Ending(two.score_id, two.saga_id, "EVENT_FINISHED")]
        await settle_scores(FakeScores(store), endings, NOW + HOUR)
        assert store.scores[one.score_id] == one.confirmed(NOW + HOUR)
        assert store.scores[two.score_id] == two.refused("EVENT_FINISHED", NOW + HOUR)

    async def test_a_saga_that_is_not_the_scores_last_changes_nothing(self) -> None:
        score = a_score()
        store = Store.of(score)
        await settle_scores(FakeScores(store), [Ending(score.score_id, new_id()), Ending(new_id(), new_id())], NOW)
        assert store == Store.of(score)
