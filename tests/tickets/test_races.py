"""A hundred writers of one ticket at once: what they were told happened, once each, and nothing else."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise

import grpc
import pytest
from grpc import aio

from mesh.identifiers import new_id
from tests.tickets.service import Change, Desk, Ticket
from tickets.domain import TOLD, TRANSITIONS, Status

Code = grpc.StatusCode
Write = Callable[[Desk, str, str], Awaitable[object]]
"""A write to a ticket, of which an etag may be given."""

COMMENTS: tuple[Write, ...] = (
    lambda service, ticket_id, _etag: service.comment(ticket_id, str(new_id())),
    lambda service, ticket_id, _etag: service.comment(ticket_id, str(new_id()), by="ann"),
)
CHANGES: tuple[Write, ...] = (
    lambda service, ticket_id, etag: service.answer(ticket_id, str(new_id()), etag=etag),
    lambda service, ticket_id, etag: service.await_reply(ticket_id, etag=etag),
    lambda service, ticket_id, etag: service.assign(ticket_id, str(new_id()), etag=etag),
    lambda service, ticket_id, etag: service.update(ticket_id, subject=str(new_id()), etag=etag),
    lambda service, ticket_id, etag: service.update(ticket_id, by="ben", tags=[str(new_id())], etag=etag),
)


def close(service: Desk, ticket_id: str, etag: str) -> Awaitable[object]:
    """The last write that there can be."""
    return service.close(ticket_id, by="ben", etag=etag)


@pytest.mark.parametrize("closers", [0, 1, 10])
async def test_a_hundred_writers_of_one_ticket(service: Desk, closers: int) -> None:
    ticket = await service.open()
    stale = ticket.etag
    edited = await service.assign(ticket.ticket_id)
    kinds = (*COMMENTS, *CHANGES)
    writes: list[Write] = [close if number < closers else kinds[number % len(kinds)] for number in range(100)]
    random.Random(closers).shuffle(writes)
    outcomes = await asyncio.gather(
        *(outcome(write(service, ticket.ticket_id, stale if number % 2 else "")) for number, write in enumerate(writes))
    )
    late = [
        code
        for code, write, number in zip(outcomes, writes, range(100), strict=True)
        if number % 2 and write not in COMMENTS
    ]
    assert set(late) == {Code.ABORTED}
    assert set(outcomes) <= {Code.OK, Code.ABORTED, Code.FAILED_PRECONDITION}
    await expect_truth(service, ticket.ticket_id, outcomes.count(Code.OK) + edited.version)


async def test_of_a_hundred_writers_with_one_etag_one_wins(service: Desk) -> None:
    ticket = await service.open()
    outcomes = await asyncio.gather(
        *(outcome(CHANGES[2 + number % 3](service, ticket.ticket_id, ticket.etag)) for number in range(100))
    )
    assert (outcomes.count(Code.OK), outcomes.count(Code.ABORTED)) == (1, 99)
    await expect_truth(service, ticket.ticket_id, 2)


async def test_of_those_who_close_a_ticket_at_once_one_does(service: Desk) -> None:
    ticket = await service.open()
    outcomes = await asyncio.gather(*(outcome(close(service, ticket.ticket_id, "")) for _ in range(20)))
    assert (outcomes.count(Code.OK), outcomes.count(Code.FAILED_PRECONDITION)) == (1, 19)
    await expect_truth(service, ticket.ticket_id, 2)


async def outcome(call: Awaitable[object]) -> Code:
    """How a call ended."""
    try:
        await call
    except aio.AioRpcError as error:
        return error.code()
    return Code.OK


async def expect_truth(service: Desk, ticket_id: str, version: int) -> None:
    """The ticket, its comments and its history tell one story, of that many versions."""
    ticket, history = await service.get(ticket_id), await service.history(ticket_id)
    comments = await service.said(ticket_id)
    assert [change.version for change in history] == list(range(1, version + 1))
    assert ticket.version == version
    told = [change.comment_id for change in history if change.comment_id]
    assert told == [comment.comment_id for comment in comments]
    assert len(told) == ticket.comment_count
    expect_legal([one.new_value for change in history for one in change.fields if one.field == "status"])
    closed = [change.version for change in history if moves_to(change, "CLOSED")]
    assert closed == ([version] if ticket.status == Ticket.CLOSED else [])
    assert replayed(history) == {
        "subject": ticket.subject,
        "text": ticket.text,
        "status": Ticket.Status.Name(ticket.status),
        "priority": Ticket.Priority.Name(ticket.priority),
        "assignee_id": ticket.assignee_id,
        "tags": f'["{ticket.tags[0]}"]' if ticket.tags else "",
    }


def expect_legal(statuses: list[str]) -> None:
    """Each status follows from the one before by a move of the table."""
    for before, after in pairwise(statuses):
        assert Status[after] in {way.to for way in TRANSITIONS[Status[before]].values()}


def moves_to(change: Change, status: str) -> bool:
    """Whether the change brought the ticket there."""
    return any((one.field, one.new_value) == ("status", status) for one in change.fields)


def replayed(history: Sequence[Change]) -> dict[str, str]:
    """What the history makes of nothing. Each change begins where the one before has ended."""
    fields: dict[str, str] = dict.fromkeys(TOLD, "")
    for change in history:
        for one in change.fields:
            assert fields[one.field] == one.old_value
            fields[one.field] = one.new_value
    return fields
