"""Batches of messages at a participant, on a real database."""

import asyncio
from collections.abc import Callable, Sequence

from google.protobuf.wrappers_pb2 import Int32Value
from hypothesis import given
from hypothesis import strategies as st
from sagamesh.mesh.v1.envelope_pb2 import Envelope, Outcome, SagaStep
from sqlalchemy import text

from mesh.errors import Refusal, Unavailable
from mesh.identifiers import new_id
from mesh.inbox.delivery import Delivery, rounds
from mesh.outbox.store import seal
from mesh.uow import UnitOfWork
from tests.mesh.messaging import Do, Forbidden, Undo, world


def _message(key: str, *, step: SagaStep | None = None, undo: bool = False, order: str = "") -> Envelope:
    payload = Undo(value=key.encode()) if undo else Do(value=key)
    return Envelope.FromString(seal(new_id(), "a", order or key, payload, saga_step=step).envelope)


def _step(direction: "SagaStep.Direction", saga_id: str | None = None) -> SagaStep:
    return SagaStep(saga_id=saga_id or str(new_id()), step="s", direction=direction)


def _codes(outcomes: list[Outcome]) -> list[str]:
    return [Outcome.Code.Name(outcome.code) for outcome in outcomes]


def _on(key: str, what: Refusal | Exception) -> Callable[[str, str], Refusal | Exception | None]:
    return lambda _, k: what if k == key else None


async def test_a_message_delivered_again_gets_the_first_reply_and_no_second_effect(database: str) -> None:
    async with world(database) as w:
        w.participants["a"].behave = lambda what, key: Int32Value(value=7)
        message = _message("k")
        deliver = w.participants["a"].delivery.deliver
        first, second = await deliver([message]), await deliver([message, message])
        assert [second[0], second[1]] == [first[0], first[0]]
        assert await w.effects("k") == ["do a"]


async def test_a_refused_message_keeps_its_refusal_and_leaves_no_effect_and_others_stand(database: str) -> None:
    async with world(database) as w:
        w.participants["a"].behave = _on("bad", Forbidden())
        batch = [_message("good"), _message("bad"), _message("fine")]
        deliver = w.participants["a"].delivery.deliver
        outcomes = await deliver(batch)
        assert _codes(outcomes) == ["OK", "REJECT", "OK"]
        assert [await w.effects(key) for key in ("good", "bad", "fine")] == [["do a"], [], ["do a"]]
        w.participants["a"].behave = lambda what, key: None
        assert _codes(await deliver(batch)) == ["OK", "REJECT", "OK"]


async def test_a_failing_message_commits_nothing_and_stops_only_its_key(database: str) -> None:
    async with world(database) as w:
        w.participants["a"].behave = _on("bad", RuntimeError("broken"))
        batch = [_message("bad", order="k"), _message("later", order="k"), _message("other")]
        deliver = w.participants["a"].delivery.deliver
        assert _codes(await deliver(batch)) == ["RETRY", "NOT_RUN", "OK"]
        assert [await w.effects(key) for key in ("bad", "later", "other")] == [[], [], ["do a"]]
        assert await w.query("SELECT count(*) FROM inbox") == [(1,)]
        w.participants["a"].behave = lambda what, key: None
        assert _codes(await deliver(batch)) == ["OK", "OK", "OK"]
        assert await w.query("SELECT key FROM effect ORDER BY seq") == [("other",), ("bad",), ("later",)]


async def test_what_a_failure_says_is_not_sent(database: str) -> None:
    async with world(database) as w:
        w.participants["a"].behave = _on("k", RuntimeError("postgresql://secret"))
        [outcome] = await w.participants["a"].delivery.deliver([_message("k")])
        assert "secret" not in str(outcome)


async def test_a_refusal_that_may_pass_is_tried_again(database: str) -> None:
    async with world(database) as w:
        w.participants["a"].behave = _on("k", Unavailable())
        assert _codes(await w.participants["a"].delivery.deliver([_message("k")])) == ["RETRY"]


async def test_an_undo_and_a_finish_may_not_be_refused(database: str) -> None:
    async with world(database) as w:
        w.participants["a"].behave = lambda what, key: None
        deliver = w.participants["a"].delivery.deliver
        do = _step(SagaStep.DO)
        await deliver([_message("k", step=do)])
        w.participants["a"].behave = lambda what, key: Forbidden()
        undo = SagaStep(saga_id=do.saga_id, step=do.step, direction=SagaStep.UNDO)
        finish = _message("f", step=_step(SagaStep.FINISH))
        assert _codes(await deliver([_message("k", step=undo, undo=True), finish])) == ["RETRY", "RETRY"]


async def test_a_message_of_an_unknown_type_comes_again(database: str) -> None:
    async with world(database) as w:
        message = _message("k")
        message.type = "a.type.of.a.newer.Release"
        assert _codes(await w.participants["a"].delivery.deliver([message])) == ["RETRY"]
        assert await w.query("SELECT count(*) FROM inbox") == [(0,)]


