"""Every move from every status by everybody, over gRPC: what TRANSITIONS allows happens, and nothing else."""

from collections.abc import Mapping
from typing import Any

import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc import aio

from mesh.channel import status_from
from tests.tickets.examples import PATHS
from tests.tickets.moves import ATTEMPTS, IDS, RPCS, Attempt
from tests.tickets.service import Desk, Ticket
from tickets.domain import Move, Status

NAMES = {"author": "alice", "stranger": "bob", "agent": "ben", "agent who is the author": "ann"}


def test_every_move_has_its_rpc_and_every_outcome_occurs() -> None:
    assert set(RPCS) == set(Move)
    assert {attempt.code for attempt in ATTEMPTS} == {"OK", "FAILED_PRECONDITION", "PERMISSION_DENIED", "NOT_FOUND"}


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=IDS)
async def test_a_move(service: Desk, attempt: Attempt) -> None:
    before = await ticket_that_is(service, attempt.status, "ann" if "who is" in attempt.who else "alice")
    code, details = "OK", dict[str, str]()
    try:
        await make(service, before.ticket_id, attempt.move, NAMES[attempt.who])
    except aio.AioRpcError as error:
        code, details = error.code().name, metadata_of(error)
    after = await service.get(before.ticket_id, by="cleo")
    assert (code, Ticket.Status.Name(after.status)) == (attempt.code, attempt.to.name)
    if code == "FAILED_PRECONDITION":
        assert details == {"status": attempt.status.name, "allowed_transitions": attempt.allowed}
    if code != "OK":
        assert after == before


async def make(service: Desk, ticket_id: str, move: Move, by: str) -> Ticket:
    """Tries a move."""
    match move:
        case Move.ANSWER:
            return await service.answer(ticket_id, by=by)
        case Move.AWAIT_REPLY:
            return await service.await_reply(ticket_id, by=by)
        case Move.CLOSE:
            return await service.close(ticket_id, by=by)


async def ticket_that_is(service: Desk, status: Status, author: str) -> Ticket:
    """A ticket that has come to stand there, as an agent sees it who has nothing to do with it."""
    ticket_id = (await service.open(by=author)).ticket_id
    for move in PATHS[status]:
        await make(service, ticket_id, move, "ben")
    return await service.get(ticket_id, by="cleo")


def metadata_of(error: aio.AioRpcError) -> Mapping[str, Any]:
    """The facts for machines in a refusal."""
    info = ErrorInfo()
    assert any(detail.Unpack(info) for detail in status_from(error).details)
    return dict(info.metadata)
