"""WatchTicket: a ticket as it changes, here and in other replicas, for whoever may see it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc import aio
from sagamesh.tickets.v1 import ticket_pb2

from mesh.identifiers import new_id
from tests.mesh.echo import Keys
from tests.tickets.service import Desk, Ticket, serving

SOON = 10


def watch(service: Desk, ticket_id: str, after_version: int = 0, *, by: str = "alice") -> AsyncIterator[Ticket]:
    request = ticket_pb2.WatchTicketRequest(ticket_id=ticket_id, after_version=after_version)
    call: Any = service.tickets.WatchTicket(request, **service.user(by))
    return aiter(call)


async def following(stream: AsyncIterator[Ticket]) -> Ticket:
    return await asyncio.wait_for(anext(stream), SOON)


async def test_it_begins_with_the_ticket_as_it_stands_for_the_caller(service: Desk) -> None:
    ticket = await service.open()
    assert await following(watch(service, ticket.ticket_id)) == ticket
    shown = await following(watch(service, ticket.ticket_id, by="ann"))
    assert shown == await service.get(ticket.ticket_id, by="ann") != ticket


async def test_every_kind_of_change_is_seen(service: Desk) -> None:
    ticket_id = (await service.open()).ticket_id
    stream = watch(service, ticket_id)
    await following(stream)
    comment = await service.comment(ticket_id)
    assert (await following(stream)).comment_count == 1
    await service.rewrite(comment, "Hello!")
    assert (await following(stream)).version == 3
    await service.assign(ticket_id)
    assert (await following(stream)).assignee_id == "ben"
    await service.update(ticket_id, subject="Hurry")
    assert (await following(stream)).subject == "Hurry"
    await service.answer(ticket_id)
    assert (await following(stream)).status == Ticket.ANSWERED
    await service.close(ticket_id)
    assert (await following(stream)).HasField("close_time")


async def test_versions_that_the_caller_has_are_not_sent(service: Desk) -> None:
    ticket = await service.open()
    stream = watch(service, ticket.ticket_id, after_version=ticket.version)
    first = asyncio.create_task(following(stream))
    await service.comment(ticket.ticket_id)
    assert (await first).version == ticket.version + 1


async def test_versions_rise_and_end_at_the_last_for_every_watcher(service: Desk) -> None:
    ticket_id = (await service.open()).ticket_id

    async def versions(by: str) -> list[int]:
        seen: list[int] = []
        async for ticket in watch(service, ticket_id, by=by):
            seen.append(ticket.version)
            if ticket.comment_count == 30:
                break
        return seen

    watchers = [asyncio.create_task(versions(by)) for by in ("alice", "ann", "ben") * 3]
    await asyncio.gather(*(service.comment(ticket_id) for _ in range(30)))
    for seen in await asyncio.wait_for(asyncio.gather(*watchers), SOON):
        assert seen == sorted(set(seen))
        assert seen[-1] == 31


async def test_a_change_in_another_replica_is_seen(service: Desk, dsn: str, keys: Keys) -> None:
    async with serving(dsn, keys) as other:
        ticket_id = (await service.open()).ticket_id
        stream = watch(other, ticket_id)
        await following(stream)
        await service.comment(ticket_id)
        assert (await following(stream)).comment_count == 1


@pytest.mark.parametrize("after_version", [0, 1, 1000])
async def test_another_customers_ticket_is_refused_at_once_as_one_that_is_not_there(
    service: Desk, after_version: int
) -> None:
    ticket = await service.open()
    for ticket_id in (ticket.ticket_id, str(new_id())):
        with pytest.raises(aio.AioRpcError) as refused:
            await following(watch(service, ticket_id, after_version, by="bob"))
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_it_ends_well_when_the_server_drains(dsn: str, keys: Keys) -> None:
    async with serving(dsn, keys) as service:
        ticket = await service.open()
        stream = watch(service, ticket.ticket_id)
        await following(stream)
        stopping = asyncio.create_task(service.server.stop())
        with pytest.raises(StopAsyncIteration):
            await following(stream)
        await stopping
