"""How PostgreSQL finds tickets: by an index, whatever is asked, also where reading the whole table would be allowed."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.event import listen, remove
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.identifiers import new_id
from tests.services import shared
from tests.tickets.examples import ALICE, ANN
from tickets.domain import Caller, Priority, Status
from tickets.queries import TicketFilter, list_changes, list_comments, list_tickets, read_ticket, search_tickets

_MANY = """
    INSERT INTO ticket (ticket_id, subject, text, author_id, status, priority, tags, assignee_id, comment_count, edit,
                        version, create_time, update_time, close_time)
    SELECT uuidv7(), 'subject ' || n, 'about thing' || n || ' and others', 'user' || n % 500,
           CASE n % 20 WHEN 0 THEN 'ANSWERED' WHEN 1 THEN 'OPEN' ELSE 'CLOSED' END,
           CASE n % 50 WHEN 0 THEN 'URGENT' ELSE 'NORMAL' END, ARRAY['tag' || n % 100], 'agent' || n % 50, 1, 1, 1,
           now(), now(), CASE WHEN n % 20 > 1 THEN now() END
    FROM generate_series(1, 20000) AS n"""
_THEIRS = [
    """INSERT INTO comment SELECT uuidv7(), ticket_id, 1, 'user', 'CUSTOMER', 'text', 1, now(), now() FROM ticket""",
    """INSERT INTO change SELECT ticket_id, 1, 'CREATED', 'user', now(), '[]', NULL FROM ticket""",
]
USER = Caller("user7")
Row = TypeVar("Row")
Read = Callable[[AsyncEngine], Awaitable[Sequence[Row]]]


@shared
async def many(warm_engine: AsyncEngine) -> AsyncEngine:
    """A database of many tickets, each with a comment."""
    async with warm_engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("TRUNCATE ticket, comment, change"))
        for statement in (_MANY, *_THEIRS, "VACUUM ANALYZE ticket, comment, change"):
            await connection.execute(text(statement))
    return warm_engine


LISTS = {
    "all": TicketFilter(),
    "status": TicketFilter(status=Status.ANSWERED),
    "priority": TicketFilter(priority=Priority.URGENT),
    "assignee": TicketFilter(assignee_id="agent7"),
    "author": TicketFilter(author_id="user7"),
    "tag": TicketFilter(tag="tag7"),
    "everything at once": TicketFilter(Status.CLOSED, Priority.NORMAL, "agent7", "user7", "tag7"),
}


@pytest.mark.parametrize("wanted", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("before", [lambda: None, new_id], ids=["first page", "later page"])
async def test_a_list_has_its_index(many: AsyncEngine, wanted: TicketFilter, before: Callable[[], UUID | None]) -> None:
    found, plan = await planned(many, lambda engine: list_tickets(engine, wanted, ANN, before=before(), limit=51))
    assert found
    assert tables_read_whole(plan) == []


@pytest.mark.parametrize("query", ["thing777", "thing", "subject", "tag7", '"about thing777"', "subject -others"])
@pytest.mark.parametrize("caller", [ANN, USER], ids=["agent", "customer"])
async def test_a_search_has_its_index(many: AsyncEngine, query: str, caller: Caller) -> None:
    _, plan = await planned(many, lambda engine: search_tickets(engine, query, caller, before=None, limit=51))
    assert tables_read_whole(plan) == []


async def test_a_search_for_what_is_not_there_follows_the_ids_too(many: AsyncEngine) -> None:
    """No index finds what lacks a word. PostgreSQL by itself would read the whole table; our sessions forbid it."""
    asked = partial(search_tickets, query="-about", caller=ANN, before=None, limit=51)
    _, plan = await planned(many, asked, seqscan="off")
    assert indexes(plan) == {"ticket_pkey"}


async def test_a_customers_list_has_its_index(many: AsyncEngine) -> None:
    found, plan = await planned(many, lambda engine: list_tickets(engine, TicketFilter(), USER, before=None, limit=51))
    assert {ticket.author_id for ticket in found} == {"user7"}
    assert indexes(plan) == {"ticket_author"}


async def test_a_tickets_comments_and_history_have_their_indexes(many: AsyncEngine) -> None:
    [ticket] = await list_tickets(many, TicketFilter(), ANN, before=None, limit=1)
    asked: dict[str, Any] = {"ticket_id": ticket.ticket_id, "caller": ANN, "after": 0, "limit": 51}
    comments, plan = await planned(many, partial(list_comments, **asked))
    assert (len(comments), indexes(plan)) == (1, {"comment_ticket_id_number_key"})
    changes, plan = await planned(many, partial(list_changes, **asked))
    assert (len(changes), indexes(plan)) == (1, {"change_pkey"})
    assert await read_ticket(many, ticket.ticket_id) == ticket
    assert ticket.author_id != ALICE.user_id


async def planned(engine: AsyncEngine, read: Read[Row], seqscan: str = "on") -> tuple[Sequence[Row], dict[str, Any]]:
    """What a query finds, and the plan of its last statement where no kind of scan is forbidden."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        seen.append((statement, parameters))

    listen(engine.sync_engine, "before_cursor_execute", note)
    found = await read(engine)
    remove(engine.sync_engine, "before_cursor_execute", note)
    statement, parameters = seen[-1]
    async with engine.connect() as connection:
        await connection.execute(text(f"SET LOCAL enable_seqscan = {seqscan}"))
        explained = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
        return found, explained.scalar_one()[0]["Plan"]


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """A plan's nodes."""
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def tables_read_whole(plan: dict[str, Any]) -> list[str]:
    """Of a plan, the tables that it scans from end to end."""
    return [node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"]


def indexes(plan: dict[str, Any]) -> set[str]:
    """The indexes that it uses."""
    return {node["Index Name"] for node in nodes(plan) if "Index Name" in node}
