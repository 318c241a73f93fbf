"""What commands do and what they refuse, over ports in memory."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from mesh.errors import Refusal
from mesh.identifiers import new_id
from tests.tickets.examples import ALICE, ANN, BOB, NOW, SECOND, a_ticket, ticket_that_is
from tests.tickets.fakes import FakeWork, Store
from tickets.commands import (
    answer_ticket,
    assign_ticket,
    create_comment,
    create_ticket,
    move_ticket,
    update_comment,
    update_ticket,
)
from tickets.domain import Caller, Draft, Kind, Move, Status, Ticket
from tickets.errors import (
    CommentNotFound,
    EtagMismatch,
    NotYourComment,
    SubjectInvalid,
    TextInvalid,
    TicketChanged,
    TicketClosed,
    TicketNotFound,
    TransitionNotAllowed,
)

Command = Callable[[FakeWork, Ticket, Caller, str], Awaitable[object]]
COMMANDS: dict[str, Command] = {
    "update": lambda work, ticket, caller, etag: update_ticket(
        work, ticket.ticket_id, Draft(subject="x"), caller, etag=etag, now=NOW
    ),
    "move": lambda work, ticket, caller, etag: move_ticket(
        work, ticket.ticket_id, Move.CLOSE, caller, etag=etag, now=NOW
    ),
    "assign": lambda work, ticket, caller, etag: assign_ticket(
        work, ticket.ticket_id, "ben", caller, etag=etag, now=NOW
    ),
    "answer": lambda work, ticket, caller, etag: answer_ticket(
        work, ticket.ticket_id, "So.", caller, etag=etag, now=NOW
    ),
}
each_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
BOTH = Caller("alice", is_agent=True)


class TestEveryCommand:
    @each_command
    async def test_it_makes_one_version_and_tells_of_it(self, command: Command) -> None:
        ticket = a_ticket()
        store = Store.of(ticket)
        work = FakeWork(store)
        changed = await command(work, ticket, BOTH, ticket.etag)
        assert work.answer == changed == store.tickets[ticket.ticket_id]
        assert [(change.version, change.actor_id) for change in store.changes] == [(2, "alice")]

    @each_command
    async def test_an_old_etag_changes_nothing(self, command: Command) -> None:
        ticket = a_ticket()
        store = Store.of(ticket)
        with pytest.raises(EtagMismatch):
            await command(FakeWork(store), ticket, BOTH, "7.7")
        assert (store.tickets, store.changes) == ({ticket.ticket_id: ticket}, [])

    @each_command
    async def test_another_customers_ticket_is_not_there(self, command: Command) -> None:
        ticket = a_ticket()
        with pytest.raises(TicketNotFound):
            await command(FakeWork(Store.of(ticket)), ticket, BOB, "")

    @each_command
    async def test_an_unknown_ticket_is_refused(self, command: Command) -> None:
        with pytest.raises(TicketNotFound):
            await command(FakeWork(Store()), a_ticket(), BOTH, "")

    @each_command
    async def test_a_closed_ticket_takes_nothing(self, command: Command) -> None:
        ticket = ticket_that_is(Status.CLOSED)
        store = Store.of(ticket)
        with pytest.raises((TicketClosed, TransitionNotAllowed)):
            await command(FakeWork(store), ticket, BOTH, "")
        assert store.changes == []

    @each_command
    async def test_who_comes_too_late_loses(self, command: Command) -> None:
        ticket = a_ticket()
        store = Store.of(ticket)

        def meanwhile(seen: Store) -> None:
            seen.tickets[ticket.ticket_id] = replace(ticket, version=2)

        with pytest.raises(TicketChanged):
            await command(FakeWork(store, meanwhile), ticket, BOTH, "")
        assert (store.tickets, store.comments) == ({ticket.ticket_id: ticket}, {})


class TestCreateTicket:
    async def test_the_ticket_is_kept_and_is_the_answer(self) -> None:
        store = Store()
        work = FakeWork(store)
        ticket = await create_ticket(work, Draft("Help", "It is broken."), ALICE, NOW)
        assert store.tickets == {ticket.ticket_id: ticket}
        assert work.answer == ticket
        assert [(change.version, change.kind) for change in store.changes] == [(1, Kind.CREATED)]

    @pytest.mark.parametrize(
        ("draft", "refusal"), [(Draft(text="x"), SubjectInvalid), (Draft(subject="x"), TextInvalid)]
    )
    async def test_a_bad_ticket_is_refused_and_not_kept(self, draft: Draft, refusal: type[Refusal]) -> None:
        store = Store()
        with pytest.raises(refusal):
            await create_ticket(FakeWork(store), draft, ALICE, NOW)
        assert not store.tickets


class TestUpdateTicket:
    async def test_an_update_that_changes_nothing_makes_no_version(self) -> None:
        ticket = a_ticket()
        store = Store.of(ticket)
        same = await update_ticket(FakeWork(store), ticket.ticket_id, Draft(ticket.subject), ALICE, etag="", now=NOW)
        assert (same, store.changes) == (ticket, [])


class TestAnswerTicket:
    async def test_the_comment_and_the_move_are_one_change(self) -> None:
        ticket = a_ticket()
        store = Store.of(ticket)
        await answer_ticket(FakeWork(store), ticket.ticket_id, "So.", ANN, etag="", now=NOW)
        [comment], [change] = store.comments.values(), store.changes
        assert (comment.text, comment.author_id, comment.number) == ("So.", "ann", 1)
        assert (change.kind, change.comment_id) == (Kind.MOVED, comment.comment_id)
        assert [(told.field, told.new) for told in change.fields] == [("status", "ANSWERED")]

    async def test_an_answer_without_words_is_refused(self) -> None:
        ticket = a_ticket()
        store = Store.of(ticket)
        with pytest.raises(TextInvalid) as refused:
            await answer_ticket(FakeWork(store), ticket.ticket_id, " ", ANN, etag="", now=NOW)
        assert refused.value.field == "text"
        assert store.tickets[ticket.ticket_id] == ticket


class TestComments:
    async def test_the_authors_comment_moves_an_answered_ticket_in_the_same_change(self) -> None:
        ticket = ticket_that_is(Status.ANSWERED)
        store = Store.of(ticket)
        comment = await create_comment(FakeWork(store), ticket.ticket_id, "No.", ALICE, NOW)
        [change] = store.changes
        assert store.tickets[ticket.ticket_id].status is Status.AWAITING_REPLY
        assert (change.kind, change.comment_id) == (Kind.COMMENTED, comment.comment_id)
        assert [(told.old, told.new) for told in change.fields] == [("ANSWERED", "AWAITING_REPLY")]

    async def test_comments_are_numbered(self) -> None:
        ticket = a_ticket()
        store = Store.of(ticket)
        for _ in range(3):
            await create_comment(FakeWork(store), ticket.ticket_id, "Well?", ALICE, NOW)
        assert sorted(comment.number for comment in store.comments.values()) == [1, 2, 3]
        assert store.tickets[ticket.ticket_id].comment_count == 3

    async def test_a_closed_ticket_takes_no_comment(self) -> None:
        ticket = ticket_that_is(Status.CLOSED)
        store = Store.of(ticket)
        with pytest.raises(TicketClosed):
            await create_comment(FakeWork(store), ticket.ticket_id, "Thanks!", ALICE, NOW)
        assert not store.comments

    async def test_a_rewritten_comment_makes_a_version_of_its_ticket(self) -> None:
        ticket = a_ticket()
        store = Store.of(ticket)
        comment = await create_comment(FakeWork(store), ticket.ticket_id, "one", ALICE, NOW)
        work, ids = FakeWork(store), (ticket.ticket_id, comment.comment_id)
        rewritten = await update_comment(work, *ids, "two", ALICE, etag="1", now=NOW + SECOND)
        assert work.answer == rewritten == store.comments[comment.comment_id]
        assert (store.tickets[ticket.ticket_id].etag, store.changes[-1].kind) == ("1.3", Kind.COMMENT_EDITED)
        assert await update_comment(FakeWork(store), *ids, "two", ALICE, etag="2", now=NOW) == rewritten
        assert len(store.changes) == 2

    @pytest.mark.parametrize(
        ("caller", "etag", "text", "refusal"),
        [
            (BOB, "", "x", TicketNotFound),
            (ANN, "", "x", NotYourComment),
            (ALICE, "9", "x", EtagMismatch),
            (ALICE, "", " ", TextInvalid),
        ],
    )
    async def test_a_refused_rewriting_changes_nothing(
        self, caller: Caller, etag: str, text: str, refusal: type[Refusal]
    ) -> None:
        ticket = a_ticket()
        store = Store.of(ticket)
        comment = await create_comment(FakeWork(store), ticket.ticket_id, "one", ALICE, NOW)
        with pytest.raises(refusal):
            await update_comment(
                FakeWork(store), ticket.ticket_id, comment.comment_id, text, caller, etag=etag, now=NOW
            )
        assert store.comments[comment.comment_id] == comment

    async def test_no_comment_of_a_closed_ticket_is_rewritten(self) -> None:
        ticket = a_ticket()
        store = Store.of(ticket)
        comment = await create_comment(FakeWork(store), ticket.ticket_id, "one", ALICE, NOW)
        await move_ticket(FakeWork(store), ticket.ticket_id, Move.CLOSE, ALICE, etag="", now=NOW)
        ids = (ticket.ticket_id, comment.comment_id)
        with pytest.raises(TicketClosed):
            await update_comment(FakeWork(store), *ids, "two", ALICE, etag="", now=NOW)

    async def test_a_comment_of_another_ticket_is_not_there(self) -> None:
        one, two = a_ticket(), a_ticket()
        store = Store.of(one, two)
        comment = await create_comment(FakeWork(store), one.ticket_id, "one", ALICE, NOW)
        for comment_id in (comment.comment_id, new_id()):
            with pytest.raises(CommentNotFound) as refused:
                await update_comment(FakeWork(store), two.ticket_id, comment_id, "x", ALICE, etag="", now=NOW)
            assert refused.value.field == "comment.comment_id"
