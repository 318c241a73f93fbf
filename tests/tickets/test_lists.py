"""Lists, searches and histories of tickets, over real sockets and a real database: what they show, in which pages, and
what is no question. Plans are in test_plans.py."""

import asyncio
from typing import Any

import grpc
import pytest
from sagamesh.tickets.v1 import ticket_pb2

from mesh.paging import page_token
from tests.services import refusal
from tests.tickets.service import Change, Desk, Ticket

Code = grpc.StatusCode


class TestListTickets:
    async def subjects(self, service: Desk, by: str = "ann", **wanted: Any) -> list[str]:
        response = await service.tickets.ListTickets(ticket_pb2.ListTicketsRequest(**wanted), **service.user(by))
        return [ticket.subject for ticket in response.tickets]

    async def test_customers_list_their_own_and_agents_all(self, service: Desk) -> None:
        await service.open("alice's")
        await service.open("bob's", by="bob")
        assert await self.subjects(service, "alice") == ["alice's"]
        assert await self.subjects(service, "alice", author_id="alice") == ["alice's"]
        assert await self.subjects(service) == ["bob's", "alice's"]
        assert await self.subjects(service, author_id="bob") == ["bob's"]
        refused = await refusal(self.subjects(service, "alice", author_id="bob"))
        assert refused == (Code.PERMISSION_DENIED, "NOT_YOUR_TICKETS", ["author_id"])

    async def test_tickets_are_found_by_each_of_their_marks(self, service: Desk) -> None:
        await service.open("plain")
        marked = (await service.open("marked", by="ann", priority=Ticket.HIGH, tags=["vip", "eu"])).ticket_id
        await service.assign(marked, "ben")
        await service.answer(marked)
        marks: list[dict[str, Any]] = [
            {"status": Ticket.ANSWERED},
            {"priority": Ticket.HIGH},
            {"assignee_id": "ben"},
            {"tag": "vip"},
            {"author_id": "ann"},
            {"status": Ticket.ANSWERED, "priority": Ticket.HIGH, "assignee_id": "ben", "tag": "eu"},
        ]
        for wanted in marks:
            assert await self.subjects(service, **wanted) == ["marked"]
        assert await self.subjects(service, status=Ticket.OPEN) == ["plain"]
        assert await self.subjects(service, status=Ticket.OPEN, tag="vip") == []
        assert await self.subjects(service, "alice", tag="vip") == []

    async def test_pages_show_every_ticket_once_while_others_arrive(self, service: Desk) -> None:
        made = [(await service.open(f"ticket {number}")).subject for number in range(7)]
        seen, token, sizes = list[str](), "", list[int]()
        while True:
            request = ticket_pb2.ListTicketsRequest(page_size=3, page_token=token)
            page = await service.tickets.ListTickets(request, **service.user("ann"))
            seen += [ticket.subject for ticket in page.tickets]
            sizes.append(len(page.tickets))
            if not (token := page.next_page_token):
                break
            await service.open(f"meanwhile {len(seen)}")  # must not push what follows
        assert seen == made[::-1]
        assert sizes == [3, 3, 1]

    async def test_a_page_ends_before_it_is_too_large_to_send(self, service: Desk) -> None:
        text = "\N{SOCCER BALL}" * 20_000
        await asyncio.gather(*(service.open("large", text) for _ in range(80)))
        seen, token, pages = set[str](), "", 0
        while True:
            request = ticket_pb2.ListTicketsRequest(page_size=500, page_token=token)
            page = await service.tickets.ListTickets(request, **service.user("ann"))
            seen |= {ticket.ticket_id for ticket in page.tickets}
            pages += 1
            if not (token := page.next_page_token):
                break
        assert (len(seen), pages) == (80, 3)

    @pytest.mark.parametrize(
        ("wanted", "field"),
        [
            ({"page_token": "x"}, "page_token"),
            ({"page_size": -1}, "page_size"),
            ({"page_size": 501}, "page_size"),
            ({"status": 77}, "status"),
            ({"priority": 77}, "priority"),
            ({"assignee_id": "a\0"}, "assignee_id"),
            ({"author_id": "a\0"}, "author_id"),
            ({"tag": "a\0"}, "tag"),
            ({"tag": "two words"}, "tag"),
        ],
    )
    async def test_a_bad_list_request_is_refused(self, service: Desk, wanted: dict[str, Any], field: str) -> None:
        code, _, fields = await refusal(self.subjects(service, **wanted))
        assert (code, fields) == (Code.INVALID_ARGUMENT, [field])


