"""WatchEvent: an event as it changes, here and in other replicas."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc import aio
from sagamesh.line_provider.v1 import event_pb2

from mesh.identifiers import new_id
from tests.line_provider.service import LineProvider, a_score, envelope, serving
from tests.mesh.echo import Keys

SOON = 10


def watch(service: LineProvider, event_id: str, after_version: int = 0) -> AsyncIterator[event_pb2.Event]:
    request = event_pb2.WatchEventRequest(event_id=event_id, after_version=after_version)
    call: Any = service.events.WatchEvent(request)
    return aiter(call)


async def following(stream: AsyncIterator[event_pb2.Event]) -> event_pb2.Event:
    return await asyncio.wait_for(anext(stream), SOON)


async def test_it_begins_with_the_event_as_it_stands(service: LineProvider) -> None:
    event = await service.create()
    assert await following(watch(service, event.event_id)) == event


async def test_a_score_an_edit_and_a_finish_are_seen(service: LineProvider) -> None:
    event_id = (await service.create()).event_id
    stream = watch(service, event_id)
    await following(stream)
    await service.deliver(envelope(a_score(event_id, 5)))
    assert (await following(stream)).status == event_pb2.Event.HIGH_SCORE
    await service.events.UpdateEvent(
        event_pb2.UpdateEventRequest(event=event_pb2.Event(event_id=event_id, title="Semifinal")), **service.manager
    )
    assert (await following(stream)).title == "Semifinal"
    await service.finish(event_id)
    assert (await following(stream)).HasField("finished_at")


async def test_versions_that_the_caller_has_are_not_sent(service: LineProvider) -> None:
    event = await service.create()
    stream = watch(service, event.event_id, after_version=event.version)
    first = asyncio.create_task(following(stream))
    await service.deliver(envelope(a_score(event.event_id)))
    assert (await first).version == event.version + 1


async def test_versions_rise_and_end_at_the_last_for_every_watcher(service: LineProvider) -> None:
    event_id = (await service.create()).event_id

    async def versions() -> list[int]:
        seen: list[int] = []
        async for event in watch(service, event_id):
            seen.append(event.version)
            if event.score_count == 50:
                break
        return seen

    watchers = [asyncio.create_task(versions()) for _ in range(10)]
    for _ in range(25):
        await service.deliver(*(envelope(a_score(event_id)) for _ in range(2)))
    for seen in await asyncio.wait_for(asyncio.gather(*watchers), SOON):
        assert seen == sorted(set(seen))
        assert seen[-1] == 51


async def test_a_change_in_another_replica_is_seen(service: LineProvider, dsn: str, keys: Keys) -> None:
    async with serving(dsn, keys) as other:
        event_id = (await service.create()).event_id
        stream = watch(other, event_id)
        await following(stream)
        await service.deliver(envelope(a_score(event_id)))
        assert (await following(stream)).score_count == 1


async def test_a_watcher_that_leaves_takes_nothing_from_the_others(service: LineProvider) -> None:
    event_id = (await service.create()).event_id
    request = event_pb2.WatchEventRequest(event_id=event_id)
    leaving: Any = service.events.WatchEvent(request)
    staying = watch(service, event_id)
    await following(aiter(leaving))
    await following(staying)
    leaving.cancel()
    await service.deliver(envelope(a_score(event_id)))
    assert (await following(staying)).score_count == 1


async def test_an_unknown_event_is_refused(service: LineProvider) -> None:
    with pytest.raises(aio.AioRpcError) as refused:
        await following(watch(service, str(new_id())))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_it_ends_well_when_the_server_drains(dsn: str, keys: Keys) -> None:
    async with serving(dsn, keys) as service:
        event = await service.create()
        stream = watch(service, event.event_id)
        await following(stream)
        stopping = asyncio.create_task(service.server.stop())
        with pytest.raises(StopAsyncIteration):
            await following(stream)
        await stopping
