"""Events, aggregates and histories by themselves."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from line_provider.domain import Aggregate, Event, History, Ledger, Revision, Status, post
from line_provider.errors import (
    DeadlineInvalid,
    DeadlinePassed,
    EtagMismatch,
    EventFinished,
    EventNotFound,
    TitleInvalid,
)
from mesh.identifiers import new_id
from tests.line_provider.examples import HOUR, NOW, SECOND, an_event, count, revoke


class TestAggregate:
    def test_nothing_counts_at_first(self) -> None:
        empty = Aggregate()
        assert (empty.count, empty.total, empty.mean, empty.status) == (0, 0, 0.0, Status.PROCESSING)

    def test_without_scores_the_bayesian_mean_is_neutral(self) -> None:
        assert Aggregate().bayesian_mean == 3.0

    def test_five_imagined_scores_of_three_draw_the_bayesian_mean(self) -> None:
        assert Aggregate((0, 0, 0, 0, 5)).bayesian_mean == (25 + 15) / 10

    @pytest.mark.parametrize(
        ("histogram", "status"),
        [
            ((1, 0, 0, 0, 0), Status.LOW_SCORE),
            ((0, 1, 0, 0, 0), Status.LOW_SCORE),
            ((0, 0, 1, 0, 0), Status.HIGH_SCORE),
            ((1, 0, 0, 0, 1), Status.HIGH_SCORE),
            ((1, 0, 0, 1, 0), Status.LOW_SCORE),
            ((0, 0, 0, 0, 1), Status.HIGH_SCORE),
        ],
    )
    def test_status_follows_the_mean(self, histogram: tuple[int, int, int, int, int], status: Status) -> None:
        assert Aggregate(histogram).status is status

    @given(st.lists(st.integers(1, 5)))
    def test_it_is_what_its_rates_add_up_to(self, rates: list[int]) -> None:
        aggregate = Aggregate()
        for rate in rates:
            aggregate = aggregate.exchange(None, rate)
        assert aggregate.histogram == tuple(rates.count(rate) for rate in range(1, 6))
        assert (aggregate.count, aggregate.total) == (len(rates), sum(rates))

    @given(st.integers(1, 5), st.integers(1, 5))
    def test_an_exchange_can_be_undone(self, old: int, new: int) -> None:
        aggregate = Aggregate().exchange(None, old)
        assert aggregate.exchange(old, new).exchange(new, old) == aggregate


class TestEvent:
    def test_an_edit_raises_both_parts_of_the_etag(self) -> None:
        assert an_event().edited("Semifinal", None, NOW).etag == "2.2"

    def test_a_score_raises_only_the_second_part_of_the_etag(self) -> None:
        assert an_event().recounted(None, 4, NOW).etag == "1.2"

    def test_an_etag_from_before_a_score_is_still_good(self) -> None:
        event = an_event()
        event.recounted(None, 4, NOW).expect(event.etag)

    @pytest.mark.parametrize("etag", ["2.1", "0.1", "x", ".", "11.1"])
    def test_an_etag_of_another_edit_is_refused(self, etag: str) -> None:
        with pytest.raises(EtagMismatch) as refused:
            an_event().expect(etag)
        assert refused.value.field == "etag"

    def test_an_edit_that_changes_nothing_is_none(self) -> None:
        event = an_event()
        assert event.edited(event.title, event.deadline, NOW) is event

    def test_finishing_twice_is_finishing_once(self) -> None:
        finished = an_event().finished(NOW)
        assert finished.finished(NOW + SECOND) is finished

    def test_an_event_is_not_finished_before_the_last_score_that_it_counts(self) -> None:
        counting = an_event().recounted(None, 5, NOW + SECOND)
        assert counting.finished(NOW).finished_at == NOW + SECOND

    def test_a_finished_event_is_not_edited(self) -> None:
        with pytest.raises(EventFinished):
            an_event().finished(NOW).edited("Semifinal", None, NOW + SECOND)

    def test_an_event_past_its_deadline_is_not_edited(self) -> None:
        with pytest.raises(DeadlinePassed):
            an_event().edited("Semifinal", None, NOW + HOUR)

    @pytest.mark.parametrize("title", ["", " ", "\t", "x" * 201, "a\0b", "a\nb"])
    def test_a_bad_title_is_refused(self, title: str) -> None:
        with pytest.raises(TitleInvalid) as refused:
            an_event(title)
        assert refused.value.field == "event.title"

    @pytest.mark.parametrize("late", [timedelta(0), SECOND])
    def test_a_deadline_that_is_not_in_the_future_is_refused(self, late: timedelta) -> None:
        with pytest.raises(DeadlineInvalid) as refused:
            an_event(deadline=NOW - late)
        assert refused.value.field == "event.deadline"

    def test_time_never_goes_back_in_an_event(self) -> None:
        changed = an_event().recounted(None, 4, NOW - HOUR)
        assert changed.update_time == NOW


class TestHistory:
    def test_nothing_counts_at_first(self) -> None:
        assert History().counted is None

    def test_the_last_revision_counts(self) -> None:
        assert History().applied(1, 4).applied(2, 5).counted == 5

    def test_a_withdrawn_score_does_not_count(self) -> None:
        assert History().applied(1, 4).applied(2, None).counted is None

    def test_an_older_revision_changes_nothing(self) -> None:
        history = History().applied(2, 4)
        assert history.applied(1, 5) is history

    def test_the_same_revision_again_changes_nothing(self) -> None:
        history = History().applied(1, 4)
        assert history.applied(1, 4) is history

    def test_a_revoked_revision_gives_way_to_the_one_before(self) -> None:
        assert History().applied(1, 4).applied(2, 5).revoked(2).counted == 4

    def test_a_revoked_withdrawal_makes_the_score_count_again(self) -> None:
        assert History().applied(1, 4).applied(2, None).revoked(2).counted == 4

    def test_a_revoked_revision_never_comes_back(self) -> None:
        history = History().applied(1, 4).revoked(1)
        assert history.applied(1, 4) is history

    def test_a_revision_revoked_before_it_was_seen_never_counts(self) -> None:
        assert History().revoked(1).applied(1, 4).counted is None

    def test_revoking_what_was_overtaken_changes_nothing_that_counts(self) -> None:
        assert History().applied(1, 4).applied(2, 5).revoked(1).counted == 5

    def test_revoking_twice_is_revoking_once(self) -> None:
        once = History().applied(1, 4).applied(2, 5).revoked(2)
        assert once.revoked(2) == once


class TestPosting:
    def test_scores_of_one_event_come_in_one_set(self) -> None:
        event = an_event()
        posting = post(Ledger({event.event_id: event}, {}), [count(event, 1), count(event, 5), count(event, 5)], NOW)
        assert [changed.aggregate.histogram for changed in posting.events] == [(1, 0, 0, 0, 2)]
        assert posting.events[0].version == event.version + 3

    def test_an_unknown_event_is_refused(self) -> None:
        posting = post(Ledger({}, {}), [count(new_id(), 3)], NOW)
        [refusal] = posting.refusals
        assert isinstance(refusal, EventNotFound)
        assert refusal.field == "event_id"

    def test_a_score_submitted_at_the_deadline_is_refused(self) -> None:
        event = an_event()
        posting = post(Ledger({event.event_id: event}, {}), [count(event, 3, at=event.deadline)], NOW)
        assert [type(refusal) for refusal in posting.refusals] == [DeadlinePassed]
        assert not posting.events
        assert not posting.entries

    def test_a_score_submitted_before_the_deadline_counts_however_late_it_arrives(self) -> None:
        event = an_event()
        change = count(event, 3, at=event.deadline - SECOND)
        assert post(Ledger({event.event_id: event}, {}), [change], NOW + 10 * HOUR).refusals == [None]

    def test_a_score_submitted_before_the_finish_counts_after_it(self) -> None:
        event = an_event().finished(NOW + SECOND)
        assert post(Ledger({event.event_id: event}, {}), [count(event, 3, at=NOW)], NOW + HOUR).refusals == [None]

    @pytest.mark.parametrize("rate", [3, None])
    def test_a_change_submitted_after_the_finish_is_refused(self, rate: int | None) -> None:
        event = an_event().finished(NOW)
        posting = post(Ledger({event.event_id: event}, {}), [count(event, rate, at=NOW + SECOND)], NOW)
        assert [type(refusal) for refusal in posting.refusals] == [EventFinished]

    def test_a_refused_change_leaves_the_others_alone(self) -> None:
        event = an_event()
        changes = [count(event, 3), count(new_id(), 3), count(event, 4, at=event.deadline), count(event, 5)]
        posting = post(Ledger({event.event_id: event}, {}), changes, NOW)
        assert [refusal is None for refusal in posting.refusals] == [True, False, False, True]
        assert posting.events[0].aggregate.histogram == (0, 0, 1, 0, 1)

    def test_taking_back_is_never_refused(self) -> None:
        event = an_event().finished(NOW)
        changes = [revoke(event, new_id(), 1), revoke(new_id(), new_id(), 1)]
        assert post(Ledger({event.event_id: event}, {}), changes, NOW + 2 * HOUR).refusals == [None, None]


# A world with two events and a few scores, whose revisions arrive doubled, reordered and taken back.
_messages = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 6), st.one_of(st.none(), st.integers(1, 5)), st.booleans()),
    max_size=60,
)


def recomputed(histories: list[History]) -> Aggregate:
    """What counts by definition: of each score, the rate of its highest revision that stands."""
    standing = [[seen for seen in history.revisions if not seen.revoked] for history in histories]
    rates = [max(seen, key=lambda one: one.revision).rate for seen in standing if seen]
    return Aggregate((rates.count(1), rates.count(2), rates.count(3), rates.count(4), rates.count(5)))


@given(_messages)
def test_the_aggregate_is_always_what_its_histories_say(messages: list[tuple[int, int, int | None, bool]]) -> None:
    events = [an_event("one"), an_event("two")]
    scores = [new_id() for _ in range(4)]
    known: dict[object, Event] = {event.event_id: event for event in events}
    histories = {score: History() for score in scores}
    for who, revision, rate, revoking in messages:
        event, score = events[who % 2], scores[who]
        change = revoke(event, score, revision) if revoking else count(event, rate, score=score, revision=revision)
        posting = post(Ledger({event.event_id: known[event.event_id]}, histories), [change], NOW)
        for entry in posting.entries:
            others = [seen for seen in histories[score].revisions if seen.revision != entry.revision.revision]
            newest_first = sorted([*others, entry.revision], key=lambda seen: -seen.revision)
            histories[score] = History(tuple(newest_first))
        known |= {changed.event_id: changed for changed in posting.events}
    for number, event in enumerate(events):
        assert known[event.event_id].aggregate == recomputed([histories[scores[number]], histories[scores[number + 2]]])


@given(st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=30), st.integers(1, 6))
def test_what_the_repository_reads_of_a_history_is_enough(seen: list[tuple[int, bool]], revision: int) -> None:
    """The two highest that stand and the highest revoked one answer every question as the whole does."""
    revisions = [Revision(number, rate, revoked) for number, (rate, revoked) in enumerate(seen, 1)][::-1]
    standing, gone = [r for r in revisions if not r.revoked][:2], [r for r in revisions if r.revoked][:1]
    part = History(tuple(sorted([*standing, *gone], key=lambda r: -r.revision)))
    whole = History(tuple(revisions))
    assert part.counted == whole.counted
    assert part.revoked(revision).counted == whole.revoked(revision).counted
    assert part.applied(revision, 5).counted == whole.applied(revision, 5).counted
