"""CommentService over real sockets and a real database: every success, and every refusal with its reason and field."""

from typing import Any

import grpc
import pytest
from sagamesh.tickets.v1 import comment_pb2

from mesh.identifiers import new_id
from tests.services import refusal
from tests.tickets.service import Change, Comment, Desk, Ticket

Code = grpc.StatusCode


class TestComments:
    async def test_the_token_says_who_speaks_and_as_whom(self, service: Desk) -> None:
        ticket_id = (await service.open()).ticket_id
        forged: dict[str, Any] = {
            "author_id": "ann",
            "author_role": Comment.AGENT,
            "mentions": ["root"],
            "comment_id": str(new_id()),
        }
        comment = await service.comment(ticket_id, "See @ben, @ann, @ben.", **forged)
        assert (comment.author_id, comment.author_role) == ("alice", Comment.CUSTOMER)
        assert (list(comment.mentions), comment.etag) == (["ben", "ann"], "1")
        assert comment.comment_id != forged["comment_id"]
        assert (await service.comment(ticket_id, by="ann")).author_role == Comment.AGENT

    async def test_the_authors_comment_on_an_answered_ticket_awaits_a_reply(self, service: Desk) -> None:
        ticket_id = (await service.open()).ticket_id
        await service.answer(ticket_id)
        await service.comment(ticket_id, by="ben")
        assert (await service.get(ticket_id)).status == Ticket.ANSWERED
        comment = await service.comment(ticket_id)
        assert (await service.get(ticket_id)).status == Ticket.AWAITING_REPLY
        change = (await service.history(ticket_id))[-1]
        assert (change.kind, change.comment_id) == (Change.COMMENTED, comment.comment_id)
        assert [(told.field, told.old_value, told.new_value) for told in change.fields] == [
            ("status", "ANSWERED", "AWAITING_REPLY")
        ]

    async def test_a_repeated_comment_is_one(self, service: Desk) -> None:
        ticket_id, request_id = (await service.open()).ticket_id, str(new_id())
        first = await service.comment(ticket_id, request_id=request_id)
        assert await service.comment(ticket_id, request_id=request_id) == first
        assert await service.said(ticket_id) == [first]

    async def test_comments_come_in_pages_oldest_first(self, service: Desk) -> None:
        ticket_id = (await service.open()).ticket_id
        made = [await service.comment(ticket_id, f"{number}") for number in range(5)]
        assert await service.said(ticket_id, page_size=2) == made

    async def test_a_comment_is_rewritten_by_its_author(self, service: Desk) -> None:
        ticket = await service.open()
        comment = await service.comment(ticket.ticket_id, "See @ann.")
        rewritten = await service.rewrite(comment, "See @ben.", "text", etag=comment.etag)
        assert (rewritten.text, list(rewritten.mentions), rewritten.etag) == ("See @ben.", ["ben"], "2")
        assert await service.said(ticket.ticket_id) == [rewritten]
        assert (await service.get(ticket.ticket_id)).etag == "1.3"
        assert await service.rewrite(comment, "anything", "author_id") == rewritten

    @pytest.mark.parametrize(
        ("by", "said", "paths", "etag", "code", "reason", "field"),
        [
            ("alice", " ", ["text"], "", Code.INVALID_ARGUMENT, "TEXT_INVALID", "comment.text"),
            ("alice", "", ["text"], "", Code.INVALID_ARGUMENT, "TEXT_INVALID", "comment.text"),
            ("alice", "a\0", ["text"], "", Code.INVALID_ARGUMENT, "TEXT_INVALID", "comment.text"),
            ("alice", "x", ["words"], "", Code.INVALID_ARGUMENT, "UPDATE_MASK_INVALID", "update_mask"),
            ("alice", "x", ["text"], "2", Code.ABORTED, "ETAG_MISMATCH", "etag"),
            ("ann", "x", ["text"], "", Code.PERMISSION_DENIED, "NOT_YOUR_COMMENT", "comment.comment_id"),
            ("bob", "x", ["text"], "", Code.NOT_FOUND, "TICKET_NOT_FOUND", "comment.ticket_id"),
        ],
    )
    async def test_a_bad_rewriting_is_refused_and_changes_nothing(
        self, service: Desk, by: str, said: str, paths: list[str], etag: str, code: Code, reason: str, field: str
    ) -> None:
        comment = await service.comment((await service.open()).ticket_id)
        refused = await refusal(service.rewrite(comment, said, *paths, by=by, etag=etag))
        assert refused == (code, reason, [field])
        assert await service.said(comment.ticket_id) == [comment]

    async def test_a_comment_that_is_not_the_tickets_is_refused(self, service: Desk) -> None:
        comment = await service.comment((await service.open()).ticket_id)
        comment.ticket_id = (await service.open()).ticket_id
        refused = await refusal(service.rewrite(comment, "x"))
        assert refused == (Code.NOT_FOUND, "COMMENT_NOT_FOUND", ["comment.comment_id"])

    async def test_a_rewriting_says_of_what(self, service: Desk) -> None:
        request = comment_pb2.UpdateCommentRequest(comment=Comment(text="x"))
        refused = await refusal(service.comments.UpdateComment(request, **service.user("alice")))
        assert refused == (Code.INVALID_ARGUMENT, "INVALID_ARGUMENT", ["comment"])

    @pytest.mark.parametrize("said", ["", " ", "a\0", "x" * 20_001])
    async def test_a_bad_comment_is_refused(self, service: Desk, said: str) -> None:
        ticket = await service.open()
        code, _, fields = await refusal(service.comment(ticket.ticket_id, said))
        assert (code, fields) == (Code.INVALID_ARGUMENT, ["comment.text"])
        assert await service.get(ticket.ticket_id, by="alice") == ticket

    async def test_nothing_is_said_about_a_closed_ticket(self, service: Desk) -> None:
        ticket_id = (await service.open()).ticket_id
        comment = await service.comment(ticket_id)
        await service.close(ticket_id)
        closed = (Code.FAILED_PRECONDITION, "TICKET_CLOSED")
        for by in ("alice", "ann"):
            assert await refusal(service.comment(ticket_id, by=by)) == (*closed, ["ticket_id"])
        assert await refusal(service.rewrite(comment, "x")) == (*closed, ["comment.ticket_id"])
        assert await service.said(ticket_id) == [comment]
