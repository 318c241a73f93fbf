"""Tickets, comments and histories by themselves."""

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.errors import Refusal
from tests.tickets.examples import ALICE, ANN, BOB, NOW, PATHS, SECOND, a_comment, a_ticket, ticket_that_is
from tickets.domain import (
    STEPS,
    TRANSITIONS,
    Caller,
    Draft,
    Kind,
    Move,
    Party,
    Priority,
    Role,
    Status,
    change_of,
    edit_of,
)
from tickets.errors import (
    AgentsOnly,
    EtagMismatch,
    NotYourComment,
    NotYourText,
    SubjectInvalid,
    TagInvalid,
    TextInvalid,
    TicketClosed,
    TicketNotFound,
    TransitionNotAllowed,
    UserIdInvalid,
)

each_status = pytest.mark.parametrize("status", list(Status))
CALLERS = {"author": ALICE, "stranger": BOB, "agent": ANN, "agent who is the author": Caller("alice", is_agent=True)}


class TestTransitions:
    def test_every_status_has_a_row_and_a_way_to_it(self) -> None:
        assert set(TRANSITIONS) == set(Status) == set(PATHS)
        assert [ticket_that_is(status).status for status in Status] == list(Status)

    def test_only_closed_is_final(self) -> None:
        assert [status for status, exits in TRANSITIONS.items() if not exits] == [Status.CLOSED]

    def test_nothing_happens_to_a_closed_ticket(self) -> None:
        assert not [step for step in STEPS if step[0] is Status.CLOSED]

    def test_only_agents_answer(self) -> None:
        answers = [exits[Move.ANSWER] for exits in TRANSITIONS.values() if Move.ANSWER in exits]
        assert {way.by for way in answers} == {frozenset({Party.AGENT})}

    @pytest.mark.parametrize(("status", "move", "who"), list(product(Status, Move, CALLERS)))
    def test_a_move_leads_where_the_table_says_or_is_refused_with_those_that_it_allows(
        self, status: Status, move: Move, who: str
    ) -> None:
        ticket, caller = ticket_that_is(status), CALLERS[who]
        way = TRANSITIONS[status].get(move)
        if way is not None and way.by & ticket.parties(caller):
            moved = ticket.moved(move, caller, NOW + SECOND)
            assert (moved.status, moved.edit, moved.version) == (way.to, ticket.edit + 1, ticket.version + 1)
            assert moved.status in ticket.allowed(caller)
            assert (moved.close_time is not None) == (way.to is Status.CLOSED)
            return
        with pytest.raises(TransitionNotAllowed) as refused:
            ticket.moved(move, caller, NOW)
        allowed = ",".join(status.name for status in ticket.allowed(caller))
        assert refused.value.metadata == {"status": status.name, "allowed_transitions": allowed}

    @each_status
    def test_a_stranger_may_move_nothing(self, status: Status) -> None:
        assert ticket_that_is(status).allowed(BOB) == ()

    def test_what_is_allowed_depends_on_who_asks(self) -> None:
        ticket = a_ticket()
        assert ticket.allowed(ALICE) == (Status.CLOSED,)
        assert ticket.allowed(ANN) == (Status.ANSWERED, Status.CLOSED)


