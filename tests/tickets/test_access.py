"""Every rpc by everybody. What must come of it follows from the contract: from its policies, and from who owns what."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sagamesh.tickets.v1
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc import aio

from mesh.call import ANONYMOUS, Principal
from mesh.policy import method_policy, path_of
from tests.services import bearer
from tests.tickets.service import Comment, Desk, Ticket

CONTRACTS = sorted(path.stem for path in Path(sagamesh.tickets.v1.__path__[0]).glob("*_pb2.py"))
RPCS: dict[str, MethodDescriptor] = {
    method.name: method
    for name in CONTRACTS
    for service in import_module(f"sagamesh.tickets.v1.{name}").DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
PRINCIPALS = {
    "nobody": ANONYMOUS,
    "author": Principal("user:alice"),
    "another customer": Principal("user:bob"),
    "a manager of something else": Principal("user:maria", frozenset({"manager", "operator"})),
    "agent": Principal("user:ann", frozenset({"agent"})),
    "worker": Principal("service:arq_worker"),
}
SEES = {"author", "agent"}
"""Who may see alice's ticket."""
SECRET = "the word that only alice and agents know"


def asked(rpc: str, ticket: Ticket, comment: Comment) -> dict[str, Any]:
    """What makes each rpc succeed for somebody who may. A new rpc needs a line here."""
    ticket_id, comment_id = ticket.ticket_id, comment.comment_id
    return {
        "CreateTicket": {"ticket": {"subject": "Help", "text": "It is broken."}},
        "GetTicket": {"ticket_id": ticket_id},
        "ListTickets": {},
        "SearchTickets": {"query": "secret"},
        "UpdateTicket": {"ticket": {"ticket_id": ticket_id, "subject": ticket.subject}},
        "AnswerTicket": {"ticket_id": ticket_id, "text": "So."},
        "AwaitReply": {"ticket_id": ticket_id},
        "CloseTicket": {"ticket_id": ticket_id},
        "AssignTicket": {"ticket_id": ticket_id, "assignee_id": "ben"},
        "ListChanges": {"ticket_id": ticket_id},
        "WatchTicket": {"ticket_id": ticket_id},
        "CreateComment": {"ticket_id": ticket_id, "comment": {"text": "Hello?"}},
        "ListComments": {"ticket_id": ticket_id},
        "UpdateComment": {"comment": {"ticket_id": ticket_id, "comment_id": comment_id, "text": "Hello!"}},
    }[rpc]


def expected(rpc: str, who: str) -> str:
    """The name of the code that must come."""
    if not method_policy(RPCS[rpc]).access.admits(PRINCIPALS[who]):
        return "UNAUTHENTICATED" if who == "nobody" else "PERMISSION_DENIED"
    if names_a_ticket(RPCS[rpc]) and who not in SEES:
        return "NOT_FOUND"
    return "PERMISSION_DENIED" if (rpc, who) == ("UpdateComment", "agent") else "OK"  # it is alice's comment


def names_a_ticket(method: MethodDescriptor) -> bool:
    """Whether the request says which ticket it is about: itself, or in the resource that it changes."""
    fields = method.input_type.fields_by_name
    if method.name == "CreateTicket":
        return False
    nested = [field.message_type.fields_by_name for field in fields.values() if field.message_type is not None]
    return any("ticket_id" in names for names in (fields, *nested))


@pytest.mark.parametrize(("rpc", "who"), list(product(RPCS, PRINCIPALS)))
async def test_an_rpc_by_somebody(service: Desk, rpc: str, who: str) -> None:
    ticket = await service.open("secret", SECRET)
    comment = await service.comment(ticket.ticket_id, SECRET)
    if rpc == "AwaitReply":
        await service.answer(ticket.ticket_id)
    before = await state(service, ticket.ticket_id)
    code, shown = await call(service, rpc, asked(rpc, ticket, comment), who)
    assert code == expected(rpc, who)
    if code != "OK":
        assert await state(service, ticket.ticket_id) == before
    if who not in SEES:
        assert ticket.ticket_id not in shown
        assert SECRET not in shown


async def test_lists_and_searches_show_a_customer_nothing_of_others(service: Desk) -> None:
    ticket = await service.open("secret", SECRET)
    for rpc in ("ListTickets", "SearchTickets"):
        arguments = asked(rpc, ticket, Comment())
        assert ticket.ticket_id in (await call(service, rpc, arguments, "author"))[1]
        assert ticket.ticket_id in (await call(service, rpc, arguments, "agent"))[1]
        assert (await call(service, rpc, arguments, "another customer"))[1] == ""


def test_no_rpc_is_for_everybody() -> None:
    assert [name for name, method in RPCS.items() if method_policy(method).access.anonymous] == []


async def call(service: Desk, rpc: str, arguments: dict[str, Any], who: str) -> tuple[str, str]:
    """The name of the code, and the text of what is answered: of a stream, its first message."""
    method = RPCS[rpc]
    options = identity(service, who)
    request = GetMessageClass(method.input_type)(**arguments)
    reply = GetMessageClass(method.output_type)
    many = method.server_streaming
    make: Callable[..., Any] = service.channel.unary_stream if many else service.channel.unary_unary
    stub = make(
        path_of(method), request_serializer=type(request).SerializeToString, response_deserializer=reply.FromString
    )
    calling: Any = stub(request, **options)
    answer: Awaitable[Message] = anext(aiter(calling)) if many else calling
    try:
        return "OK", str(await answer)
    except aio.AioRpcError as error:
        return error.code().name, ""
    finally:
        calling.cancel()


def identity(service: Desk, who: str) -> Any:
    """Call options by which somebody is who they are."""
    if who == "nobody":
        return {}
    if who == "worker":
        return service.worker
    principal = PRINCIPALS[who]
    return bearer(service.keys, principal.subject, *sorted(principal.roles))


async def state(service: Desk, ticket_id: str) -> tuple[Any, ...]:
    """All that there is of a ticket."""
    return (
        await service.get(ticket_id),
        await service.said(ticket_id),
        await service.history(ticket_id),
    )
