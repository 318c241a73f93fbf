"""Examples of what tickets is about, for its tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mesh.identifiers import new_id
from tickets.domain import Caller, Comment, Draft, Move, Status, Ticket, new_comment, new_ticket

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ALICE = Caller("alice")
BOB = Caller("bob")
ANN = Caller("ann", is_agent=True)
"""Alice opens the tickets here, Ann supports, and Bob is another customer."""

PATHS: dict[Status, tuple[Move, ...]] = {
    Status.OPEN: (),
    Status.ANSWERED: (Move.ANSWER,),
    Status.AWAITING_REPLY: (Move.ANSWER, Move.AWAIT_REPLY),
    Status.CLOSED: (Move.CLOSE,),
}
"""A way to each status."""


def a_ticket(subject: str = "Help", text: str = "It is broken.", caller: Caller = ALICE, **more: Any) -> Ticket:
    """An open ticket."""
    return new_ticket(new_id(), Draft(subject, text, **more), caller, NOW)


def ticket_that_is(status: Status, caller: Caller = ALICE) -> Ticket:
    """A ticket that has come to stand there."""
    ticket = a_ticket(caller=caller)
    for move in PATHS[status]:
        ticket = ticket.moved(move, ANN, NOW)
    return ticket


def a_comment(ticket: Ticket, text: str = "Hello?", caller: Caller = ALICE) -> Comment:
    """The first comment on a ticket."""
    return new_comment(new_id(), replace(ticket, comment_count=1), text, caller, field="text")
