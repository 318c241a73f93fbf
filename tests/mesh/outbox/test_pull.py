"""What a relay may have next."""

import asyncio
import time
from collections import defaultdict
from uuid import UUID

import pytest

from mesh.errors import Unavailable
from mesh.outbox.pull import PullOrder
from mesh.schema import BUCKETS
from tests.mesh.messaging import World, envelope_of, world


async def _held(w: World) -> dict[str, int]:
    rows = await w.query("SELECT owner, count(*) FROM outbox_bucket WHERE expire_time > now() GROUP BY owner")
    return {str(owner): int(str(count)) for owner, count in rows}


async def test_messages_of_a_key_come_in_the_order_in_which_they_were_produced(database: str) -> None:
    async with world(database) as w:
        for n in range(60):
            await w.begin(f"e{n}", key=f"k{n % 7}")
        by_key: defaultdict[str, list[str]] = defaultdict(list)
        for message in await w.pull():
            envelope = envelope_of(message)
            by_key[envelope.ordering_key].append(envelope.create_time.ToJsonString())
        assert sum(map(len, by_key.values())) == 60
        assert all(times == sorted(times) for times in by_key.values())


async def test_a_key_with_a_message_in_flight_waits(database: str) -> None:
    async with world(database) as w:
        await w.begin("e1", key="k")
        await w.begin("e2", key="k")
        await w.begin("e3", key="other")
        [first] = await w.pull(limit=1)
        rest = await w.pull(in_flight=[UUID(envelope_of(first).message_id)])
        assert [envelope_of(m).ordering_key for m in rest] == ["other"]


async def test_a_key_whose_head_waits_for_its_next_attempt_waits_and_others_go_on(database: str) -> None:
    async with world(database) as w:
        await w.begin("e1", key="k")
        await w.begin("e2", key="k")
        await w.begin("e3", key="other")
        await w.query(
            "UPDATE outbox SET not_before = now() + interval '1 hour' WHERE seq IN (SELECT min(seq) FROM outbox)"
        )
        assert [envelope_of(m).ordering_key for m in await w.pull()] == ["other"]
        await w.query("UPDATE outbox SET not_before = now() - interval '1 second' WHERE not_before IS NOT NULL")
        assert len(await w.pull()) == 3


async def test_a_skipped_or_paused_destination_is_left_alone(database: str) -> None:
    async with world(database) as w:
        await w.begin("e1")
        assert await w.pull(skip=["a"]) == []
        await w.query("UPDATE outbox_destination SET paused = true WHERE destination = 'a'")
        assert await w.pull() == []
        await w.query("UPDATE outbox_destination SET paused = false")
        assert len(await w.pull()) == 1


