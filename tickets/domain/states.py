"""Where tickets stand, and who may move them. Everything about the state machine is here."""

from dataclasses import dataclass
from enum import Enum, auto


class Status(Enum):
    """Where a ticket stands."""

    OPEN = "OPEN"
    ANSWERED = "ANSWERED"
    AWAITING_REPLY = "AWAITING_REPLY"
    CLOSED = "CLOSED"


class Move(Enum):
    """What moves a ticket."""

    ANSWER = auto()
    AWAIT_REPLY = auto()
    CLOSE = auto()


class Party(Enum):
    """What somebody is to a ticket. An agent who opened it is both."""

    AUTHOR = auto()
    AGENT = auto()


@dataclass(frozen=True, slots=True)
class Exit:
    """Where a move leads, and who may make it."""

    to: Status
    by: frozenset[Party]


_SUPPORT = frozenset({Party.AGENT})
_EITHER = frozenset(Party)

TRANSITIONS: dict[Status, dict[Move, Exit]] = {
    Status.OPEN: {
        Move.ANSWER: Exit(Status.ANSWERED, by=_SUPPORT),
        Move.CLOSE: Exit(Status.CLOSED, by=_EITHER),
    },
    Status.ANSWERED: {
        Move.AWAIT_REPLY: Exit(Status.AWAITING_REPLY, by=_EITHER),
        Move.CLOSE: Exit(Status.CLOSED, by=_EITHER),
    },
    Status.AWAITING_REPLY: {
        Move.ANSWER: Exit(Status.ANSWERED, by=_SUPPORT),
        Move.CLOSE: Exit(Status.CLOSED, by=_EITHER),
    },
    Status.CLOSED: {},
}

STEPS: frozenset[tuple[Status, Status]] = frozenset(
    (before, after)
    for before, exits in TRANSITIONS.items()
    if exits
    for after in (before, *(e.to for e in exits.values()))
)
"""Every legal pair of statuses before and after a change; the repository lets no other pass. Where no move leads out,
nothing else changes either."""
