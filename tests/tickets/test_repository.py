"""One suite for the ports in memory and over PostgreSQL, then what only PostgreSQL can show."""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.identifiers import new_id
from mesh.migrate import downgrade, upgrade
from mesh.signal import Signal
from mesh.uow import open_engine
from tests.tickets.examples import ALICE, ANN, NOW, SECOND, a_comment, a_ticket, ticket_that_is
from tests.tickets.fakes import FakeWork, Store
from tickets.commands import create_comment, move_ticket
from tickets.domain import Comment, Draft, Kind, Move, Priority, Status, Ticket, change_of
from tickets.errors import TicketChanged
from tickets.ports import Work
from tickets.queries import list_changes, list_comments
from tickets.repository import TicketWork

each_status = pytest.mark.parametrize("status", list(Status))


class World(Protocol):
    """Both kinds of the ports."""

    def work(self) -> Work:
        """A transaction."""
        ...


class Memory:
    def __init__(self) -> None:
        self._store = Store()

    def work(self) -> FakeWork:
        return FakeWork(self._store)


class Postgres:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._signal = Signal("", "unused")

    def work(self) -> TicketWork:
        return TicketWork(self._engine, self._signal)


@pytest.fixture(params=["memory", "postgres"])
def world(request: pytest.FixtureRequest) -> World:
    return Memory() if request.param == "memory" else Postgres(request.getfixturevalue("engine"))


async def keep(world: World, ticket: Ticket) -> Ticket:
    async with world.work() as work:
        await work.tickets.add(ticket, change_of(None, ticket, Kind.CREATED, ALICE))
        await work.commit()
    return ticket


async def save(world: World, before: Ticket, after: Ticket) -> None:
    async with world.work() as work:
        await work.tickets.save(before, after, change_of(before, after, Kind.EDITED, ALICE))
        await work.commit()


async def kept(world: World, ticket_id: UUID) -> Ticket | None:
    async with world.work() as work:
        return await work.tickets.lock(ticket_id)


async def kept_comment(world: World, ticket: Ticket, comment: Comment) -> Comment | None:
    async with world.work() as work:
        return await work.comments.get(ticket.ticket_id, comment.comment_id)


@each_status
async def test_a_ticket_is_read_back_as_it_was_kept(world: World, status: Status) -> None:
    ticket = replace(
        ticket_that_is(status), tags=("a", "ü"), assignee_id="ann", priority=Priority.URGENT, text="Über ⚽\n"
    )
    await keep(world, ticket)
    assert await kept(world, ticket.ticket_id) == ticket


async def test_there_is_no_ticket_that_nobody_kept(world: World) -> None:
    assert await kept(world, new_id()) is None


async def test_what_is_not_committed_is_not_kept(world: World) -> None:
    ticket = a_ticket()
    async with world.work() as work:
        await work.tickets.add(ticket, change_of(None, ticket, Kind.CREATED, ALICE))
    assert await kept(world, ticket.ticket_id) is None


async def test_a_saved_ticket_is_read_back(world: World) -> None:
    ticket = await keep(world, a_ticket(caller=ANN))
    steps = [
        ticket.edited(Draft("New", "words", Priority.HIGH, ["x"]), ANN, NOW + SECOND),
        ticket.assigned("ben", NOW + SECOND),
        ticket.moved(Move.CLOSE, ANN, NOW + SECOND),
    ]
    for number, after in enumerate(steps):
        after = replace(after, edit=number + 2, version=number + 2)
        await save(world, ticket, after)
        assert await kept(world, ticket.ticket_id) == after
        ticket = after


@pytest.mark.parametrize(
    "forged",
    [
        replace(a_ticket(), version=3),
        replace(a_ticket(), version=1),
        replace(a_ticket(), version=2, status=Status.AWAITING_REPLY),
    ],
    ids=["two steps at once", "no step", "an illegal move"],
)
async def test_what_is_not_one_legal_step_is_not_saved(world: World, forged: Ticket) -> None:
    first = await keep(world, replace(forged, ticket_id=new_id(), version=1, status=Status.OPEN))
    with pytest.raises(TicketChanged):
        await save(world, first, replace(forged, ticket_id=first.ticket_id))
    assert await kept(world, first.ticket_id) == first


async def test_nothing_of_a_closed_ticket_is_saved(world: World) -> None:
    closed = await keep(world, ticket_that_is(Status.CLOSED))
    with pytest.raises(TicketChanged):
        await save(world, closed, replace(closed, subject="x", version=closed.version + 1))
    assert await kept(world, closed.ticket_id) == closed


