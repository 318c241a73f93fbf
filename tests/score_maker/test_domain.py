"""Scores by themselves: each transition, then all of them in any order against a model."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mesh.errors import Refusal
from mesh.identifiers import new_id
from score_maker.domain import MOVES, TRANSITIONS, IllegalTransition, Score, Standing, Status, Trigger
from score_maker.errors import (
    DeadlinePassed,
    EtagMismatch,
    EventFinished,
    NothingToWithdraw,
    NotYourScore,
    ScoreNotFound,
    ScorePending,
)
from tests.score_maker.examples import (
    ALICE,
    BOB,
    HOUR,
    MANAGER,
    NOW,
    OPERATOR,
    SECOND,
    a_score,
    an_event,
    score_that_is,
)

each_status = pytest.mark.parametrize("status", list(Status))
SETTLED = [Status.CONFIRMED, Status.REJECTED, Status.WITHDRAWN]
UNDER_WAY = [Status.PENDING, Status.WITHDRAWING]


class TestTransitions:
    def test_the_table_is_total(self) -> None:
        assert set(TRANSITIONS) == set(Status)

    def test_every_status_can_be_reached_and_left(self) -> None:
        assert {after for _, after in MOVES} == {before for before, _ in MOVES} == set(Status)

    @each_status
    def test_what_cannot_happen_raises_and_changes_nothing(self, status: Status) -> None:
        score = score_that_is(status)
        if Trigger.CONFIRM not in TRANSITIONS[status]:
            with pytest.raises(IllegalTransition):
                score.confirmed(NOW)
            with pytest.raises(IllegalTransition):
                score.refused("NO", NOW)
        assert score == replace(score)


class TestSubmitted:
    @pytest.mark.parametrize("status", SETTLED)
    def test_another_rate_is_the_next_revision(self, status: Status) -> None:
        score, saga_id = score_that_is(status), new_id()
        changed = score.submitted(2, saga_id, NOW + SECOND)
        assert (changed.status, changed.rate, changed.revision, changed.saga_id) == (
            Status.PENDING,
            2,
            score.drawn + 1,
            saga_id,
        )
        assert (changed.score_id, changed.reason) == (score.score_id, "")

    @pytest.mark.parametrize("status", [Status.PENDING, Status.CONFIRMED])
    def test_the_rate_that_is_shown_changes_nothing(self, status: Status) -> None:
        score = score_that_is(status)
        assert score.submitted(score.rate, new_id(), NOW + SECOND) is score

    @pytest.mark.parametrize("status", [Status.REJECTED, Status.WITHDRAWN])
    def test_the_rate_of_a_score_that_does_not_count_may_be_submitted_again(self, status: Status) -> None:
        score = score_that_is(status)
        assert score.submitted(score.rate, new_id(), NOW).status is Status.PENDING

    @pytest.mark.parametrize("status", UNDER_WAY)
    def test_a_change_under_way_is_not_overtaken(self, status: Status) -> None:
        with pytest.raises(ScorePending) as refused:
            score_that_is(status).submitted(1, new_id(), NOW)
        assert refused.value.retry_after is not None

    def test_a_withdrawal_under_way_is_not_overtaken_by_the_same_rate(self) -> None:
        score = score_that_is(Status.WITHDRAWING)
        with pytest.raises(ScorePending):
            score.submitted(score.rate, new_id(), NOW)

    def test_revisions_of_refused_changes_are_not_used_again(self) -> None:
        score = score_that_is(Status.CONFIRMED).submitted(1, new_id(), NOW).refused("NO", NOW)
        assert score.revision == 1
        assert score.submitted(2, new_id(), NOW).revision == 3


class TestWithdrawn:
    def test_a_withdrawal_takes_the_next_revision(self) -> None:
        score = score_that_is(Status.CONFIRMED).withdrawn(new_id(), NOW)
        assert (score.status, score.revision, score.rate) == (Status.WITHDRAWING, 2, 4)

    @pytest.mark.parametrize("status", [Status.WITHDRAWING, Status.WITHDRAWN])
    def test_withdrawing_twice_is_withdrawing_once(self, status: Status) -> None:
        score = score_that_is(status)
        assert score.withdrawn(new_id(), NOW) is score

    def test_a_pending_score_is_not_withdrawn(self) -> None:
        with pytest.raises(ScorePending):
            score_that_is(Status.PENDING).withdrawn(new_id(), NOW)

    def test_a_rejected_score_is_not_withdrawn(self) -> None:
        with pytest.raises(NothingToWithdraw):
            score_that_is(Status.REJECTED).withdrawn(new_id(), NOW)


class TestConfirmed:
    def test_the_pending_rate_comes_to_stand(self) -> None:
        score = a_score(5).confirmed(NOW)
        assert score.standing == Standing(Status.CONFIRMED, 1, 5)

    def test_the_withdrawal_comes_to_stand(self) -> None:
        score = score_that_is(Status.WITHDRAWN)
        assert score.standing == Standing(Status.WITHDRAWN, 2, 4)


class TestRefused:
    def test_a_first_revision_ends_rejected(self) -> None:
        score = a_score(5).refused("EVENT_FINISHED", NOW)
        assert (score.status, score.rate, score.revision, score.reason) == (Status.REJECTED, 5, 1, "EVENT_FINISHED")

    def test_an_edit_falls_back_to_what_is_counted(self) -> None:
        score = score_that_is(Status.CONFIRMED).submitted(1, new_id(), NOW).refused("DEADLINE_PASSED", NOW)
        assert (score.status, score.rate, score.revision, score.reason) == (Status.CONFIRMED, 4, 1, "DEADLINE_PASSED")

    def test_a_withdrawal_falls_back_to_what_is_counted(self) -> None:
        score = score_that_is(Status.WITHDRAWING).refused("DEADLINE_PASSED", NOW)
        assert (score.status, score.rate, score.revision, score.reason) == (Status.CONFIRMED, 4, 1, "DEADLINE_PASSED")

    def test_a_score_submitted_after_its_withdrawal_falls_back_to_withdrawn(self) -> None:
        score = score_that_is(Status.WITHDRAWN).submitted(1, new_id(), NOW).refused("EVENT_FINISHED", NOW)
        assert (score.status, score.rate, score.revision, score.reason) == (Status.WITHDRAWN, 4, 2, "EVENT_FINISHED")

    def test_a_score_that_never_counted_stays_rejected(self) -> None:
        score = score_that_is(Status.REJECTED).submitted(1, new_id(), NOW).refused("DEADLINE_PASSED", NOW)
        assert (score.status, score.reason) == (Status.REJECTED, "DEADLINE_PASSED")


class TestEtag:
    @each_status
    def test_the_current_one_is_expected(self, status: Status) -> None:
        score = score_that_is(status)
        score.expect(score.etag)
        score.expect("")

    def test_another_one_is_refused(self) -> None:
        score = score_that_is(Status.CONFIRMED)
        with pytest.raises(EtagMismatch) as refused:
            score.expect("1")
        assert refused.value.field == "etag"


class TestEvent:
    @pytest.mark.parametrize(
        ("finished_at", "at", "objection"),
        [
            (None, NOW, type(None)),
            (None, NOW + HOUR, DeadlinePassed),
            (NOW, NOW, EventFinished),
            (NOW + SECOND, NOW, type(None)),
            (NOW, NOW + HOUR, EventFinished),
        ],
    )
    def test_it_takes_changes_until_it_ends(self, finished_at: datetime | None, at: datetime, objection: type) -> None:
        assert type(replace(an_event(), finished_at=finished_at).objection(at)) is objection


class TestCaller:
    def test_users_see_only_their_own_scores(self) -> None:
        ALICE.expect_sight(a_score())
        with pytest.raises(ScoreNotFound):
            BOB.expect_sight(a_score())

    def test_managers_see_all_scores(self) -> None:
        MANAGER.expect_sight(a_score())
        MANAGER.expect_sight_of_saga(a_score())

    def test_operators_see_all_sagas_but_no_scores(self) -> None:
        OPERATOR.expect_sight_of_saga(a_score())
        with pytest.raises(ScoreNotFound):
            OPERATOR.expect_sight(a_score())

    def test_nobody_changes_another_users_score(self) -> None:
        ALICE.expect_own(a_score())
        with pytest.raises(ScoreNotFound):
            BOB.expect_own(a_score())
        with pytest.raises(NotYourScore):
            MANAGER.expect_own(a_score())


class ScoreMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order, the score shows what a model that knows only the rules' words expects."""

    def __init__(self) -> None:
        super().__init__()
        self.score: Score = a_score(3)
        self.asked: int | None = 3  # the rate under way, None for a withdrawal
        self.busy = True
        self.counted: int | None = None  # the rate that the event counts
        self.ever_counted = False
        self.revisions = [1]

    @rule(rate=st.integers(1, 5))
    def submit(self, rate: int) -> None:
        if self.busy:
            if self.asked != rate:
                self.refused(lambda: self.score.submitted(rate, new_id(), NOW), ScorePending)
        elif self.counted != rate:
            self.change(self.score.submitted(rate, new_id(), NOW), rate)
        else:
            assert self.score.submitted(rate, new_id(), NOW) is self.score

    @rule()
    def withdraw(self) -> None:
        if self.busy and self.asked is not None:
            self.refused(lambda: self.score.withdrawn(new_id(), NOW), ScorePending)
        elif not self.busy and self.counted is not None:
            self.change(self.score.withdrawn(new_id(), NOW), None)
        elif not self.busy and not self.ever_counted:
            self.refused(lambda: self.score.withdrawn(new_id(), NOW), NothingToWithdraw)
        else:
            assert self.score.withdrawn(new_id(), NOW) is self.score

    @rule()
    def event_takes_the_change(self) -> None:
        if not self.busy:
            self.impossible(lambda: self.score.confirmed(NOW))
            return
        self.score, self.busy = self.score.confirmed(NOW), False
        self.counted, self.ever_counted = self.asked, True

    @rule()
    def event_refuses_the_change(self) -> None:
        if not self.busy:
            self.impossible(lambda: self.score.refused("NO", NOW))
            return
        self.score, self.busy = self.score.refused("NO", NOW), False
        assert self.score.reason == "NO"

    @invariant()
    def the_status_says_what_happens(self) -> None:
        if self.busy:
            assert self.score.status is (Status.WITHDRAWING if self.asked is None else Status.PENDING)
        elif self.counted is not None:
            assert (self.score.status, self.score.rate) == (Status.CONFIRMED, self.counted)
        else:
            assert self.score.status is (Status.WITHDRAWN if self.ever_counted else Status.REJECTED)

    @invariant()
    def revisions_are_drawn_once_in_order(self) -> None:
        assert self.revisions == list(range(1, self.score.drawn + 1))
        assert self.score.revision <= self.score.drawn

    def change(self, changed: Score, asked: int | None) -> None:
        self.revisions.append(changed.revision)
        assert changed.version == self.score.version + 1
        self.score, self.asked, self.busy = changed, asked, True

    def refused(self, ask: Callable[[], Score], refusal: type[Refusal]) -> None:
        with pytest.raises(refusal):
            ask()

    def impossible(self, ask: Callable[[], Score]) -> None:
        with pytest.raises(IllegalTransition):
            ask()


TestScoreMachine = ScoreMachine.TestCase
