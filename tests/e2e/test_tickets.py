"""Tickets over REST, through the running system; and that gRPC shows the same tickets."""

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc.aio
import httpx
import pytest
from sagamesh.tickets.v1 import ticket_pb2, ticket_pb2_grpc

from tests.e2e.ratings import Headers, Json, done, reason_of
from tests.system import System
from tests.tickets.examples import PATHS
from tests.tickets.moves import ATTEMPTS, IDS, ROLES, Attempt
from tickets.domain import Move, Status

VERBS = {Move.ANSWER: "answer", Move.AWAIT_REPLY: "awaitReply", Move.CLOSE: "close"}
HTTP = {"OK": 200, "FAILED_PRECONDITION": 400, "PERMISSION_DENIED": 403, "NOT_FOUND": 404}
NEW = {"subject": "Help", "text": "It is broken."}


@dataclass(frozen=True)
class Desk:
    """Tickets over REST."""

    http: httpx.AsyncClient
    customer: Headers
    stranger: Headers
    agent: Headers

    async def open(self, by: Headers | None = None, **ticket: Any) -> Json:
        """A new ticket, of the customer's unless somebody else is named."""
        return done(await self.http.post("/v1/tickets", headers=by or self.customer, json={**NEW, **ticket}), 201)

    async def get(self, ticket: Json) -> Json:
        """A ticket as an agent sees it."""
        return done(await self.http.get(path(ticket), headers=self.agent))

    async def move(self, ticket: Json, move: Move, by: Headers, **headers: str) -> httpx.Response:
        """The answer to a move."""
        body = {"text": "Try again."} if move is Move.ANSWER else {}
        return await self.http.post(f"{path(ticket)}:{VERBS[move]}", headers={**by, **headers}, json=body)

    async def comment(self, ticket: Json, text: str, by: Headers) -> httpx.Response:
        """The answer to a comment."""
        return await self.http.post(f"{path(ticket)}/comments", headers=by, json={"text": text})


def path(ticket: Json) -> str:
    return f"/v1/tickets/{ticket['ticketId']}"


@pytest.fixture
async def desk(system: System) -> AsyncIterator[Desk]:
    """A customer, another one and an agent whom no other test knows."""

    def somebody(*roles: str) -> Headers:
        return system.user(f"user-{uuid.uuid4().hex}", *roles)

    async with system.client() as http:
        yield Desk(http, somebody(), somebody(), somebody("agent"))


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=IDS)
async def test_a_move_is_made_or_refused_as_the_table_says(system: System, desk: Desk, attempt: Attempt) -> None:
    name = f"user-{uuid.uuid4().hex}"
    somebody = system.user(name, *ROLES[attempt.who])
    author = somebody if "author" in attempt.who else desk.customer
    ticket = await desk.open(author)
    for move in PATHS[attempt.status]:
        done(await desk.move(ticket, move, desk.agent))
    before = await desk.get(ticket)
    response = await desk.move(ticket, attempt.move, somebody)
    after = await desk.get(ticket)
    assert (response.status_code, after["status"]) == (HTTP[attempt.code], attempt.to.name)
    if attempt.code != "OK":
        assert (response.json()["error"]["status"], after) == (attempt.code, before)
    if attempt.code == "FAILED_PRECONDITION":
        [info] = [detail for detail in response.json()["error"]["details"] if "metadata" in detail]
        assert info["reason"] == "TRANSITION_NOT_ALLOWED"
        assert info["metadata"] == {"status": attempt.status.name, "allowed_transitions": attempt.allowed}


