"""Sagas over real tables, with a relay moved by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from google.protobuf.wrappers_pb2 import Int32Value
from sagamesh.mesh.v1.envelope_pb2 import Outcome

from mesh.errors import Refusal
from mesh.outbox.dead_letters import NotRedrivable, TooOldToRedrive, redrive
from mesh.outbox.settle import Settlement
from mesh.saga import Progress
from mesh.saga.deadlines import expire
from mesh.saga.store import read_saga
from mesh.uow import UnitOfWork
from tests.mesh.messaging import Do, Forbidden, World, three_steps, world


async def _log_of(w: World, saga_id: UUID) -> list[str]:
    async with UnitOfWork(w.engine) as work:
        saga = await read_saga(work.connection, saga_id)
    assert saga is not None
    names = type(saga.log[0])
    return [f"{names.Kind.Name(entry.kind)} {entry.step}" for entry in saga.log]


def _refuse_do(what: str, key: str) -> Refusal | None:
    return Forbidden() if what == "do" else None


def _fail_do(what: str, key: str) -> Exception | None:
    return RuntimeError("broken") if what == "do" else None


async def test_a_saga_runs_its_steps_in_order_and_completes(database: str) -> None:
    async with world(database) as w:
        saga_id = await w.begin("e1")
        await w.run()
        assert await w.state(saga_id) == "COMPLETED"
        assert await w.status("e1") == "CONFIRMED"
        assert await w.effects("e1") == ["do a", "do b", "do c"]
        assert await _log_of(w, saga_id) == ["SENT a", "OK a", "SENT b", "OK b", "SENT c", "OK c"]


async def test_a_refused_step_takes_back_the_done_ones_in_reverse_order(database: str) -> None:
    async with world(database) as w:
        w.participants["c"].behave = _refuse_do
        saga_id = await w.begin("e1")
        await w.run()
        assert await w.state(saga_id) == "COMPENSATED"
        assert await w.status("e1") == "REJECTED"
        assert await w.effects("e1") == ["do a", "do b", "undo b", "undo a"]


async def test_the_semantic_lock_ends_at_the_pivot_not_at_the_last_step(database: str) -> None:
    async with world(database, three_steps(pivot="a")) as w:
        saga_id = await w.begin("e1")
        await w.turn()
        assert (await w.state(saga_id), await w.status("e1")) == ("FINISHING", "CONFIRMED")
        await w.run()
        assert await w.state(saga_id) == "COMPLETED"


async def test_a_step_given_up_before_the_pivot_is_undone_too_and_its_letter_is_for_reading_only(
    database: str,
) -> None:
    async with world(database, attempts=2) as w:
        w.participants["b"].behave = _fail_do
        saga_id = await w.begin("e1")
        await w.run()
        assert await w.state(saga_id) == "COMPENSATED"
        assert await w.effects("e1") == ["do a", "undo a"]  # b's undo found nothing to undo
        assert "EXHAUSTED b" in await _log_of(w, saga_id)
        [(letter, parked)] = await w.query("SELECT message_id, parked FROM dead_letter")
        assert parked is False
        async with UnitOfWork(w.engine) as work:
            with pytest.raises(NotRedrivable):
                await redrive(work, w.sagas, UUID(str(letter)), timedelta(days=30))


async def test_a_step_given_up_after_the_pivot_parks_its_key_until_redriven(database: str) -> None:
    async with world(database, three_steps(pivot="a"), attempts=2) as w:
        w.participants["b"].behave = _fail_do
        saga_id = await w.begin("e1", key="k")
        await w.run()
        assert await w.state(saga_id) == "STUCK"
        follower = await w.begin("e2", key="k")
        await w.run()
        assert await w.state(follower) == "FINISHING"  # a is done; b waits behind the parked message
        w.participants["b"].behave = lambda what, key: None
        await _redrive_all(w)
        await w.run()
        assert [await w.state(saga_id), await w.state(follower)] == ["COMPLETED", "COMPLETED"]
        assert await w.query("SELECT key FROM effect WHERE participant = 'b' ORDER BY seq") == [("e1",), ("e2",)]


async def test_an_undo_may_not_be_refused_and_is_stuck_when_it_fails_for_good(database: str) -> None:
    async with world(database, attempts=2) as w:
        w.participants["c"].behave = _refuse_do
        w.participants["b"].behave = lambda what, key: Forbidden() if what == "undo" else None
        saga_id = await w.begin("e1")
        await w.run()
        assert await w.state(saga_id) == "STUCK"
        assert await w.effects("e1") == ["do a", "do b"]
        w.participants["b"].behave = lambda what, key: None
        await _redrive_all(w)
        await w.run()
        assert await w.state(saga_id) == "COMPENSATED"
        assert await w.effects("e1") == ["do a", "do b", "undo b", "undo a"]


async def test_a_letter_older_than_what_inboxes_remember_is_not_redriven(database: str) -> None:
    async with world(database, three_steps(pivot="a"), attempts=1) as w:
        w.participants["b"].behave = _fail_do
        await w.begin("e1")
        await w.run()
        [(letter,)] = await w.query("SELECT message_id FROM dead_letter")
        async with UnitOfWork(w.engine) as work:
            with pytest.raises(TooOldToRedrive):
                await redrive(work, w.sagas, UUID(str(letter)), timedelta(0))


async def test_a_deadline_before_the_pivot_takes_back_finished_and_in_flight_steps(database: str) -> None:
    async with world(database) as w:
        saga_id = await w.begin("e1")
        await w.turn()
        in_flight = await w.pull()  # b's do is on its way when the deadline passes
        await w.query("UPDATE saga SET deadline = now() - interval '1 second'")
        assert await expire(w.engine, w.sagas) == 1
        assert await expire(w.engine, w.sagas) == 0
        await w.run()
        late = await w.deliver(in_flight)
        assert [s.outcome.code for s in late] == [Outcome.REJECT]
        assert await w.settler.settle("relay", late)
        assert await w.state(saga_id) == "COMPENSATED"
        assert await w.effects("e1") == ["do a", "undo a"]


async def test_an_undo_that_overtakes_its_do_leaves_nothing_done(database: str) -> None:
    async with world(database) as w:
        await w.begin("e1")
        in_flight = await w.pull()
        await w.query("UPDATE saga SET deadline = now() - interval '1 second'")
        await expire(w.engine, w.sagas)
        await w.run()
        await w.settler.settle("relay", await w.deliver(in_flight))
        assert await w.effects("e1") == []
        assert await w.status("e1") == "REJECTED"


async def test_a_do_that_acted_before_its_deadline_settled_is_undone(database: str) -> None:
    async with world(database) as w:
        await w.begin("e1")
        settlements = await w.deliver(await w.pull())
        await w.query("UPDATE saga SET deadline = now() - interval '1 second'")
        await expire(w.engine, w.sagas)
        settled = await w.settler.settle("relay", settlements)
        assert settled.ignored == [settlements[0].message_id]
        await w.run()
        assert await w.effects("e1") == ["do a", "undo a"]


async def test_past_the_pivot_a_deadline_takes_nothing_back(database: str) -> None:
    async with world(database, three_steps(pivot="a")) as w:
        saga_id = await w.begin("e1")
        await w.turn()
        await w.query("UPDATE saga SET deadline = now() - interval '1 second'")
        assert await expire(w.engine, w.sagas) == 0
        await w.run()
        assert await w.state(saga_id) == "COMPLETED"


async def test_replies_are_kept_for_later_steps(database: str) -> None:
    seen: list[int] = []

    def look(progress: Progress) -> Do:
        answer = Int32Value()
        progress.replies["a"].Unpack(answer)
        seen.append(answer.value)
        return Do(value=progress.entity_id)

    saga = three_steps()
    saga = replace(saga, steps=(*saga.steps[:2], replace(saga.steps[2], do=look)))
    async with world(database, saga) as w:
        w.participants["a"].behave = lambda what, key: Int32Value(value=42)
        await w.begin("e1")
        await w.run()
        assert seen == [42]


async def test_a_settlement_repeated_or_late_changes_nothing(database: str) -> None:
    async with world(database) as w:
        saga_id = await w.begin("e1")
        settlements = await w.deliver(await w.pull())
        await w.settler.settle("relay", settlements)
        again = await w.settler.settle("relay", settlements)
        assert again.ignored == [settlements[0].message_id]
        refused = Outcome(message_id=str(settlements[0].message_id), code=Outcome.REJECT)
        await w.settler.settle("other", [Settlement(refused, 99)])
        await w.run()
        assert await w.state(saga_id) == "COMPLETED"
        assert await w.effects("e1") == ["do a", "do b", "do c"]


async def test_one_sagas_fault_holds_up_no_other(database: str) -> None:
    async def confirm_but(work: UnitOfWork, sagas: Sequence[Progress]) -> None:
        if any(saga.entity_id == "bad" for saga in sagas):
            raise RuntimeError("a bug in a callback")
        await three_steps().on_pivot(work, sagas)

    saga = replace(three_steps(), on_pivot=confirm_but)
    async with world(database, saga) as w:
        good, bad = await w.begin("good"), await w.begin("bad")
        for _ in range(6):
            await w.turn()
        assert (await w.state(good), await w.status("good")) == ("COMPLETED", "CONFIRMED")
        assert (await w.state(bad), await w.status("bad")) == ("RUNNING", "PENDING")
        assert await w.query("SELECT attempts FROM outbox") == [(0,)]  # its own fault is not the message's
        assert await w.effects("bad") == ["do a", "do b", "do c"]


async def test_a_running_saga_keeps_the_version_it_started_with(database: str) -> None:
    async with world(database) as w:
        saga_id = await w.begin("e1")
        newer = replace(three_steps(), version=2, steps=three_steps().steps[:1], pivot="a")
        w.use(w.saga, newer)
        await w.run()
        assert await w.effects("e1") == ["do a", "do b", "do c"]
        assert await w.state(saga_id) == "COMPLETED"


async def _redrive_all(w: World) -> None:
    for (message_id,) in await w.query("SELECT message_id FROM dead_letter WHERE redrivable ORDER BY seq"):
        async with UnitOfWork(w.engine) as work:
            await redrive(work, w.sagas, UUID(str(message_id)), timedelta(days=30))
            await work.commit()


async def test_many_sagas_advance_together_as_sets(database: str) -> None:
    async with world(database) as w:
        w.participants["b"].behave = lambda what, key: Forbidden() if key.endswith("7") else None
        ids = [await w.begin(f"e{n}") for n in range(40)]
        await w.run()
        states = [await w.state(saga_id) for saga_id in ids]
        assert states == ["COMPENSATED" if n % 10 == 7 else "COMPLETED" for n in range(40)]
