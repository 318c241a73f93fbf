"""The machine by itself: total, and compensating exactly what may have been done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.saga.definition import Saga, Step
from mesh.saga.machine import (
    TRANSITIONS,
    Direction,
    Event,
    IllegalTransition,
    Report,
    Settled,
    Standing,
    State,
    begin,
    react,
)
from mesh.uow import UnitOfWork
from tests.mesh.messaging import Do, Undo


async def _nothing(work: UnitOfWork, sagas: object) -> None: ...


def _saga(undoable: list[bool], pivot: int) -> Saga:
    steps = tuple(
        Step(f"s{n}", "x", do=lambda p: Do(), undo=(lambda p: Undo()) if undo else None)
        for n, undo in enumerate(undoable)
    )
    return Saga("s", 1, Do, steps, f"s{pivot}", _nothing, _nothing)


sagas = st.lists(st.booleans(), min_size=1, max_size=5).flatmap(
    lambda undoable: st.builds(_saga, st.just(undoable), st.integers(0, len(undoable) - 1))
)


def test_every_state_is_listed_and_the_final_ones_have_no_exit() -> None:
    assert set(TRANSITIONS) == set(State)
    assert [state for state, exits in TRANSITIONS.items() if not exits] == [State.COMPLETED, State.COMPENSATED]
    assert {event for exits in TRANSITIONS.values() for event in exits} == set(Event)


@given(sagas)
def test_a_saga_whose_steps_all_succeed_completes_and_settles_its_pivot_once(saga: Saga) -> None:
    reaction, settled = begin(saga), list[Settled | None]()
    while reaction.send:
        reaction = react(saga, reaction.standing, Report.DONE)
        settled.append(reaction.settled)
    assert reaction.standing.state is State.COMPLETED
    assert settled.count(Settled.PIVOT) == 1
    assert Settled.COMPENSATION not in settled


@given(sagas, st.data(), st.sampled_from([Report.REJECTED, Report.EXHAUSTED, Report.TIMED_OUT]))
def test_a_failure_up_to_the_pivot_undoes_what_may_have_acted_last_first(
    saga: Saga, data: st.DataObject, failure: Report
) -> None:
    failing = data.draw(st.integers(0, saga.position(saga.pivot)))
    reaction = begin(saga)
    for _ in range(failing):
        reaction = react(saga, reaction.standing, Report.DONE)
    reaction = react(saga, reaction.standing, failure)
    undone = list[str]()
    while reaction.send:
        assert reaction.standing.direction is Direction.UNDO
        undone.append(reaction.standing.step)
        reaction = react(saga, reaction.standing, Report.DONE)
    acted = saga.steps[: failing + (failure is not Report.REJECTED)]
    assert undone == [step.name for step in reversed(acted) if step.undo is not None]
    assert (reaction.standing.state, reaction.settled) == (State.COMPENSATED, Settled.COMPENSATION)


@given(sagas)
def test_after_the_pivot_a_given_up_step_makes_the_saga_stuck_until_it_is_redriven(saga: Saga) -> None:
    reaction = begin(saga)
    while reaction.send and reaction.standing.direction is not Direction.FINISH:
        reaction = react(saga, reaction.standing, Report.DONE)
    if not reaction.send:
        return
    stuck = react(saga, reaction.standing, Report.EXHAUSTED)
    assert (stuck.standing.state, stuck.send) == (State.STUCK, False)
    assert react(saga, stuck.standing, Report.REDRIVEN).standing == reaction.standing


@pytest.mark.parametrize("state", [State.COMPLETED, State.COMPENSATED])
@pytest.mark.parametrize("report", [r for r in Report if r is not Report.SENT])
def test_an_ended_saga_takes_no_report(state: State, report: Report) -> None:
    saga = _saga([True], 0)
    for direction in Direction:
        with pytest.raises(IllegalTransition):
            react(saga, Standing(state, "s0", direction), report)


def test_a_definition_whose_pivot_is_no_step_is_refused() -> None:
    with pytest.raises(ValueError, match="pivot"):
        Saga("s", 1, Do, (Step("a", "x", do=lambda p: Do()),), "b", _nothing, _nothing)
