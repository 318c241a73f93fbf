"""TicketService over real sockets and a real database: every success, and every refusal with its reason and field. Who
may move a ticket is in test_moves.py, who may call what in test_access.py; lists are in test_lists.py."""

import asyncio
from typing import Any

import grpc
import pytest
from sagamesh.tickets.v1 import ticket_pb2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.identifiers import new_id
from tests.services import refusal
from tests.tickets.service import Comment, Desk, Ticket

Code = grpc.StatusCode


async def rows(engine: AsyncEngine) -> list[int]:
    """How many tickets, comments and changes there are."""
    async with engine.connect() as connection:
        counts = [f"(SELECT count(*) FROM {table})" for table in ("ticket", "comment", "change")]
        return list((await connection.execute(text(f"SELECT {', '.join(counts)}"))).one())


class TestCreateTicket:
    async def test_a_new_ticket_is_open(self, service: Desk, engine: AsyncEngine) -> None:
        ticket = await service.open("Help", "It is\nbroken.")
        assert (ticket.subject, ticket.text, ticket.author_id) == ("Help", "It is\nbroken.", "alice")
        assert (ticket.status, ticket.priority, list(ticket.tags)) == (Ticket.OPEN, Ticket.NORMAL, [])
        assert (ticket.etag, ticket.version, ticket.comment_count) == ("1.1", 1, 0)
        assert list(ticket.allowed_transitions) == [Ticket.CLOSED]
        assert not ticket.HasField("close_time")
        assert await service.get(ticket.ticket_id, by="alice") == ticket
        assert await rows(engine) == [1, 0, 1]

    async def test_an_agent_may_say_how_urgent_it_is(self, service: Desk) -> None:
        ticket = await service.open(by="ann", priority=Ticket.URGENT, tags=["b", "a", "b"])
        assert (ticket.priority, list(ticket.tags), ticket.author_id) == (Ticket.URGENT, ["a", "b"], "ann")

    async def test_what_is_not_theirs_to_say_is_ignored(self, service: Desk) -> None:
        ticket = await service.open(
            status=Ticket.CLOSED, author_id="bob", assignee_id="ann", comment_count=7, version=9, etag="9.9"
        )
        assert (ticket.status, ticket.author_id, ticket.assignee_id) == (Ticket.OPEN, "alice", "")
        assert (ticket.comment_count, ticket.version, ticket.etag) == (0, 1, "1.1")

    async def test_a_repeated_request_gets_the_first_answer(self, service: Desk, engine: AsyncEngine) -> None:
        request_id = str(new_id())
        first = await service.open(request_id=request_id)
        await service.close(first.ticket_id)
        assert await service.open(request_id=request_id) == first
        assert await rows(engine) == [1, 0, 2]

    async def test_the_same_request_id_with_another_body_is_refused(self, service: Desk) -> None:
        request_id = str(new_id())
        await service.open(request_id=request_id)
        refused = await refusal(service.open("Else", request_id=request_id))
        assert refused == (Code.INVALID_ARGUMENT, "REQUEST_ID_REUSED", ["request_id"])

    async def test_concurrent_requests_with_one_id_open_one_ticket(self, service: Desk, engine: AsyncEngine) -> None:
        request_id = str(new_id())
        opened = await asyncio.gather(*(service.open(request_id=request_id) for _ in range(10)))
        assert len({ticket.ticket_id for ticket in opened}) == 1
        assert await rows(engine) == [1, 0, 1]

    @pytest.mark.parametrize(
        ("ticket", "reason", "field"),
        [
            ({"subject": ""}, "SUBJECT_INVALID", "ticket.subject"),
            ({"subject": " \t"}, "SUBJECT_INVALID", "ticket.subject"),
            ({"subject": "a\0b"}, "SUBJECT_INVALID", "ticket.subject"),
            ({"subject": "a\nb"}, "SUBJECT_INVALID", "ticket.subject"),
            ({"subject": "x" * 201}, "INVALID_ARGUMENT", "ticket.subject"),
            ({"text": ""}, "TEXT_INVALID", "ticket.text"),
            ({"text": "\n "}, "TEXT_INVALID", "ticket.text"),
            ({"text": "a\0b"}, "TEXT_INVALID", "ticket.text"),
            ({"text": "\x1b[31m"}, "TEXT_INVALID", "ticket.text"),
            ({"text": "x" * 20_001}, "INVALID_ARGUMENT", "ticket.text"),
            ({"tags": ["two words"]}, "TAG_INVALID", "ticket.tags[0]"),
            ({"tags": ["fine", "a\0"]}, "TAG_INVALID", "ticket.tags[1]"),
            ({"tags": [""]}, "INVALID_ARGUMENT", "ticket.tags[0]"),
            ({"tags": ["x" * 51]}, "INVALID_ARGUMENT", "ticket.tags[0]"),
            ({"tags": [str(number) for number in range(21)]}, "INVALID_ARGUMENT", "ticket.tags"),
            ({"priority": 77}, "INVALID_ARGUMENT", "ticket.priority"),
            ({"ticket_id": "7"}, "INVALID_ARGUMENT", "ticket.ticket_id"),
        ],
    )
    async def test_a_bad_ticket_is_refused_and_not_kept(
        self, service: Desk, engine: AsyncEngine, ticket: dict[str, Any], reason: str, field: str
    ) -> None:
        said = {"subject": "Help", "text": "It is broken.", **ticket}
        assert await refusal(service.open(by="ann", **said)) == (Code.INVALID_ARGUMENT, reason, [field])
        assert await rows(engine) == [0, 0, 0]

    @pytest.mark.parametrize(("field", "value"), [("priority", Ticket.HIGH), ("tags", ["vip"])])
    async def test_a_customer_does_not_say_how_urgent_it_is(
        self, service: Desk, engine: AsyncEngine, field: str, value: Any
    ) -> None:
        refused = await refusal(service.open(**{field: value}))
        assert refused == (Code.PERMISSION_DENIED, "AGENTS_ONLY", [f"ticket.{field}"])
        assert await rows(engine) == [0, 0, 0]

    async def test_the_longest_texts_are_kept_whole(self, service: Desk) -> None:
        ticket = await service.open("\N{SOCCER BALL}" * 200, "\N{SOCCER BALL}" * 20_000)
        assert await service.get(ticket.ticket_id, by="alice") == ticket

    async def test_a_missing_ticket_is_refused(self, service: Desk) -> None:
        refused = await refusal(service.tickets.CreateTicket(ticket_pb2.CreateTicketRequest(), **service.user("alice")))
        assert refused == (Code.INVALID_ARGUMENT, "INVALID_ARGUMENT", ["ticket"])


