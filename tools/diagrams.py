"""Writes the generated sections of docs/states.md: state diagrams, drawn from the TRANSITIONS tables themselves."""

import sys
from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from mesh.saga import machine
from score_maker import domain as score
from tickets import domain as ticket
from tools.sections import ROOT, Page, run

State = TypeVar("State", bound=Enum)
Event = TypeVar("Event", bound=Enum)


def diagram(transitions: Mapping[State, Mapping[Event, State]], initial: State) -> str:
    """A Mermaid state diagram. A state without exits is an end."""
    lines = [f"[*] --> {initial.name}"]
    for state, exits in transitions.items():
        lines += [f"{state.name} --> {target.name}: {_words(event)}" for event, target in exits.items()]
        lines += [] if exits else [f"{state.name} --> [*]"]
    return "\n".join(["```mermaid", "stateDiagram-v2", *(f"    {line}" for line in lines), "```"])


def saga_states() -> str:
    """The states of every saga."""
    return diagram(machine.TRANSITIONS, machine.State.RUNNING)


def score_states() -> str:
    """The statuses of a score."""
    return diagram(score.TRANSITIONS, score.Status.PENDING)


def ticket_states() -> str:
    """The statuses of a ticket."""
    table = {status: {move: way.to for move, way in exits.items()} for status, exits in ticket.TRANSITIONS.items()}
    return diagram(table, ticket.Status.OPEN)


def _words(event: Enum) -> str:
    return event.name.lower().replace("_", " ")


STATES = Page(ROOT / "docs" / "states.md", {"saga": saga_states, "score": score_states, "ticket": ticket_states})

if __name__ == "__main__":
    sys.exit(run(STATES, "python -m tools.diagrams", __doc__))