async def test_the_life_of_a_ticket(desk: Desk) -> None:
    ticket = await desk.open()
    assert (ticket["status"], ticket["allowedTransitions"], ticket["priority"]) == ("OPEN", ["CLOSED"], "NORMAL")
    sorted_ = await desk.http.patch(path(ticket), headers=desk.agent, json={"priority": "HIGH", "tags": ["b", "a"]})
    assert (done(sorted_)["priority"], sorted_.json()["tags"]) == ("HIGH", ["a", "b"])
    assigned = await desk.http.post(f"{path(ticket)}:assign", headers=desk.agent, json={"assigneeId": "ann"})
    assert done(assigned)["assigneeId"] == "ann"
    answered = done(await desk.move(ticket, Move.ANSWER, desk.agent))
    assert (answered["status"], answered["commentCount"]) == ("ANSWERED", "1")
    comment = done(await desk.comment(ticket, "No, @ann.", desk.customer))
    assert (comment["authorRole"], comment["mentions"]) == ("CUSTOMER", ["ann"])
    assert (await desk.get(ticket))["status"] == "AWAITING_REPLY"
    comment_path = f"{path(ticket)}/comments/{comment['commentId']}"
    rewritten = await desk.http.patch(comment_path, headers=desk.customer, json={"text": "No."})
    assert (done(rewritten)["text"], rewritten.json().get("mentions")) == ("No.", None)
    said = done(await desk.http.get(f"{path(ticket)}/comments", headers=desk.customer))["comments"]
    assert [one["text"] for one in said] == ["Try again.", "No."]
    closed = done(await desk.move(ticket, Move.CLOSE, desk.customer))
    assert closed["closeTime"] == closed["updateTime"]
    late = await desk.comment(ticket, "Thanks!", desk.customer)
    assert (late.status_code, reason_of(late)) == (400, "TICKET_CLOSED")
    history = done(await desk.http.get(f"{path(ticket)}/history", headers=desk.customer))["changes"]
    assert [(change["version"], change["kind"]) for change in history] == [
        ("1", "CREATED"),
        ("2", "EDITED"),
        ("3", "ASSIGNED"),
        ("4", "MOVED"),
        ("5", "COMMENTED"),
        ("6", "COMMENT_EDITED"),
        ("7", "MOVED"),
    ]
    assert history[4]["fields"] == [{"field": "status", "oldValue": "ANSWERED", "newValue": "AWAITING_REPLY"}]


async def test_what_is_created_is_at_its_location_once(desk: Desk) -> None:
    headers = {**desk.customer, "Idempotency-Key": str(uuid.uuid4())}
    first, again = [await desk.http.post("/v1/tickets", headers=headers, json=NEW) for _ in range(2)]
    assert (first.status_code, again.content) == (201, first.content)
    assert first.headers["location"] == path(first.json())
    assert done(await desk.http.get(first.headers["location"], headers=desk.customer)) == first.json()


async def test_whoever_changes_what_is_outdated_is_told_but_comments_outdate_nothing(desk: Desk) -> None:
    ticket = await desk.open()
    first = {"If-Match": f'"{ticket["etag"]}"'}
    done(await desk.comment(ticket, "Hello?", desk.agent))
    done(await desk.move(ticket, Move.ANSWER, desk.agent, **first))
    for move in (Move.AWAIT_REPLY, Move.CLOSE):
        stale = await desk.move(ticket, move, desk.customer, **first)
        assert (stale.status_code, reason_of(stale)) == (409, "ETAG_MISMATCH")
    patched = await desk.http.patch(path(ticket), headers={**desk.customer, **first}, json={"subject": "x"})
    assert (patched.status_code, reason_of(patched)) == (409, "ETAG_MISMATCH")
    now = await desk.http.get(path(ticket), headers=desk.customer)
    done(await desk.move(ticket, Move.CLOSE, desk.customer, **{"If-Match": now.headers["etag"]}))


async def test_a_customer_meets_only_their_own(desk: Desk) -> None:
    word = f"word{uuid.uuid4().hex}"
    ticket = await desk.open(text=f"The {word}.")
    for rest in ("", "/comments", "/history", ":watch"):
        refused = await desk.http.get(path(ticket) + rest, headers=desk.stranger)
        assert (refused.status_code, reason_of(refused)) == (404, "TICKET_NOT_FOUND")
    for who, found in ((desk.customer, [ticket["ticketId"]]), (desk.agent, [ticket["ticketId"]]), (desk.stranger, [])):
        page = done(await desk.http.get("/v1/tickets:search", headers=who, params={"query": word.upper()}))
        assert [one["ticketId"] for one in page.get("tickets", [])] == found
    assert done(await desk.http.get("/v1/tickets", headers=desk.stranger)).get("tickets", []) == []
    others = await desk.http.get("/v1/tickets", headers=desk.stranger, params={"authorId": ticket["authorId"]})
    assert (others.status_code, reason_of(others)) == (403, "NOT_YOUR_TICKETS")


