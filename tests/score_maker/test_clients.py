"""EventClient against a real line_provider, and against servers that fail."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
import pytest
from grpc import aio
from sagamesh.line_provider.v1 import event_pb2

from mesh.call import CURRENT, Call
from mesh.channel import open_channel
from mesh.identifiers import new_id
from score_maker.clients import EventClient
from score_maker.errors import EventNotFound, EventsUnavailable
from stack.ports import free_port
from tests.line_provider.service import LineProvider

DEADLINE = datetime(2100, 1, 1, tzinfo=UTC)


class Clock:
    """Time that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Scripted:
    """A line_provider that answers as it is told, and counts how often it was asked."""

    code: grpc.StatusCode = grpc.StatusCode.OK
    asked: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    async def GetEvent(self, request: event_pb2.GetEventRequest, context: Any) -> event_pb2.Event:
        self.asked += 1
        await self.may_answer.wait()
        if self.code is not grpc.StatusCode.OK:
            await context.abort(self.code, "no")
        return event_pb2.Event(event_id=request.event_id, deadline=DEADLINE)


@asynccontextmanager
async def client_of(servicer: Scripted, **options: Any) -> AsyncGenerator[EventClient]:
    server = aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        servicer.GetEvent, event_pb2.GetEventRequest.FromString, event_pb2.Event.SerializeToString
    )
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(EventClient.SERVICE.full_name, {"GetEvent": handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield EventClient(channel, **options)
    await server.stop(None)


async def test_an_event_is_found(events: LineProvider) -> None:
    made = await events.finish((await events.create()).event_id)
    event = await EventClient(events.channel).get(UUID(made.event_id))
    assert event.deadline == made.deadline.ToDatetime(UTC)
    assert event.finished_at == made.finished_at.ToDatetime(UTC)


async def test_an_open_event_is_not_finished(events: LineProvider) -> None:
    made = await events.create(lasting=timedelta(days=1))
    assert (await EventClient(events.channel).get(UUID(made.event_id))).finished_at is None


async def test_an_unknown_event_is_refused(events: LineProvider) -> None:
    with pytest.raises(EventNotFound) as refused:
        await EventClient(events.channel).get(new_id())
    assert refused.value.field == "event_id"


async def test_a_look_serves_for_a_second() -> None:
    servicer, clock, event_id = Scripted(), Clock(), new_id()
    async with client_of(servicer, clock=clock) as client:
        for now, asked in ((0.0, 1), (0.999, 1), (1.0, 2), (1.5, 2), (2.0, 3)):
            clock.now = now
            await client.get(event_id)
            assert servicer.asked == asked


async def test_a_look_under_way_serves_all_who_ask() -> None:
    servicer, event_id = Scripted(), new_id()
    async with client_of(servicer) as client:
        await asyncio.gather(*(client.get(event_id) for _ in range(20)))
    assert servicer.asked == 1


async def test_an_answer_that_took_long_is_not_kept_beyond_a_second_of_its_question() -> None:
    servicer, clock, event_id = Scripted(), Clock(), new_id()
    servicer.may_answer.clear()
    async with client_of(servicer, clock=clock) as client:
        first = asyncio.create_task(client.get(event_id))
        await asyncio.sleep(0)
        clock.now = 1.0
        servicer.may_answer.set()
        await client.get(event_id)
        await first
    assert servicer.asked == 2


async def test_each_event_is_looked_at_by_itself() -> None:
    async with client_of(Scripted()) as client:
        one, two = await client.get(new_id()), await client.get(new_id())
    assert one.event_id != two.event_id


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
async def test_no_answer_is_unavailable_and_is_not_kept(code: grpc.StatusCode) -> None:
    servicer, event_id = Scripted(code), new_id()
    async with client_of(servicer) as client:
        with pytest.raises(EventsUnavailable) as refused:
            await client.get(event_id)
        assert refused.value.retry_after is not None
        servicer.code = grpc.StatusCode.OK
        assert (await client.get(event_id)).deadline == DEADLINE


async def test_a_server_that_hangs_is_unavailable() -> None:
    servicer = Scripted()
    servicer.may_answer.clear()
    async with client_of(servicer, timeout=0.05) as client:
        with pytest.raises(EventsUnavailable):
            await client.get(new_id())


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with open_channel(f"127.0.0.1:{free_port()}", [EventClient.SERVICE]) as channel:
        with pytest.raises(EventsUnavailable):
            await EventClient(channel).get(new_id())


async def test_a_fault_of_the_server_is_no_refusal() -> None:
    async with client_of(Scripted(grpc.StatusCode.INTERNAL)) as client:
        with pytest.raises(aio.AioRpcError):
            await client.get(new_id())


async def test_an_unknown_event_is_not_remembered() -> None:
    servicer, event_id = Scripted(grpc.StatusCode.NOT_FOUND), new_id()
    async with client_of(servicer) as client:
        with pytest.raises(EventNotFound):
            await client.get(event_id)
        servicer.code = grpc.StatusCode.OK
        await client.get(event_id)


async def test_one_who_gives_up_takes_the_answer_from_nobody() -> None:
    servicer, event_id = Scripted(), new_id()
    servicer.may_answer.clear()
    async with client_of(servicer) as client:
        leaving = asyncio.create_task(client.get(event_id))
        staying = asyncio.create_task(client.get(event_id))
        await asyncio.sleep(0)
        leaving.cancel()
        servicer.may_answer.set()
        assert (await staying).deadline == DEADLINE
    assert servicer.asked == 1


async def test_the_first_callers_deadline_binds_nobody_else(events: LineProvider) -> None:
    event_id = UUID((await events.create()).event_id)
    async with open_channel(f"127.0.0.1:{events.server.port}", [EventClient.SERVICE]) as channel:
        client = EventClient(channel)
        token = CURRENT.set(Call(deadline=0.0))  # long past
        try:
            assert (await client.get(event_id)).event_id == event_id
        finally:
            CURRENT.reset(token)


async def test_only_so_many_events_are_remembered() -> None:
    servicer, first = Scripted(), new_id()
    async with client_of(servicer, size=3) as client:
        for event_id in (first, new_id(), new_id(), new_id(), first):
            await client.get(event_id)
    assert servicer.asked == 5
