"""State diagrams are drawn from the tables: whole, and up to date."""

from enum import Enum

from mesh.saga import machine
from tools.diagrams import STATES, diagram, saga_states


class Light(Enum):
    RED = 1
    OFF = 2


class Event(Enum):
    BULB_BROKE = 1


def test_the_drawings_in_the_tree_are_up_to_date() -> None:
    assert STATES.stale() == []


def test_a_table_becomes_arrows_and_a_state_without_exits_an_end() -> None:
    drawn = diagram({Light.RED: {Event.BULB_BROKE: Light.OFF}, Light.OFF: {}}, Light.RED)

    assert drawn.splitlines() == [
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> RED",
        "    RED --> OFF: bulb broke",
        "    OFF --> [*]",
        "```",
    ]


def test_every_transition_of_a_saga_is_drawn() -> None:
    arrows = [f"{state.name} --> {target.name}" for state, x in machine.TRANSITIONS.items() for target in x.values()]

    assert [arrow for arrow in arrows if arrow not in saga_states()] == []