async def test_a_list_comes_in_pages_and_is_filtered(desk: Desk) -> None:
    tag = uuid.uuid4().hex
    made = [await desk.open(desk.agent, tags=[tag], priority="URGENT") for _ in range(3)]
    listed, query = list[str](), {"tag": tag, "priority": "URGENT", "status": "OPEN", "pageSize": "2"}
    while True:
        page = done(await desk.http.get("/v1/tickets", headers=desk.agent, params=query))
        listed += [ticket["ticketId"] for ticket in page["tickets"]]
        if not (token := page.get("nextPageToken")):
            break
        query["pageToken"] = token
    assert listed == [ticket["ticketId"] for ticket in reversed(made)]


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        ('{"text": "x"}', "SUBJECT_INVALID", "ticket.subject"),
        ('{"subject": " ", "text": "x"}', "SUBJECT_INVALID", "ticket.subject"),
        ('{"subject": "a\\u0000", "text": "x"}', "SUBJECT_INVALID", "ticket.subject"),
        ('{"subject": "a\\nb", "text": "x"}', "SUBJECT_INVALID", "ticket.subject"),
        ('{"subject": "%s", "text": "x"}' % ("x" * 201), "INVALID_ARGUMENT", "ticket.subject"),
        ('{"subject": "x", "text": "%s"}' % ("x" * 20_001), "INVALID_ARGUMENT", "ticket.text"),
        ('{"subject": "x", "text": "a\\u0000"}', "TEXT_INVALID", "ticket.text"),
        ('{"subject": "x", "text": "\\ud800"}', "INVALID_BODY", "ticket"),
        ('{"subject": "x", "text": "x", "status": "GREAT"}', "INVALID_BODY", "ticket.status"),
        ('{"subject": "x", "text": "x", "priority": 77}', "INVALID_ARGUMENT", "ticket.priority"),
        ('{"subject": "x", "text": "x", "colour": "red"}', "INVALID_BODY", "ticket.colour"),
        ('{"subject": "x", "text": "x", "tags": ["a b"]}', "TAG_INVALID", "ticket.tags[0]"),
        ("", "INVALID_ARGUMENT", "ticket"),
    ],
)
async def test_a_bad_ticket_is_refused_by_the_field_that_is_wrong(
    desk: Desk, body: str, reason: str, field: str
) -> None:
    headers = {**desk.agent, "Content-Type": "application/json"}
    response = await desk.http.post("/v1/tickets", headers=headers, content=body)
    assert (response.status_code, reason_of(response)) == (400, reason)
    [fault] = [
        detail["fieldViolations"] for detail in response.json()["error"]["details"] if "fieldViolations" in detail
    ]
    assert [violation["field"] for violation in fault] == [field]


async def test_a_ticket_is_watched_while_it_changes(desk: Desk) -> None:
    ticket = await desk.open()
    async with watching(desk, ticket) as changes:
        assert (await anext(changes))["version"] == "1"
        done(await desk.comment(ticket, "Hello?", desk.customer))
        assert (await anext(changes))["commentCount"] == "1"
        done(await desk.move(ticket, Move.CLOSE, desk.agent))
        assert (await anext(changes))["status"] == "CLOSED"


async def test_grpc_shows_the_same_ticket(system: System, desk: Desk) -> None:
    ticket = await desk.open()
    metadata = (("authorization", desk.agent["Authorization"]),)
    async with grpc.aio.insecure_channel(system.address("tickets"), [("grpc.enable_http_proxy", 0)]) as channel:
        stub = ticket_pb2_grpc.TicketServiceStub(channel)
        shown = await stub.GetTicket(ticket_pb2.GetTicketRequest(ticket_id=ticket["ticketId"]), metadata=metadata)
    assert (shown.subject, shown.etag) == (ticket["subject"], ticket["etag"])
    assert Status[ticket_pb2.Ticket.Status.Name(shown.status)] is Status.OPEN


@asynccontextmanager
async def watching(desk: Desk, ticket: Json) -> AsyncGenerator[AsyncIterator[Json]]:
    """The versions of a ticket as lines of JSON, while the block lasts."""
    headers = {**desk.customer, "Accept": "application/x-ndjson"}
    async with asyncio.timeout(20), desk.http.stream("GET", f"{path(ticket)}:watch", headers=headers) as response:
        assert response.status_code == 200
        lines = response.aiter_lines()
        yield (json.loads(line) async for line in lines)