class TestGetTicket:
    @pytest.mark.parametrize(
        ("ticket_id", "code", "reason"),
        [
            (str(new_id()), Code.NOT_FOUND, "TICKET_NOT_FOUND"),
            ("7", Code.INVALID_ARGUMENT, "INVALID_ARGUMENT"),
            ("\0", Code.INVALID_ARGUMENT, "INVALID_ARGUMENT"),
        ],
    )
    async def test_what_is_no_tickets_id_is_refused(
        self, service: Desk, ticket_id: str, code: Code, reason: str
    ) -> None:
        assert await refusal(service.get(ticket_id)) == (code, reason, ["ticket_id"])


class TestUpdateTicket:
    async def test_the_mask_says_what_changes(self, service: Desk) -> None:
        ticket = await service.open()
        changed = await service.update(ticket.ticket_id, "subject", subject="Hurry", text="Now.")
        assert (changed.subject, changed.text, changed.etag) == ("Hurry", ticket.text, "2.2")
        assert await service.get(ticket.ticket_id, by="alice") == changed

    async def test_without_a_mask_the_fields_that_are_set_change(self, service: Desk) -> None:
        ticket = await service.open()
        changed = await service.update(ticket.ticket_id, text="Now.", status=Ticket.CLOSED)
        assert (changed.subject, changed.text, changed.status) == (ticket.subject, "Now.", Ticket.OPEN)

    async def test_a_star_stands_for_everything(self, service: Desk) -> None:
        ticket = await service.open(by="ann", priority=Ticket.HIGH, tags=["a"])
        changed = await service.update(ticket.ticket_id, "*", by="ann", subject="Hurry", text="Now.")
        assert (changed.subject, changed.priority, list(changed.tags)) == ("Hurry", Ticket.NORMAL, [])

    async def test_an_update_that_changes_nothing_makes_no_version(self, service: Desk) -> None:
        ticket = await service.open()
        assert await service.update(ticket.ticket_id, subject=ticket.subject, priority=Ticket.NORMAL) == ticket

    async def test_an_etag_from_before_a_comment_is_still_good(self, service: Desk) -> None:
        ticket = await service.open()
        await service.comment(ticket.ticket_id)
        assert (await service.update(ticket.ticket_id, subject="Hurry", etag=ticket.etag)).etag == "2.3"

    @pytest.mark.parametrize(
        ("by", "paths", "fields", "code", "reason", "field"),
        [
            ("alice", ["titel"], {}, Code.INVALID_ARGUMENT, "UPDATE_MASK_INVALID", "update_mask"),
            ("alice", ["subject"], {}, Code.INVALID_ARGUMENT, "SUBJECT_INVALID", "ticket.subject"),
            ("alice", ["text"], {"text": " "}, Code.INVALID_ARGUMENT, "TEXT_INVALID", "ticket.text"),
            ("ann", [], {"tags": ["a b"]}, Code.INVALID_ARGUMENT, "TAG_INVALID", "ticket.tags[0]"),
            ("alice", [], {"subject": "x", "etag": "5.1"}, Code.ABORTED, "ETAG_MISMATCH", "etag"),
            ("alice", [], {"subject": "x", "etag": "?"}, Code.ABORTED, "ETAG_MISMATCH", "etag"),
            ("ann", [], {"subject": "x"}, Code.PERMISSION_DENIED, "NOT_YOUR_TEXT", "ticket.subject"),
            ("ann", [], {"text": "x"}, Code.PERMISSION_DENIED, "NOT_YOUR_TEXT", "ticket.text"),
            ("alice", [], {"priority": Ticket.LOW}, Code.PERMISSION_DENIED, "AGENTS_ONLY", "ticket.priority"),
            ("alice", [], {"tags": ["x"]}, Code.PERMISSION_DENIED, "AGENTS_ONLY", "ticket.tags"),
            ("bob", [], {"subject": "x"}, Code.NOT_FOUND, "TICKET_NOT_FOUND", "ticket.ticket_id"),
        ],
    )
    async def test_a_bad_update_is_refused_and_changes_nothing(
        self,
        service: Desk,
        by: str,
        paths: list[str],
        fields: dict[str, Any],
        code: Code,
        reason: str,
        field: str,
    ) -> None:
        ticket = await service.open()
        refused = await refusal(service.update(ticket.ticket_id, *paths, by=by, **fields))
        assert refused == (code, reason, [field])
        assert await service.get(ticket.ticket_id, by="alice") == ticket

    async def test_a_closed_ticket_is_not_changed(self, service: Desk) -> None:
        ticket = await service.close((await service.open()).ticket_id)
        refused = await refusal(service.update(ticket.ticket_id, subject="x"))
        assert refused == (Code.FAILED_PRECONDITION, "TICKET_CLOSED", ["ticket.ticket_id"])