class TestSearchTickets:
    async def found(self, service: Desk, query: str, by: str = "ann", **more: Any) -> list[str]:
        request = ticket_pb2.SearchTicketsRequest(query=query, **more)
        return [ticket.subject for ticket in (await service.tickets.SearchTickets(request, **service.user(by))).tickets]

    async def test_words_are_found_wherever_they_are(self, service: Desk) -> None:
        await service.open("Printer on fire", "The smoke is thick.")
        await service.open("Принтер горит", "Дым в комнате 7.")
        await service.open("Invoice", "Wrong sum", by="ann", tags=["billing/eu"])
        assert await self.found(service, "FIRE") == ["Printer on fire"]
        assert await self.found(service, "smoke") == ["Printer on fire"]
        assert await self.found(service, "дым") == ["Принтер горит"]
        assert await self.found(service, "billing/eu") == ["Invoice"]
        assert await self.found(service, "fire or invoice") == ["Invoice", "Printer on fire"]
        assert await self.found(service, "wrong -sum") == []
        assert await self.found(service, '"on fire"') == ["Printer on fire"]
        assert await self.found(service, '"fire on"') == []

    async def test_what_was_changed_is_found_as_it_is_now(self, service: Desk) -> None:
        ticket = await service.open("Draft")
        await service.update(ticket.ticket_id, subject="Final")
        await service.update(ticket.ticket_id, by="ann", tags=["later"])
        assert await self.found(service, "draft") == []
        assert await self.found(service, "final later") == ["Final"]

    async def test_customers_find_their_own(self, service: Desk) -> None:
        await service.open("alice's printer")
        await service.open("bob's printer", by="bob")
        assert await self.found(service, "printer", "alice") == ["alice's printer"]
        assert await self.found(service, "printer") == ["bob's printer", "alice's printer"]

    async def test_pages_belong_to_their_query(self, service: Desk) -> None:
        for number in range(3):
            await service.open(f"printer {number}")
        request = ticket_pb2.SearchTicketsRequest(query="printer", page_size=2)
        page = await service.tickets.SearchTickets(request, **service.user("ann"))
        assert await self.found(service, "printer", page_token=page.next_page_token) == ["printer 0"]
        code, _, fields = await refusal(self.found(service, "invoice", page_token=page.next_page_token))
        assert (code, fields) == (Code.INVALID_ARGUMENT, ["page_token"])

    @pytest.mark.parametrize("query", ["!!!", "-", '"', "' or 1=1 --", "a:* & b", "or or or", "%", "\\"])
    async def test_no_query_is_broken(self, service: Desk, query: str) -> None:
        await service.open()
        assert await self.found(service, query) == []

    @pytest.mark.parametrize("query", ["", " ", "a\0b", "a\nb", "x" * 201])
    async def test_what_is_no_query_is_refused(self, service: Desk, query: str) -> None:
        code, _, fields = await refusal(self.found(service, query))
        assert (code, fields) == (Code.INVALID_ARGUMENT, ["query"])


class TestListChanges:
    async def test_the_history_tells_all_that_happened_and_by_whom(self, service: Desk) -> None:
        ticket_id = (await service.open()).ticket_id
        await service.assign(ticket_id, "ben")
        await service.update(ticket_id, by="ann", priority=Ticket.HIGH, tags=["b", "a"])
        comment = await service.comment(ticket_id)
        await service.rewrite(comment, "Hello!")
        await service.answer(ticket_id, by="ben")
        await service.close(ticket_id)
        changes = await service.history(ticket_id, by="alice", page_size=2)
        assert [(change.version, change.kind, change.actor_id) for change in changes] == [
            (1, Change.CREATED, "alice"),
            (2, Change.ASSIGNED, "ann"),
            (3, Change.EDITED, "ann"),
            (4, Change.COMMENTED, "alice"),
            (5, Change.COMMENT_EDITED, "alice"),
            (6, Change.MOVED, "ben"),
            (7, Change.MOVED, "alice"),
        ]
        told = [[(one.field, one.old_value, one.new_value) for one in change.fields] for change in changes]
        assert told[1:] == [
            [("assignee_id", "", "ben")],
            [("priority", "NORMAL", "HIGH"), ("tags", "", '["a", "b"]')],
            [],
            [("comment.text", "Hello?", "Hello!")],
            [("status", "OPEN", "ANSWERED")],
            [("status", "ANSWERED", "CLOSED")],
        ]
        times = [change.time.ToDatetime() for change in changes]
        assert times == sorted(times)

    @pytest.mark.parametrize("position", ["-1", "x", "9" * 30, "1.5"])
    async def test_a_forged_page_token_is_refused(self, service: Desk, position: str) -> None:
        ticket_id = (await service.open()).ticket_id
        request = ticket_pb2.ListChangesRequest(ticket_id=ticket_id)
        request.page_token = page_token(request, position)
        code, _, fields = await refusal(service.tickets.ListChanges(request, **service.user("alice")))
        assert (code, fields) == (Code.INVALID_ARGUMENT, ["page_token"])
