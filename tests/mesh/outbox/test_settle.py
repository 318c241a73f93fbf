"""What becomes of messages when they are settled."""

from google.rpc.status_pb2 import Status
from sagamesh.mesh.v1.envelope_pb2 import Outcome

from mesh.identifiers import new_id
from mesh.outbox.settle import RetryPolicy, Settlement
from mesh.outbox.store import append, seal
from mesh.uow import UnitOfWork
from tests.mesh.messaging import Do, World, envelope_of, world


async def _send(w: World, key: str = "k", destination: str = "a") -> None:
    async with UnitOfWork(w.engine) as work:
        await append(work.connection, [seal(new_id(), destination, key, Do(value=key))])
        await work.commit()


async def _attempts(w: World) -> list[int]:
    return [int(str(row[0])) for row in await w.query("SELECT attempts FROM outbox ORDER BY seq")]


async def _report(w: World, code: "Outcome.Code") -> None:
    """Pulls everything and reports `code` for it."""
    error = Status(code=13, message="x")
    pulled = [(envelope_of(m).message_id, m.epoch) for m in await w.pull()]
    settlements = [Settlement(Outcome(message_id=m, code=code, error=error), epoch) for m, epoch in pulled]
    await w.settler.settle("relay", settlements)


async def test_a_retry_costs_one_attempt_and_not_run_costs_none(database: str) -> None:
    async with world(database) as w:
        await _send(w)
        await _report(w, Outcome.NOT_RUN)
        assert await _attempts(w) == [0]
        await _report(w, Outcome.RETRY)
        assert await _attempts(w) == [1]


async def test_a_failure_reported_under_a_lost_lease_changes_nothing(database: str) -> None:
    async with world(database) as w:
        await _send(w)
        [zombie] = await w.pull("zombie")
        await w.lease_is_lost()
        [current] = await w.pull("relay")
        failure = Outcome(message_id=envelope_of(zombie).message_id, code=Outcome.RETRY)
        late = await w.settler.settle("zombie", [Settlement(failure, zombie.epoch)])
        assert late.ignored
        assert await _attempts(w) == [0]
        await w.settler.settle("relay", [Settlement(failure, current.epoch)])
        assert await _attempts(w) == [1]


async def test_a_failure_reported_under_an_old_epoch_of_the_same_owner_changes_nothing(database: str) -> None:
    async with world(database) as w:
        await _send(w)
        [old] = await w.pull()
        await w.lease_is_lost()
        w.puller = type(w.puller)(w.engine, w.signal, ttl=30, poll=0.05)
        [new] = await w.pull()
        assert new.epoch == old.epoch + 1
        failure = Outcome(message_id=envelope_of(old).message_id, code=Outcome.RETRY)
        await w.settler.settle("relay", [Settlement(failure, old.epoch)])
        assert await _attempts(w) == [0]


async def test_a_success_needs_no_fence(database: str) -> None:
    async with world(database) as w:
        await _send(w)
        [message] = await w.pull("zombie")
        await w.lease_is_lost()
        done = Outcome(message_id=envelope_of(message).message_id, code=Outcome.OK)
        await w.settler.settle("zombie", [Settlement(done, message.epoch)])
        assert await _attempts(w) == []


async def test_a_refusal_outside_a_saga_is_a_dead_letter_and_its_key_moves_on(database: str) -> None:
    async with world(database) as w:
        await _send(w)
        await _report(w, Outcome.REJECT)
        assert await w.query("SELECT redrivable, parked FROM dead_letter") == [(False, False)]
        await _send(w)
        assert len(await w.pull()) == 1


async def test_an_exhausted_message_outside_a_saga_parks_its_key(database: str) -> None:
    async with world(database, attempts=2) as w:
        await _send(w)
        await _send(w)
        await _report(w, Outcome.RETRY)
        [first, _] = await w.pull()
        failure = Outcome(message_id=envelope_of(first).message_id, code=Outcome.RETRY)
        await w.settler.settle("relay", [Settlement(failure, first.epoch)])
        assert await w.query("SELECT redrivable, parked FROM dead_letter") == [(True, True)]
        assert await w.pull() == []


async def test_an_unknown_destination_is_a_dead_letter_at_once(database: str) -> None:
    async with world(database) as w:
        await _send(w)
        await _report(w, Outcome.UNKNOWN_DESTINATION)
        assert await w.query("SELECT attempts, redrivable FROM dead_letter") == [(1, True)]


def test_delays_grow_are_capped_and_jittered_over_their_whole_range() -> None:
    policy = RetryPolicy(base=1.0, cap=8.0, jitter=lambda: 1.0)
    assert [policy.delay(n) for n in range(6)] == [1, 2, 4, 8, 8, 8]
    assert RetryPolicy(base=1.0, jitter=lambda: 0.0).delay(5) == 0