class TestTicket:
    def test_a_new_ticket_is_open_and_its_authors(self) -> None:
        ticket = a_ticket()
        assert (ticket.status, ticket.priority, ticket.author_id) == (Status.OPEN, Priority.NORMAL, "alice")
        assert (ticket.tags, ticket.assignee_id, ticket.etag) == ((), None, "1.1")

    def test_a_customer_may_say_what_goes_without_saying(self) -> None:
        ticket = a_ticket(priority=Priority.NORMAL, tags=[])
        assert (ticket.priority, ticket.tags) == (Priority.NORMAL, ())

    @pytest.mark.parametrize(("more", "field"), [({"priority": Priority.HIGH}, "priority"), ({"tags": ["x"]}, "tags")])
    def test_only_an_agent_says_how_urgent_a_new_ticket_is(self, more: dict[str, Any], field: str) -> None:
        with pytest.raises(AgentsOnly) as refused:
            a_ticket(**more)
        assert refused.value.field == f"ticket.{field}"
        assert a_ticket(caller=ANN, **more).author_id == "ann"

    def test_tags_are_sorted_and_not_repeated(self) -> None:
        assert a_ticket(caller=ANN, tags=["b", "a", "b"]).tags == ("a", "b")

    @pytest.mark.parametrize("tag", ["", " ", "two words", "a\0", "x" * 51, "a\tb"])
    def test_a_bad_tag_is_named_by_its_place(self, tag: str) -> None:
        with pytest.raises(TagInvalid) as refused:
            a_ticket(caller=ANN, tags=["fine", tag])
        assert refused.value.field == "ticket.tags[1]"

    def test_too_many_tags_are_refused(self) -> None:
        with pytest.raises(TagInvalid) as refused:
            a_ticket(caller=ANN, tags=[str(number) for number in range(21)])
        assert refused.value.field == "ticket.tags"

    @pytest.mark.parametrize("subject", ["", " ", "\t", "x" * 201, "a\0b", "a\nb", "a\x85b", "a\u2028b"])
    def test_a_bad_subject_is_refused(self, subject: str) -> None:
        with pytest.raises(SubjectInvalid) as refused:
            a_ticket(subject)
        assert refused.value.field == "ticket.subject"

    @pytest.mark.parametrize("text", ["", " \n\t ", "x" * 20_001, "a\0b", "a\x1bb", "a\x7fb"])
    def test_a_bad_text_is_refused(self, text: str) -> None:
        with pytest.raises(TextInvalid) as refused:
            a_ticket(text=text)
        assert refused.value.field == "ticket.text"

    def test_a_text_may_have_lines(self) -> None:
        assert a_ticket(text="one\r\n\ttwo\n").text == "one\r\n\ttwo\n"

    def test_an_edit_raises_both_parts_of_the_etag(self) -> None:
        assert a_ticket().edited(Draft(subject="Hurry"), ALICE, NOW).etag == "2.2"

    def test_a_comment_raises_only_the_second_part_of_the_etag(self) -> None:
        commented = a_ticket().commented(ALICE, NOW)
        assert (commented.etag, commented.comment_count, commented.status) == ("1.2", 1, Status.OPEN)
        commented.expect("1.1")

    def test_its_authors_comment_moves_an_answered_ticket(self) -> None:
        commented = ticket_that_is(Status.ANSWERED).commented(ALICE, NOW)
        assert (commented.status, commented.comment_count, commented.etag) == (Status.AWAITING_REPLY, 1, "3.3")

    def test_an_agents_comment_moves_nothing(self) -> None:
        assert ticket_that_is(Status.ANSWERED).commented(ANN, NOW).status is Status.ANSWERED

    def test_the_comment_of_an_author_who_is_an_agent_moves_it_too(self) -> None:
        asking = Caller("ann", is_agent=True)
        ticket = ticket_that_is(Status.ANSWERED, asking)
        assert ticket.commented(asking, NOW).status is Status.AWAITING_REPLY

    def test_an_answer_is_a_comment_and_a_move(self) -> None:
        answered = a_ticket().answered(ANN, NOW)
        assert (answered.status, answered.comment_count, answered.etag) == (Status.ANSWERED, 1, "2.2")

    @pytest.mark.parametrize("etag", ["2.1", "0.1", "x", ".", "11.1"])
    def test_an_etag_of_another_edit_is_refused(self, etag: str) -> None:
        with pytest.raises(EtagMismatch) as refused:
            a_ticket().expect(etag)
        assert refused.value.field == "etag"

    def test_changing_nothing_is_no_change(self) -> None:
        ticket = a_ticket()
        assert ticket.edited(Draft(), ALICE, NOW) is ticket
        assert ticket.edited(Draft(ticket.subject, ticket.text, ticket.priority, ticket.tags), BOB, NOW) is ticket
        assert ticket.assigned(None, NOW) is ticket

    @pytest.mark.parametrize(
        ("draft", "caller", "refusal", "field"),
        [
            (Draft(subject="x"), ANN, NotYourText, "subject"),
            (Draft(text="x"), ANN, NotYourText, "text"),
            (Draft(priority=Priority.URGENT), ALICE, AgentsOnly, "priority"),
            (Draft(tags=["x"]), ALICE, AgentsOnly, "tags"),
        ],
    )
    def test_authors_change_what_it_says_and_agents_how_it_is_sorted(
        self, draft: Draft, caller: Caller, refusal: type[Refusal], field: str
    ) -> None:
        ticket, other = a_ticket(), ALICE if caller is ANN else ANN
        with pytest.raises(refusal) as refused:
            ticket.edited(draft, caller, NOW)
        assert refused.value.field == f"ticket.{field}"
        assert ticket.edited(draft, other, NOW).version == 2

    @pytest.mark.parametrize("assignee", ["", " ", "a\nb", "x" * 201])
    def test_nobody_has_such_an_id(self, assignee: str) -> None:
        with pytest.raises(UserIdInvalid):
            a_ticket().assigned(assignee, NOW)

    def test_a_closed_ticket_takes_nothing(self) -> None:
        closed = ticket_that_is(Status.CLOSED)
        for change in (
            lambda: closed.edited(Draft(subject="x"), ALICE, NOW),
            lambda: closed.edited(Draft(), ALICE, NOW),
            lambda: closed.assigned(None, NOW),
            lambda: closed.commented(ALICE, NOW),
        ):
            with pytest.raises(TicketClosed):
                change()

    def test_a_ticket_is_seen_by_its_author_and_by_agents(self) -> None:
        ticket = a_ticket()
        ticket.expect_sight(ALICE, field="ticket_id")
        ticket.expect_sight(ANN, field="ticket_id")
        with pytest.raises(TicketNotFound) as refused:
            ticket.expect_sight(BOB, field="ticket_id")
        assert refused.value.field == "ticket_id"

    def test_time_never_goes_back(self) -> None:
        later = a_ticket().commented(ALICE, NOW + SECOND)
        assert later.commented(ALICE, NOW).update_time == NOW + SECOND


