"""What an event does to a saga: pure, and total. Everything that decides a saga's course must live here.

`TRANSITIONS` is the whole truth of the states; `react` turns what a participant (or the clock, or an operator) reported
into one of its events, by the saga's definition. An event that a state does not list is IllegalTransition, and changes
nothing.
"""

from dataclasses import dataclass, replace
from enum import Enum, IntEnum, auto

from sagamesh.mesh.v1 import envelope_pb2, saga_pb2

from mesh.saga.definition import Saga


class State(IntEnum):
    """Where a saga stands; the numbers of sagamesh.mesh.v1.Saga.State."""

    RUNNING = saga_pb2.Saga.RUNNING
    FINISHING = saga_pb2.Saga.FINISHING
    COMPLETED = saga_pb2.Saga.COMPLETED
    COMPENSATING = saga_pb2.Saga.COMPENSATING
    COMPENSATED = saga_pb2.Saga.COMPENSATED
    STUCK = saga_pb2.Saga.STUCK


class Direction(IntEnum):
    """What is asked of a step; the numbers of SagaStep.Direction."""

    DO = envelope_pb2.SagaStep.DO
    UNDO = envelope_pb2.SagaStep.UNDO
    FINISH = envelope_pb2.SagaStep.FINISH


class Report(IntEnum):
    """What became of a step's message; the numbers of SagaLogEntry.Kind."""

    SENT = saga_pb2.SagaLogEntry.SENT
    DONE = saga_pb2.SagaLogEntry.OK
    REJECTED = saga_pb2.SagaLogEntry.REJECTED
    RETRIED = saga_pb2.SagaLogEntry.RETRIED
    EXHAUSTED = saga_pb2.SagaLogEntry.EXHAUSTED
    TIMED_OUT = saga_pb2.SagaLogEntry.DEADLINE
    REDRIVEN = saga_pb2.SagaLogEntry.REDRIVEN


class Event(Enum):
    """What the machine distinguishes."""

    ADVANCED = auto()  # a step is done, another follows on the same side of the pivot
    PIVOTED = auto()  # the pivot is done, other steps follow
    FINISHED = auto()  # the last step is done
    FAILED = auto()  # a step up to the pivot failed, and something is to be undone
    UNDONE = auto()  # an undo is done, another follows
    CLEARED = auto()  # nothing is left to undo
    GAVE_UP = auto()  # a message that may not fail was given up
    FINISH_REDRIVEN = auto()  # it is tried again
    UNDO_REDRIVEN = auto()


TRANSITIONS: dict[State, dict[Event, State]] = {
    State.RUNNING: {
        Event.ADVANCED: State.RUNNING,
        Event.PIVOTED: State.FINISHING,
        Event.FINISHED: State.COMPLETED,
        Event.FAILED: State.COMPENSATING,
        Event.CLEARED: State.COMPENSATED,
    },
    State.FINISHING: {
        Event.ADVANCED: State.FINISHING,
        Event.FINISHED: State.COMPLETED,
        Event.GAVE_UP: State.STUCK,
    },
    State.COMPENSATING: {
        Event.UNDONE: State.COMPENSATING,
        Event.CLEARED: State.COMPENSATED,
        Event.GAVE_UP: State.STUCK,
    },
    State.STUCK: {
        Event.FINISH_REDRIVEN: State.FINISHING,
        Event.UNDO_REDRIVEN: State.COMPENSATING,
    },
    State.COMPLETED: {},
    State.COMPENSATED: {},
}


class IllegalTransition(Exception):
    """A saga was told of something that cannot happen in its state."""


class Settled(Enum):
    """What a transition settles for the entity that waits."""

    PIVOT = auto()
    COMPENSATION = auto()


@dataclass(frozen=True, slots=True)
class Standing:
    """A saga's place in the machine: the state, and the step that is asked for something."""

    state: State
    step: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Reaction:
    """What follows from a report: the new standing, whether its step's message must be sent, and what is settled."""

    standing: Standing
    send: bool = False
    settled: Settled | None = None


def begin(saga: Saga) -> Reaction:
    """A new saga's first message."""
    return Reaction(Standing(State.RUNNING, saga.steps[0].name, Direction.DO), send=True)


def react(saga: Saga, now: Standing, report: Report) -> Reaction:
    """What follows when the message of `now` is reported. Raises IllegalTransition for a final state, and for a
    refusal or a deadline where none may be (the inbox turns such refusals into retries)."""
    match report, now.direction:
        case Report.DONE, Direction.DO | Direction.FINISH:
            return _done(saga, now)
        case Report.DONE, Direction.UNDO:
            return _undo_from(saga, now, saga.position(now.step), Event.UNDONE)
        case Report.REJECTED, Direction.DO:  # the refused step left nothing to undo
            return _undo_from(saga, now, saga.position(now.step), Event.FAILED)
        case Report.EXHAUSTED | Report.TIMED_OUT, Direction.DO:  # it may have acted: its own undo is included
            return _undo_from(saga, now, saga.position(now.step) + 1, Event.FAILED)
        case Report.EXHAUSTED, Direction.UNDO | Direction.FINISH:
            return Reaction(replace(now, state=_next(now.state, Event.GAVE_UP)))
        case Report.REDRIVEN, Direction.FINISH:
            return Reaction(replace(now, state=_next(now.state, Event.FINISH_REDRIVEN)))
        case Report.REDRIVEN, Direction.UNDO:
            return Reaction(replace(now, state=_next(now.state, Event.UNDO_REDRIVEN)))
        case _:
            raise IllegalTransition(f"{report.name} of {now.direction.name} {now.step} in {now.state.name}")


def _done(saga: Saga, now: Standing) -> Reaction:
    following = saga.after(now.step)
    settled = Settled.PIVOT if now.step == saga.pivot else None
    if following is None:
        return Reaction(replace(now, state=_next(now.state, Event.FINISHED)), settled=settled)
    event = Event.PIVOTED if settled else Event.ADVANCED
    direction = Direction.FINISH if saga.is_after_pivot(following.name) else Direction.DO
    return Reaction(Standing(_next(now.state, event), following.name, direction), send=True, settled=settled)


def _undo_from(saga: Saga, now: Standing, before: int, event: Event) -> Reaction:
    step = saga.undoable(before)
    if step is None:
        return Reaction(replace(now, state=_next(now.state, Event.CLEARED)), settled=Settled.COMPENSATION)
    return Reaction(Standing(_next(now.state, event), step.name, Direction.UNDO), send=True)


def _next(state: State, event: Event) -> State:
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransition(f"{event.name} in {state.name}") from None
