"""The relay over real gRPC: it loses nothing, repeats harmlessly, and charges no message for an outage."""

import asyncio

import grpc
from sagamesh.mesh.v1.inbox_pb2 import DeliverRequest

from mesh.identifiers import new_id
from mesh.outbox.store import append, seal
from mesh.uow import UnitOfWork
from tests.arq_worker.network import network
from tests.mesh.messaging import Do, Forbidden, world


def _fine(request: DeliverRequest) -> None:
    return None


def _unavailable(request: DeliverRequest) -> grpc.StatusCode:
    return grpc.StatusCode.UNAVAILABLE


async def test_sagas_run_to_their_end(database: str) -> None:
    async with world(database) as w, network(w) as net, net.relaying():
        w.participants["b"].behave = lambda what, key: Forbidden() if key == "e3" and what == "do" else None
        for n in range(20):
            await w.begin(f"e{n}")
        await net.until(net.is_empty)
        statuses = await w.query("SELECT status, count(*) FROM entity GROUP BY status ORDER BY status")
        assert statuses == [("CONFIRMED", 19), ("REJECTED", 1)]
        assert await w.effects("e3") == ["do a", "undo a"]


async def test_a_destination_that_is_down_costs_no_message_an_attempt(database: str) -> None:
    async with world(database) as w, network(w) as net:
        inbox = net.inboxes["a"]
        inbox.fault, inbox.is_serving = _unavailable, False
        for n in range(5):
            await w.begin(f"e{n}")
        async with net.relaying():
            async with asyncio.timeout(20):
                while len(inbox.sizes) < 15:  # many more calls than a message has attempts
                    await asyncio.sleep(0.02)
            assert await w.query("SELECT sum(attempts) FROM outbox") == [(0,)]
            inbox.fault, inbox.is_serving = _fine, True
            await net.until(net.is_empty)
        assert await w.query("SELECT count(*) FROM dead_letter") == [(0,)]
        assert await w.query("SELECT DISTINCT status FROM entity") == [("CONFIRMED",)]


async def test_the_message_that_breaks_its_destination_is_found_and_given_up(database: str) -> None:
    async with world(database) as w, network(w) as net:
        poison = new_id()
        async with UnitOfWork(w.engine) as work:
            rows = [seal(poison if n == 3 else new_id(), "a", f"k{n}", Do(value=f"k{n}")) for n in range(8)]
            await append(work.connection, rows)
            await work.commit()

        def breaks(request: object) -> grpc.StatusCode | None:
            return grpc.StatusCode.INTERNAL if str(poison) in str(request) else None

        net.inboxes["a"].fault = breaks
        async with net.relaying():
            await net.until(net.is_empty)
        assert await w.query("SELECT message_id FROM dead_letter") == [(poison,)]
        assert await w.query("SELECT count(*) FROM effect") == [(7,)]


async def test_a_destination_that_the_relay_does_not_know_makes_dead_letters(database: str) -> None:
    async with world(database) as w, network(w) as net:
        async with UnitOfWork(w.engine) as work:
            await append(work.connection, [seal(new_id(), "b", "k", Do(value="k"))])
            await work.commit()
        async with net.relaying(net.relay(without="b")):
            await net.until(net.is_empty)
        assert await w.query("SELECT destination, redrivable FROM dead_letter") == [("b", True)]


async def test_two_relays_deliver_everything_once_while_one_of_them_dies_and_comes_back(database: str) -> None:
    async with world(database) as w, network(w) as net, net.relaying():
        for round_ in range(3):
            async with net.relaying():
                for n in range(30):
                    await w.begin(f"e{round_}-{n}", key=f"k{n % 5}")
        await net.until(net.is_empty)
        assert await w.query("SELECT count(*), count(DISTINCT (key, participant)) FROM effect") == [(270, 270)]


async def test_a_lost_answer_to_a_delivery_is_answered_from_the_inbox(database: str) -> None:
    async with world(database) as w, network(w) as net:
        inbox, lost = net.inboxes["a"], set[str]()
        deliver = w.participants["a"].delivery.deliver

        async def deliver_and_lose(envelopes: object) -> object:
            outcomes = await deliver(envelopes)  # pyright: ignore[reportArgumentType]
            if not lost:
                lost.add("the first answer")
                raise ConnectionError("after the commit")
            return outcomes

        w.participants["a"].delivery.deliver = deliver_and_lose  # pyright: ignore[reportAttributeAccessIssue]
        await w.begin("e1")
        async with net.relaying():
            await net.until(net.is_empty)
        assert len(inbox.sizes) >= 2
        assert await w.effects("e1") == ["do a", "do b", "do c"]


async def test_batches_grow_with_what_waits(database: str) -> None:
    async with world(database) as w, network(w) as net:
        for n in range(300):
            await w.begin(f"e{n}")
        async with net.relaying():
            await net.until(net.is_empty)
        assert max(net.inboxes["a"].sizes) >= 100
        assert await w.query("SELECT count(*) FROM effect") == [(900,)]