class TestComment:
    @pytest.mark.parametrize(
        ("text", "mentions"),
        [
            ("no one", ()),
            ("@ann, look", ("ann",)),
            ("(@ann) and @ben.", ("ann", "ben")),
            ("@ben @ann @ben", ("ben", "ann")),
            ("mail ann@example.com", ()),
            ("@user-1.x_y!", ("user-1.x_y",)),
            ("@ @- @.", ()),
            ("@@ann", ()),
            ("@Женя, смотри", ("Женя",)),
        ],
    )
    def test_whom_a_text_mentions(self, text: str, mentions: tuple[str, ...]) -> None:
        assert a_comment(a_ticket(), text).mentions == mentions

    @given(st.text(alphabet="@a.- \n", max_size=200))
    def test_mentions_are_found_in_anything(self, text: str) -> None:
        if text.strip():
            assert all(f"@{user}" in text for user in a_comment(a_ticket(), text).mentions)

    def test_a_speaker_is_what_the_token_says(self) -> None:
        ticket = a_ticket()
        assert a_comment(ticket, caller=ALICE).author_role is Role.CUSTOMER
        assert a_comment(ticket, caller=ANN).author_role is Role.AGENT

    def test_only_its_author_rewrites_a_comment(self) -> None:
        comment = a_comment(a_ticket())
        assert comment.rewritten("Please.", ALICE, NOW + SECOND).etag == "2"
        with pytest.raises(NotYourComment):
            comment.rewritten("Never mind.", ANN, NOW)

    def test_rewriting_nothing_is_no_change(self) -> None:
        comment = a_comment(a_ticket())
        assert comment.rewritten(None, ALICE, NOW) is comment
        assert comment.rewritten(comment.text, ALICE, NOW) is comment

    def test_an_old_etag_is_refused(self) -> None:
        with pytest.raises(EtagMismatch):
            a_comment(a_ticket()).expect("2")

    @pytest.mark.parametrize("text", ["", "\n", "x" * 20_001, "a\0"])
    def test_a_bad_text_is_refused(self, text: str) -> None:
        with pytest.raises(TextInvalid) as refused:
            a_comment(a_ticket(), text)
        assert refused.value.field == "text"


class TestChange:
    def test_it_tells_what_changed_as_json_would(self) -> None:
        before = a_ticket(caller=ANN)
        after = before.edited(Draft(tags=["b", "ä"], priority=Priority.HIGH), ANN, NOW + SECOND)
        change = change_of(before, after, Kind.EDITED, ANN)
        assert [(told.field, told.old, told.new) for told in change.fields] == [
            ("priority", "NORMAL", "HIGH"),
            ("tags", "", json.dumps(["b", "ä"], ensure_ascii=False)),
        ]
        assert (change.version, change.time, change.actor_id) == (2, NOW + SECOND, "ann")

    def test_a_new_ticket_comes_from_nothing(self) -> None:
        change = change_of(None, a_ticket(), Kind.CREATED, ALICE)
        assert {told.field for told in change.fields} == {"subject", "text", "status", "priority"}
        assert {told.old for told in change.fields} == {""}

    def test_a_rewritten_comment_keeps_what_was_said(self) -> None:
        ticket = a_ticket()
        comment = a_comment(ticket, "one")
        change = edit_of(ticket.later(NOW), comment, comment.rewritten("two", ALICE, NOW), ALICE)
        assert [(told.field, told.old, told.new) for told in change.fields] == [("comment.text", "one", "two")]
        assert change.comment_id == comment.comment_id
