"""Sequences of rpcs against a model of a ticket that was written from the requirements, not from the code."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from grpc import aio
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.tickets.service import Change, Comment, Desk, Ticket

Reply = TypeVar("Reply")

MOVES = {
    ("OPEN", "answer"): "ANSWERED",
    ("OPEN", "close"): "CLOSED",
    ("ANSWERED", "await"): "AWAITING_REPLY",
    ("ANSWERED", "close"): "CLOSED",
    ("AWAITING_REPLY", "answer"): "ANSWERED",
    ("AWAITING_REPLY", "close"): "CLOSED",
}
AGENTS = ("ann", "ben")
people = st.sampled_from(["alice", "bob", *AGENTS])
words = st.sampled_from(["one", "two", "@ann three", " ", ""])


@dataclass
class Said:
    """A comment of the model."""

    comment_id: str
    author: str
    text: str
    edit: int = 1


@dataclass
class Model:
    """A ticket as the requirements describe it."""

    status: str = "OPEN"
    subject: str = "Help"
    priority: str = "NORMAL"
    tags: list[str] = field(default_factory=list[str])
    assignee: str = ""
    edit: int = 1
    kinds: list[str] = field(default_factory=lambda: ["CREATED"])
    said: list[Said] = field(default_factory=list[Said])

    def changed(self, kind: str, *, edited: bool = True) -> None:
        self.kinds.append(kind)
        self.edit += edited

    def refusal(self, by: str, is_stale: bool, *, agents_only: bool = False) -> str:
        """Why nothing is done for them, whatever they ask."""
        if agents_only and by not in AGENTS:
            return "PERMISSION_DENIED"
        if by == "bob":
            return "NOT_FOUND"
        return "ABORTED" if is_stale else ""


class Conversation(RuleBasedStateMachine):
    """Somebody does something; the service and the model do the same of it."""

    def __init__(self, service: Desk, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.service = service
        self.loop = loop
        self.model = Model()

    def ask(self, call: Awaitable[Reply]) -> tuple[str, Any]:
        """The name of the code, and the answer. The machine runs in a thread, the calls in the test's loop."""

        async def asked() -> tuple[str, Any]:
            try:
                return "OK", await call
            except aio.AioRpcError as error:
                return error.code().name, None

        return asyncio.run_coroutine_threadsafe(asked(), self.loop).result(30)

    def etag(self, is_stale: bool) -> str:
        return f"{self.model.edit + is_stale}.1"

    @initialize()
    def opened(self) -> None:
        self.ticket_id: str = self.ask(self.service.open())[1].ticket_id

    @rule(by=people, move=st.sampled_from(["answer", "await", "close"]), text=words, is_stale=st.booleans())
    def move(self, by: str, move: str, text: str, is_stale: bool) -> None:
        etag = self.etag(is_stale)
        if move == "answer":
            code, _ = self.ask(self.service.answer(self.ticket_id, text, by=by, etag=etag))
        else:
            call = self.service.close if move == "close" else self.service.await_reply
            code, _ = self.ask(call(self.ticket_id, by=by, etag=etag))
        to = MOVES.get((self.model.status, move))
        expected = self.model.refusal(by, is_stale, agents_only=move == "answer")
        expected = expected or ("OK" if to else "FAILED_PRECONDITION")
        if expected == "OK" and move == "answer" and not text.strip():
            expected = "INVALID_ARGUMENT"
        assert code == expected
        if to and code == "OK":
            self.model.status = to
            self.model.changed("MOVED")
            if move == "answer":
                self.note(by, text)

    @rule(by=people, text=words)
    def comment(self, by: str, text: str) -> None:
        code, _ = self.ask(self.service.comment(self.ticket_id, text, by=by))
        expected = self.model.refusal(by, is_stale=False)
        expected = expected or ("FAILED_PRECONDITION" if self.model.status == "CLOSED" else "")
        assert code == (expected or ("OK" if text.strip() else "INVALID_ARGUMENT"))
        if code == "OK":
            is_reply = (by, self.model.status) == ("alice", "ANSWERED")
            self.model.status = "AWAITING_REPLY" if is_reply else self.model.status
            self.model.changed("COMMENTED", edited=is_reply)
            self.note(by, text)

    @rule(by=people, which=st.integers(0, 5), text=words, is_stale=st.booleans())
    def rewrite(self, by: str, which: int, text: str, is_stale: bool) -> None:
        if which >= len(self.model.said):
            return
        said = self.model.said[which]
        comment = Comment(ticket_id=self.ticket_id, comment_id=said.comment_id)
        code, _ = self.ask(self.service.rewrite(comment, text, "text", by=by, etag=str(said.edit + is_stale)))
        if by == "bob":
            expected = "NOT_FOUND"
        elif self.model.status == "CLOSED":
            expected = "FAILED_PRECONDITION"
        elif is_stale:
            expected = "ABORTED"
        elif by != said.author:
            expected = "PERMISSION_DENIED"
        else:
            expected = "OK" if text.strip() else "INVALID_ARGUMENT"
        assert code == expected
        if code == "OK" and text != said.text:
            said.text, said.edit = text, said.edit + 1
            self.model.changed("COMMENT_EDITED", edited=False)

    @rule(by=people, assignee=st.sampled_from(["", "ann", "ben"]), is_stale=st.booleans())
    def assign(self, by: str, assignee: str, is_stale: bool) -> None:
        code, _ = self.ask(self.service.assign(self.ticket_id, assignee, by=by, etag=self.etag(is_stale)))
        expected = self.model.refusal(by, is_stale, agents_only=True)
        assert code == (expected or ("FAILED_PRECONDITION" if self.model.status == "CLOSED" else "OK"))
        if code == "OK" and assignee != self.model.assignee:
            self.model.assignee = assignee
            self.model.changed("ASSIGNED")

    @rule(by=people, subject=st.sampled_from(["Help", "Hurry", " "]), is_stale=st.booleans())
    def retitle(self, by: str, subject: str, is_stale: bool) -> None:
        etag = self.etag(is_stale)
        code, _ = self.ask(self.service.update(self.ticket_id, "subject", by=by, subject=subject, etag=etag))
        expected = self.model.refusal(by, is_stale)
        expected = expected or ("FAILED_PRECONDITION" if self.model.status == "CLOSED" else "")
        expected = expected or ("" if subject.strip() else "INVALID_ARGUMENT")
        changes = subject != self.model.subject
        assert code == (expected or ("PERMISSION_DENIED" if changes and by != "alice" else "OK"))
        if code == "OK" and changes:
            self.model.subject = subject
            self.model.changed("EDITED")

    @rule(by=people, priority=st.sampled_from(["NORMAL", "URGENT"]), tags=st.lists(st.sampled_from("ba"), max_size=3))
    def sort(self, by: str, priority: str, tags: list[str]) -> None:
        named = Ticket.Priority.Value(priority)
        call = self.service.update(self.ticket_id, "priority", "tags", by=by, priority=named, tags=tags)
        code, _ = self.ask(call)
        expected = self.model.refusal(by, is_stale=False)
        expected = expected or ("FAILED_PRECONDITION" if self.model.status == "CLOSED" else "")
        tags = sorted(set(tags))
        changes = (priority, tags) != (self.model.priority, self.model.tags)
        assert code == (expected or ("PERMISSION_DENIED" if changes and by == "alice" else "OK"))
        if code == "OK" and changes:
            self.model.priority, self.model.tags = priority, tags
            self.model.changed("EDITED")

    @invariant()
    def the_ticket_is_the_models(self) -> None:
        ticket: Ticket = self.ask(self.service.get(self.ticket_id))[1]
        assert Ticket.Status.Name(ticket.status) == self.model.status
        assert Ticket.Priority.Name(ticket.priority) == self.model.priority
        assert (ticket.subject, list(ticket.tags)) == (self.model.subject, self.model.tags)
        assert (ticket.assignee_id, ticket.comment_count) == (self.model.assignee, len(self.model.said))
        assert ticket.etag == f"{self.model.edit}.{len(self.model.kinds)}"

    @invariant()
    def what_was_said_is_the_models(self) -> None:
        comments: list[Comment] = self.ask(self.service.said(self.ticket_id, by="alice"))[1]
        said = [(one.comment_id, one.author_id, one.text, one.etag) for one in comments]
        assert said == [(one.comment_id, one.author, one.text, str(one.edit)) for one in self.model.said]

    @invariant()
    def the_history_is_the_models(self) -> None:
        history: list[Change] = self.ask(self.service.history(self.ticket_id, by="alice"))[1]
        assert [change.version for change in history] == list(range(1, len(self.model.kinds) + 1))
        assert [Change.Kind.Name(change.kind) for change in history] == self.model.kinds

    def note(self, by: str, text: str) -> None:
        """The newest comment: its id is the service's to choose."""
        comment_id = self.ask(self.service.said(self.ticket_id))[1][-1].comment_id
        self.model.said.append(Said(comment_id, by, text))


@pytest.mark.parametrize(("examples", "steps"), [(8, 25), pytest.param(200, 50, marks=pytest.mark.long)])
async def test_the_service_does_what_the_model_does(service: Desk, examples: int, steps: int) -> None:
    loop = asyncio.get_running_loop()
    unhurried = [HealthCheck.too_slow, HealthCheck.data_too_large]
    chosen = settings(max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=unhurried)

    class Talk(Conversation):
        def __init__(self) -> None:
            super().__init__(service, loop)

    await asyncio.to_thread(run_state_machine_as_test, Talk, settings=chosen)