class TestMoves:
    async def test_an_answer_is_also_a_comment(self, service: Desk) -> None:
        ticket = await service.open()
        answered = await service.answer(ticket.ticket_id, "Ask @ben.", etag=ticket.etag)
        assert (answered.status, answered.comment_count, answered.etag) == (Ticket.ANSWERED, 1, "2.2")
        [comment] = await service.said(ticket.ticket_id)
        assert (comment.author_id, comment.author_role, comment.text) == ("ann", Comment.AGENT, "Ask @ben.")
        assert list(comment.mentions) == ["ben"]

    async def test_a_closed_ticket_says_when(self, service: Desk) -> None:
        closed = await service.close((await service.open()).ticket_id)
        assert (closed.status, list(closed.allowed_transitions)) == (Ticket.CLOSED, [])
        assert closed.close_time == closed.update_time

    async def test_a_repeated_move_gets_the_first_answer(self, service: Desk) -> None:
        ticket_id, request_id = (await service.open()).ticket_id, str(new_id())
        first = await service.answer(ticket_id, request_id=request_id)
        await service.await_reply(ticket_id)
        assert await service.answer(ticket_id, request_id=request_id) == first
        assert len(await service.said(ticket_id)) == 1

    @pytest.mark.parametrize("answer", ["", " ", "\0", "x" * 20_001])
    async def test_an_answer_that_is_none_is_refused(self, service: Desk, answer: str) -> None:
        ticket = await service.open()
        code, _, fields = await refusal(service.answer(ticket.ticket_id, answer))
        assert (code, fields) == (Code.INVALID_ARGUMENT, ["text"])
        assert await service.get(ticket.ticket_id, by="alice") == ticket

    async def test_an_old_etag_is_refused(self, service: Desk) -> None:
        ticket = await service.open()
        await service.assign(ticket.ticket_id)
        mismatch = (Code.ABORTED, "ETAG_MISMATCH", ["etag"])
        assert await refusal(service.answer(ticket.ticket_id, etag=ticket.etag)) == mismatch
        assert await refusal(service.close(ticket.ticket_id, etag=ticket.etag)) == mismatch
        assert await refusal(service.assign(ticket.ticket_id, "", etag=ticket.etag)) == mismatch
        await service.answer(ticket.ticket_id)
        assert await refusal(service.await_reply(ticket.ticket_id, etag=ticket.etag)) == mismatch

    async def test_a_comment_that_moves_a_ticket_outdates_its_etag(self, service: Desk) -> None:
        answered = await service.answer((await service.open()).ticket_id)
        await service.comment(answered.ticket_id)
        refused = await refusal(service.close(answered.ticket_id, by="ann", etag=answered.etag))
        assert refused == (Code.ABORTED, "ETAG_MISMATCH", ["etag"])


class TestAssignTicket:
    async def test_a_ticket_is_given_to_an_agent_and_to_nobody(self, service: Desk) -> None:
        ticket_id = (await service.open()).ticket_id
        assert (await service.assign(ticket_id, "ben")).assignee_id == "ben"
        assert (await service.assign(ticket_id, "ben")).version == 2
        assert (await service.assign(ticket_id, "")).assignee_id == ""

    @pytest.mark.parametrize("assignee", [" ", "a\0", "x" * 201])
    async def test_nobody_has_such_an_id(self, service: Desk, assignee: str) -> None:
        code, _, fields = await refusal(service.assign((await service.open()).ticket_id, assignee))
        assert (code, fields) == (Code.INVALID_ARGUMENT, ["assignee_id"])

    async def test_a_closed_ticket_is_given_to_nobody_any_more(self, service: Desk) -> None:
        ticket = await service.close((await service.open()).ticket_id)
        refused = await refusal(service.assign(ticket.ticket_id))
        assert refused == (Code.FAILED_PRECONDITION, "TICKET_CLOSED", ["ticket_id"])
