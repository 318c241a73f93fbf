"""Saga and barrier under a network that duplicates, reorders and drops, relays that lose their leases, participants
that refuse and fail, and deadlines that pass: whatever happens, every saga ends whole or is taken back whole."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from mesh.errors import Refusal
from mesh.outbox.pull import Leased
from mesh.outbox.settle import Settlement
from mesh.saga.deadlines import expire
from tests.mesh.messaging import PARTICIPANTS, Forbidden, World, three_steps, world

Run = Callable[[Coroutine[Any, Any, Any]], Any]
RELAYS = st.sampled_from(["one", "two"])


class Protocol(RuleBasedStateMachine):
    """The system as a set of moves that an unkind world may make in any order. Hypothesis makes one an example, of a
    subclass that has its world."""

    _w: World
    _run: Run

    def __init__(self) -> None:
        super().__init__()
        w, run = self._w, self._run
        self._network: list[Leased] = []
        self._answers: list[tuple[str, Settlement]] = []
        self._sagas: list[tuple[UUID, str]] = []
        run(w.query("TRUNCATE outbox, dead_letter, saga, saga_log, inbox, barrier, entity, effect, outbox_relay"))
        run(w.query("UPDATE outbox_bucket SET owner = NULL, expire_time = NULL"))
        w.puller = type(w.puller)(w.engine, w.signal, ttl=30, poll=0.05)
        for participant in w.participants.values():
            participant.behave = _agree

    @rule(key=st.sampled_from("xyz"))
    def begin(self, key: str) -> None:
        entity = f"e{len(self._sagas)}"
        self._sagas.append((self._run(self._w.begin(entity, key=key)), entity))

    @rule(owner=RELAYS, limit=st.integers(1, 4))
    def pull(self, owner: str, limit: int) -> None:
        self._network += self._run(self._w.pull(owner, limit=limit))

    @precondition(lambda self: self._network)
    @rule(data=st.data(), owner=RELAYS, again=st.booleans())
    def deliver(self, data: st.DataObject, owner: str, again: bool) -> None:
        """Any message, in any order, perhaps not for the last time."""
        index = data.draw(st.integers(0, len(self._network) - 1))
        message = self._network[index] if again else self._network.pop(index)
        self._answers += [(owner, settlement) for settlement in self._run(self._w.deliver([message]))]

    @precondition(lambda self: self._network)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        self._network.pop(data.draw(st.integers(0, len(self._network) - 1)))

    @precondition(lambda self: self._answers)
    @rule(data=st.data(), again=st.booleans())
    def settle(self, data: st.DataObject, again: bool) -> None:
        index = data.draw(st.integers(0, len(self._answers) - 1))
        owner, settlement = self._answers[index] if again else self._answers.pop(index)
        self._run(self._w.settler.settle(owner, [settlement]))

    @rule()
    def leases_run_out(self) -> None:
        self._run(self._w.lease_is_lost())
        self._w.puller = type(self._w.puller)(self._w.engine, self._w.signal, ttl=30, poll=0.05)

    @precondition(lambda self: self._sagas)
    @rule(data=st.data())
    def deadline_passes(self, data: st.DataObject) -> None:
        saga_id, _ = data.draw(st.sampled_from(self._sagas))
        past = "UPDATE saga SET deadline = now() - interval '1 second' WHERE saga_id = :id"
        self._run(self._w.query(past, id=saga_id))
        self._run(expire(self._w.engine, self._w.sagas))

    @rule(name=st.sampled_from(PARTICIPANTS), mood=st.sampled_from(["agree", "refuse", "fail"]))
    def participant_changes_its_mind(self, name: str, mood: str) -> None:
        self._w.participants[name].behave = _MOODS[mood]

    @invariant()
    def nothing_is_done_or_undone_twice(self) -> None:
        twice = "SELECT key, participant, what FROM effect GROUP BY key, participant, what HAVING count(*) > 1"
        assert self._run(self._w.query(twice)) == []

    def teardown(self) -> None:
        """The world becomes kind again: everything comes to its end."""
        for participant in self._w.participants.values():
            participant.behave = _agree
        self.leases_run_out()
        for _ in range(20):
            self._run(self._w.query("UPDATE outbox SET not_before = NULL"))
            self._run(self._w.run())
        for saga_id, entity in self._sagas:
            self._check_end(saga_id, entity)

    def _check_end(self, saga_id: UUID, entity: str) -> None:
        state, status = self._run(self._w.state(saga_id)), self._run(self._w.status(entity))
        effects: list[str] = self._run(self._w.effects(entity))
        done = [name for name in PARTICIPANTS if f"do {name}" in effects and f"undo {name}" not in effects]
        undone = [effect for effect in effects if effect.startswith("undo")]
        if state == "COMPLETED":
            assert (status, done, undone) == ("CONFIRMED", list(PARTICIPANTS), [])
        else:
            assert (state, status, done) == ("COMPENSATED", "REJECTED", [])
            assert undone == sorted(undone, reverse=True)
            assert all(effects.index(f"do {u[-1]}") < effects.index(u) for u in undone)


def _agree(what: str, key: str) -> None:
    return None


def _refuse(what: str, key: str) -> Refusal | None:
    return Forbidden() if what == "do" else None


def _fail(what: str, key: str) -> Exception:
    return RuntimeError("broken")


_MOODS: dict[str, Callable[[str, str], Any]] = {"agree": _agree, "refuse": _refuse, "fail": _fail}


def _drive(dsn: str, examples: int) -> None:
    with asyncio.Runner() as runner:
        context = world(dsn, three_steps(), attempts=1000)
        w = runner.run(_entered(context))
        try:
            kind = settings(
                max_examples=examples,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
                print_blob=True,
            )
            here = type("ProtocolHere", (Protocol,), {"_w": w, "_run": staticmethod(runner.run)})
            run_state_machine_as_test(here, settings=kind)
        finally:
            runner.run(w.engine.dispose())


async def _entered(context: Any) -> World:
    return await context.__aenter__()


def test_every_saga_ends_whole_or_is_taken_back_whole(database: str) -> None:
    _drive(database, examples=40)


@pytest.mark.long
def test_every_saga_ends_whole_or_is_taken_back_whole_in_many_histories(database: str) -> None:
    _drive(database, examples=400)