async def test_a_payload_of_another_shape_comes_again_and_holds_up_no_other(database: str) -> None:
    async with world(database) as w:
        broken = _message("k")
        broken.payload = b"\xff\xff"
        assert _codes(await w.participants["a"].delivery.deliver([broken, _message("other")])) == ["RETRY", "OK"]


async def test_the_same_batch_delivered_by_many_relays_at_once_takes_effect_once(database: str) -> None:
    async with world(database) as w:
        batch = [_message(f"k{n}", step=_step(SagaStep.DO)) for n in range(20)]
        deliver = w.participants["a"].delivery.deliver
        shuffled = [batch, batch[::-1], batch[5:] + batch[:5], batch[10:]]
        answers = await asyncio.gather(*(deliver(messages) for messages in shuffled))
        assert all(code == "OK" for outcomes in answers for code in _codes(outcomes))
        assert await w.query("SELECT count(*), count(DISTINCT key) FROM effect") == [(20, 20)]


async def test_an_action_after_its_compensation_is_refused_and_does_nothing(database: str) -> None:
    async with world(database) as w:
        deliver = w.participants["a"].delivery.deliver
        do = _step(SagaStep.DO)
        undo = SagaStep(saga_id=do.saga_id, step=do.step, direction=SagaStep.UNDO)
        [undone] = await deliver([_message("k", step=undo, undo=True)])
        [done] = await deliver([_message("k", step=do)])
        assert _codes([undone, done]) == ["OK", "REJECT"]
        assert await w.effects("k") == []


async def test_a_compensation_acts_only_on_what_was_applied(database: str) -> None:
    async with world(database) as w:
        deliver = w.participants["a"].delivery.deliver
        w.participants["a"].behave = lambda what, key: Forbidden() if what == "do" else None
        do = _step(SagaStep.DO)
        undo = SagaStep(saga_id=do.saga_id, step=do.step, direction=SagaStep.UNDO)
        assert _codes(await deliver([_message("k", step=do)])) == ["REJECT"]
        assert _codes(await deliver([_message("k", step=undo, undo=True)])) == ["OK"]
        assert await w.effects("k") == []


async def test_a_do_and_its_undo_in_one_batch_run_in_order(database: str) -> None:
    async with world(database) as w:
        do = _step(SagaStep.DO)
        undo = SagaStep(saga_id=do.saga_id, step=do.step, direction=SagaStep.UNDO)
        batch = [_message("k", step=do), _message("k", step=undo, undo=True)]
        assert _codes(await w.participants["a"].delivery.deliver(batch)) == ["OK", "OK"]
        assert await w.effects("k") == ["do a", "undo a"]


async def test_a_repeated_undo_under_another_id_acts_once(database: str) -> None:
    async with world(database) as w:
        deliver = w.participants["a"].delivery.deliver
        do = _step(SagaStep.DO)
        undo = SagaStep(saga_id=do.saga_id, step=do.step, direction=SagaStep.UNDO)
        await deliver([_message("k", step=do)])
        for _ in range(2):
            assert _codes(await deliver([_message("k", step=undo, undo=True)])) == ["OK"]
        assert await w.effects("k") == ["do a", "undo a"]


async def test_batches_that_lock_each_other_out_run_again_and_cost_nobody_an_attempt(database: str) -> None:
    async with world(database) as w:
        await w.query("CREATE TABLE counter (name text PRIMARY KEY, value int)")
        await w.query("INSERT INTO counter VALUES ('x', 0), ('y', 0)")

        async def count(work: UnitOfWork, messages: Sequence[Do]) -> Sequence[None]:
            for message in messages:
                await work.connection.execute(
                    text("UPDATE counter SET value = value + 1 WHERE name = :name"), {"name": message.value}
                )
                await asyncio.sleep(0.05)  # long enough for the other batch to hold its first row
            return [None for _ in messages]

        deliver = Delivery(w.engine, {Do: count}).deliver
        there = [_message("x", order="k1"), _message("y", order="k1")]
        back = [_message("y", order="k2"), _message("x", order="k2")]
        answers = await asyncio.gather(deliver(there), deliver(back))
        assert [_codes(outcomes) for outcomes in answers] == [["OK", "OK"], ["OK", "OK"]]
        assert await w.query("SELECT value FROM counter") == [(2,), (2,)]


@given(st.lists(st.sampled_from("abcd")))
def test_a_batch_is_cut_into_rounds_with_one_message_a_key_in_order(keys: list[str]) -> None:
    batch = [_message(key) for key in keys]
    cut = rounds(batch)
    assert all(len({m.ordering_key for m in messages}) == len(messages) for messages in cut)
    assert len(cut) == max((keys.count(key) for key in keys), default=0)
    for key in keys:
        in_order = [m.message_id for messages in cut for m in messages if m.ordering_key == key]
        assert in_order == [m.message_id for m in batch if m.ordering_key == key]