async def test_a_ticket_that_is_not_there_is_not_saved(world: World) -> None:
    ticket = a_ticket()
    with pytest.raises(TicketChanged):
        await save(world, ticket, ticket.commented(ALICE, NOW))


async def test_a_comment_is_read_back_and_rewritten(world: World) -> None:
    ticket = await keep(world, a_ticket())
    comment = a_comment(ticket, "See @ann.\nÜ")
    async with world.work() as work:
        await work.comments.add(comment)
        await work.commit()
    assert await kept_comment(world, ticket, comment) == comment
    rewritten = comment.rewritten("other", ALICE, NOW + SECOND)
    async with world.work() as work:
        await work.comments.save(rewritten)
        await work.commit()
    assert await kept_comment(world, ticket, comment) == rewritten


async def test_a_comment_belongs_to_its_ticket(world: World) -> None:
    ticket, other = await keep(world, a_ticket()), await keep(world, a_ticket())
    comment = a_comment(ticket)
    async with world.work() as work:
        await work.comments.add(comment)
        await work.commit()
    assert await kept_comment(world, other, comment) is None


async def test_what_is_written_is_told(engine: AsyncEngine) -> None:
    world = Postgres(engine)
    ticket = await keep(world, a_ticket())
    comment = await create_comment(world.work(), ticket.ticket_id, "Well?", ALICE, NOW + SECOND)
    await move_ticket(world.work(), ticket.ticket_id, Move.CLOSE, ALICE, etag="", now=NOW + SECOND)
    changes = await list_changes(engine, ticket.ticket_id, ALICE, after=0, limit=10)
    assert [(change.version, change.kind) for change in changes] == [
        (1, Kind.CREATED),
        (2, Kind.COMMENTED),
        (3, Kind.MOVED),
    ]
    assert changes[0] == change_of(None, ticket, Kind.CREATED, ALICE)
    assert changes[1].comment_id == comment.comment_id
    assert await list_comments(engine, ticket.ticket_id, ALICE, after=0, limit=10) == [comment]


async def test_a_version_has_one_change(engine: AsyncEngine) -> None:
    world, ticket = Postgres(engine), a_ticket()
    await keep(world, ticket)
    async with world.work() as work:
        told_twice = work.tickets.save(
            ticket, ticket.commented(ALICE, NOW), change_of(None, ticket, Kind.CREATED, ALICE)
        )
        with pytest.raises(IntegrityError):
            await told_twice


async def test_a_number_has_one_comment(engine: AsyncEngine) -> None:
    world, ticket = Postgres(engine), a_ticket()
    await keep(world, ticket)
    async with world.work() as work:
        await work.comments.add(a_comment(ticket))
        with pytest.raises(IntegrityError):
            await work.comments.add(a_comment(ticket))


async def test_a_comment_costs_few_statements(engine: AsyncEngine, statements: Callable[[], list[str]]) -> None:
    ticket = await keep(Postgres(engine), a_ticket())
    before = len(statements())
    await create_comment(Postgres(engine).work(), ticket.ticket_id, "Well?", ALICE, NOW)
    assert len(statements()) - before == 4  # lock, comment, ticket, change


async def test_a_comment_touches_no_index_and_no_text_of_its_ticket(
    engine: AsyncEngine, statements: Callable[[], list[str]]
) -> None:
    ticket = await keep(Postgres(engine), a_ticket())
    await create_comment(Postgres(engine).work(), ticket.ticket_id, "Well?", ALICE, NOW + SECOND)
    [update] = [statement for statement in statements() if statement.startswith("UPDATE ticket")]
    written = update.partition(" WHERE ")[0]
    assert [name for name in ("subject", "text", "status", "tags", "priority") if f"{name}=" in written] == []


async def test_the_migrations_go_down_and_up_on_a_database_with_tickets(database: str) -> None:
    await upgrade(database, "tickets")
    for _ in range(2):
        engine = open_engine(database, pool_size=2)
        ticket = await keep(Postgres(engine), a_ticket())
        await create_comment(Postgres(engine).work(), ticket.ticket_id, "Well?", ALICE, NOW)
        await engine.dispose()
        await downgrade(database, "tickets", "base")
        await upgrade(database, "tickets")
    engine = open_engine(database, pool_size=1)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM ticket"))).scalar_one() == 0
    await engine.dispose()