async def test_relays_share_the_buckets_and_a_newcomer_gets_its_share(database: str) -> None:
    async with world(database, ttl=0.6) as w:
        await w.pull("one")
        assert await _held(w) == {"one": BUCKETS}
        await w.pull("two")  # nothing is free yet, but it is counted
        deadline = time.monotonic() + 5
        while await _held(w) != {"one": BUCKETS // 2, "two": BUCKETS // 2} and time.monotonic() < deadline:
            await w.pull("one")
            await w.pull("two")
            await asyncio.sleep(0.05)
        assert await _held(w) == {"one": BUCKETS // 2, "two": BUCKETS // 2}


async def test_two_relays_never_get_the_same_message_while_their_leases_hold(database: str) -> None:
    async with world(database) as w:
        for n in range(200):
            await w.begin(f"e{n}")
        for _ in range(3):
            await w.pull("one", limit=1)
            w.puller = type(w.puller)(w.engine, w.signal, ttl=30, poll=0.05)  # forget when it was balanced
            await w.pull("two", limit=1)
        one = {envelope_of(m).message_id for m in await w.pull("one", limit=1000)}
        two = {envelope_of(m).message_id for m in await w.pull("two", limit=1000)}
        assert one
        assert two
        assert not one & two


async def test_a_bucket_with_a_message_in_flight_is_not_released(database: str) -> None:
    async with world(database, ttl=0.3) as w:
        await w.begin("e1")
        [message] = await w.pull("one")
        in_flight = [UUID(envelope_of(message).message_id)]
        await w.pull("two")
        deadline = time.monotonic() + 5
        while len(await _held(w)) < 2 and time.monotonic() < deadline:
            await w.pull("one", in_flight=in_flight)
            await w.pull("two")
            await asyncio.sleep(0.05)
        assert len(await _held(w)) == 2
        assert await w.pull("two") == []


async def test_the_epoch_rises_when_a_bucket_changes_hands_and_not_on_renewal(database: str) -> None:
    async with world(database, ttl=0.3) as w:
        await w.begin("e1")
        [first] = await w.pull("one")
        await asyncio.sleep(0.1)
        [renewed] = await w.pull("one")
        assert renewed.epoch == first.epoch
        await w.lease_is_lost()
        [taken] = await w.pull("two")
        assert taken.epoch == first.epoch + 1


async def test_a_relay_that_leaves_gives_its_buckets_back_at_once(database: str) -> None:
    async with world(database) as w:
        await w.begin("e1")
        assert len(await w.pull("one")) == 1
        await w.puller.leave("one")
        assert len(await w.pull("two")) == 1


async def test_a_waiting_pull_is_woken_by_a_commit_and_holds_no_connection(database: str) -> None:
    async with world(database, ttl=30) as w:
        w.puller = type(w.puller)(w.engine, w.signal, ttl=30, poll=30)
        order = PullOrder("relay", 10, 8.0, (), ())
        waiting = asyncio.create_task(w.puller.pull(order, asyncio.Event()))
        async with asyncio.timeout(5):  # it looks, then gives its connection back
            while not w.signal.is_heard() or w.connections_in_use():
                await asyncio.sleep(0.01)
        started = time.monotonic()
        await w.begin("e1")
        messages, _ = await asyncio.wait_for(waiting, 5)
        assert len(messages) == 1
        assert time.monotonic() - started < 5


async def test_a_pull_that_skips_a_destination_sleeps_through_its_messages(database: str) -> None:
    async with world(database) as w:
        w.puller = type(w.puller)(w.engine, w.signal, ttl=30, poll=30)
        order = PullOrder("relay", 10, 8.0, (), ("a",))
        waiting = asyncio.create_task(w.puller.pull(order, asyncio.Event()))
        async with asyncio.timeout(5):
            while not w.signal.is_heard() or w.connections_in_use():
                await asyncio.sleep(0.01)
        assert (w.signal.is_heard("a"), w.signal.is_heard("b")) == (False, True)
        waiting.cancel()


async def test_a_commit_in_another_replica_wakes_a_waiting_pull(database: str) -> None:
    async with world(database) as w, asyncio.TaskGroup() as group:
        other = type(w.signal)(w.dsn, "test_outbox")
        carriers = [group.create_task(signal.run()) for signal in (w.signal, other)]
        w.puller = type(w.puller)(w.engine, w.signal, ttl=30, poll=30)
        waiting = asyncio.create_task(w.puller.pull(PullOrder("relay", 10, 8.0, (), ()), asyncio.Event()))
        while not (w.signal.is_carried and other.is_carried and w.signal.is_heard()):
            await asyncio.sleep(0.01)
        w.signal, ours = other, w.signal
        w.use(w.saga)
        await w.begin("e1")
        messages, _ = await asyncio.wait_for(waiting, 5)
        assert len(messages) == 1
        assert ours is not other
        for carrier in carriers:
            carrier.cancel()


async def test_a_draining_server_ends_a_waiting_pull(database: str) -> None:
    async with world(database) as w:
        draining = asyncio.Event()
        draining.set()
        messages, lease = await asyncio.wait_for(w.puller.pull(PullOrder("relay", 10, 9.0, (), ()), draining), 5)
        assert (messages, lease.buckets) == ([], BUCKETS)


async def test_without_a_database_a_pull_is_refused_as_unavailable(database: str) -> None:
    async with world(database) as w:
        w.puller = type(w.puller)(type(w).engine_to_nowhere(), w.signal, ttl=30, poll=0.1)
        with pytest.raises(Unavailable):
            await w.pull()
