"""A small world for tests of messaging: one producer with sagas, three participants, on real databases, no network.

A command is a StringValue, its undo a BytesValue, both holding the entity's id. What took effect at a participant is a
row of `effect`, so that a test can ask for it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import BytesValue, StringValue
from sagamesh.mesh.v1.envelope_pb2 import Envelope, Outcome
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from mesh import schema
from mesh.errors import FailedPrecondition, Refusal
from mesh.identifiers import new_id
from mesh.inbox.delivery import Delivery
from mesh.outbox.pull import Leased, Puller, PullOrder
from mesh.outbox.settle import RetryPolicy, Settlement, Settler
from mesh.saga import Progress, Saga, Sagas, Step
from mesh.saga.store import read_saga
from mesh.signal import Signal
from mesh.uow import UnitOfWork, open_engine

Do = StringValue
Undo = BytesValue
PARTICIPANTS = ("a", "b", "c")


class Forbidden(FailedPrecondition):
    """The participant says no."""

    reason = "FORBIDDEN"


class _Op:
    """Alembic's `op` over a plain connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, sqltext: str) -> None:
        self._connection.execute(text(sqltext))


async def create_schema(engine: AsyncEngine) -> None:
    """The mesh's tables, an entity table for the producer, and an effect table for the participant."""

    def create(connection: Connection) -> None:
        op = _Op(connection)
        for make in (schema.request_1, schema.outbox_1, schema.inbox_1, schema.saga_1):
            make(op)
        op.execute("CREATE TABLE entity (entity_id text PRIMARY KEY, status text NOT NULL)")
        op.execute(
            "CREATE TABLE effect (seq bigint GENERATED ALWAYS AS IDENTITY, participant text, what text, key text)"
        )

    async with engine.begin() as connection:
        await connection.run_sync(create)


def step(name: str) -> Step:
    """Participant `name`'s step: do and undo carry the entity's id."""
    return Step(
        name,
        destination=name,
        do=lambda progress: Do(value=progress.entity_id),
        undo=lambda progress: Undo(value=progress.entity_id.encode()),
    )


async def _set_status(work: UnitOfWork, sagas: Sequence[Progress], status: str) -> None:
    await work.connection.execute(
        text("UPDATE entity SET status = :status WHERE entity_id = ANY(:ids) AND status = 'PENDING'"),
        {"status": status, "ids": [saga.entity_id for saga in sagas]},
    )


async def _confirm(work: UnitOfWork, sagas: Sequence[Progress]) -> None:
    await _set_status(work, sagas, "CONFIRMED")


async def _reject(work: UnitOfWork, sagas: Sequence[Progress]) -> None:
    await _set_status(work, sagas, "REJECTED")


def three_steps(pivot: str = "c") -> Saga:
    """A saga over all three participants."""
    return Saga(
        "three",
        1,
        input=Do,
        steps=tuple(step(name) for name in PARTICIPANTS),
        pivot=pivot,
        on_pivot=_confirm,
        on_compensated=_reject,
    )


Behaviour = Callable[[str, str], Refusal | Exception | Message | None]
"""(what, key) -> how the participant takes it: a Refusal is returned, another exception is raised."""


@dataclass
class Participant:
    """One participant's handlers; `behave` may be replaced by a test."""

    name: str
    engine: AsyncEngine
    behave: Behaviour = field(default=lambda what, key: None)

    def __post_init__(self) -> None:
        self.delivery = Delivery(self.engine, {Do: self._do, Undo: self._undo})

    async def _do(self, work: UnitOfWork, messages: Sequence[Do]) -> Sequence[Refusal | Message | None]:
        return await self._take(work, "do", [message.value for message in messages])

    async def _undo(self, work: UnitOfWork, messages: Sequence[Undo]) -> Sequence[Refusal | Message | None]:
        return await self._take(work, "undo", [message.value.decode() for message in messages])

    async def _take(self, work: UnitOfWork, what: str, keys: list[str]) -> list[Refusal | Message | None]:
        results: list[Refusal | Message | None] = []
        for key in keys:  # the effect comes first: whatever is refused must be undone by the inbox
            await work.connection.execute(
                text("INSERT INTO effect (participant, what, key) VALUES (:participant, :what, :key)"),
                {"participant": self.name, "what": what, "key": key},
            )
            behaviour = self.behave(what, key)
            if isinstance(behaviour, Exception) and not isinstance(behaviour, Refusal):
                raise behaviour
            results.append(behaviour)
        return results


class World:
    """A producer, its participants and a relay that a test moves by hand."""

    def __init__(self, dsn: str, saga: Saga, *, attempts: int = 3, ttl: float = 30.0) -> None:
        self.dsn = dsn
        self.engine = open_engine(dsn)
        self.saga = saga
        self.signal = Signal(dsn, "test_outbox")
        self.retry = RetryPolicy(attempts=attempts, base=0.0)
        self.puller = Puller(self.engine, self.signal, ttl=ttl, poll=0.05)
        self.participants = {name: Participant(name, self.engine) for name in PARTICIPANTS}
        self.use(saga)

    def connections_in_use(self) -> int:
        """Connections that somebody holds."""
        pool = self.engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout()

    @staticmethod
    def engine_to_nowhere() -> AsyncEngine:
        """An engine whose server is not there."""
        return open_engine("postgresql://nobody@127.0.0.1:1/nothing")

    def use(self, *definitions: Saga) -> None:
        """What the producer knows, as after a deploy."""
        self.sagas = Sagas(definitions, self.signal.ring)
        self.settler = Settler(self.engine, self.sagas, self.retry)

    async def begin(self, entity_id: str, *, key: str | None = None) -> UUID:
        """Starts a saga for a new entity."""
        saga_id = new_id()
        async with UnitOfWork(self.engine) as work:
            await work.connection.execute(text("INSERT INTO entity VALUES (:id, 'PENDING')"), {"id": entity_id})
            await self.sagas.start(
                work,
                self.saga,
                saga_id=saga_id,
                entity_id=entity_id,
                ordering_key=key or entity_id,
                owner="user:test",
                input=Do(value=entity_id),
            )
            await work.commit()
        return saga_id

    async def pull(
        self, owner: str = "relay", *, limit: int = 100, in_flight: Sequence[UUID] = (), skip: Sequence[str] = ()
    ) -> list[Leased]:
        """What `owner` gets now."""
        order = PullOrder(owner, limit, 0.0, in_flight, skip)
        messages, _ = await self.puller.pull(order, asyncio.Event())
        return messages

    async def lease_is_lost(self) -> None:
        """Makes every lease and heartbeat run out, as time would."""
        await self.query("UPDATE outbox_relay SET expire_time = now() - interval '1 second'")
        await self.query("UPDATE outbox_bucket SET expire_time = now() - interval '1 second'")

    async def deliver(self, messages: Sequence[Leased]) -> list[Settlement]:
        """Delivers messages to their participants, by destination."""
        settlements: list[Settlement] = []
        for name, participant in self.participants.items():
            batch = [m for m in messages if envelope_of(m).destination == name]
            if batch:
                outcomes = await participant.delivery.deliver([envelope_of(m) for m in batch])
                settlements += [Settlement(o, m.epoch) for o, m in zip(outcomes, batch, strict=True)]
        return [s for s in settlements if s.outcome.code != Outcome.NOT_RUN]

    async def turn(self, owner: str = "relay") -> int:
        """One round of the relay; how many messages moved."""
        messages = await self.pull(owner)
        settlements = await self.deliver(messages)
        if settlements:
            await self.settler.settle(owner, settlements)
        return len(messages)

    async def run(self, *, turns: int = 200) -> None:
        """Relays until nothing is due. Fails when that never happens."""
        for _ in range(turns):
            if not await self.turn():
                return
        raise AssertionError("the outbox never became empty")

    async def status(self, entity_id: str) -> str:
        """The entity's status."""
        return str((await self.query("SELECT status FROM entity WHERE entity_id = :id", id=entity_id))[0][0])

    async def state(self, saga_id: UUID) -> str:
        """The saga's state by name."""
        async with UnitOfWork(self.engine) as work:
            saga = await read_saga(work.connection, saga_id)
        assert saga is not None
        return type(saga).State.Name(saga.state)

    async def effects(self, key: str) -> list[str]:
        """What took effect for a key, in order, such as `do a`."""
        rows = await self.query("SELECT what, participant FROM effect WHERE key = :key ORDER BY seq", key=key)
        return [f"{what} {participant}" for what, participant in rows]

    async def query(self, sql: str, **parameters: object) -> list[tuple[object, ...]]:
        """Rows of a query, or nothing of a statement; committed."""
        async with self.engine.begin() as connection:
            result = await connection.execute(text(sql), parameters)
            return [tuple(row) for row in result] if result.returns_rows else []


def envelope_of(leased: Leased) -> Envelope:
    """The envelope inside."""
    return Envelope.FromString(leased.envelope)


@asynccontextmanager
async def world(dsn: str, saga: Saga | None = None, *, attempts: int = 3, ttl: float = 30.0) -> AsyncGenerator[World]:
    """A world on an empty database."""
    result = World(dsn, saga or three_steps(), attempts=attempts, ttl=ttl)
    try:
        await create_schema(result.engine)
        destinations = {"destinations": list(PARTICIPANTS)}
        async with result.engine.begin() as connection:
            await connection.execute(
                text("INSERT INTO outbox_destination (destination) SELECT unnest(CAST(:destinations AS text[]))"),
                destinations,
            )
        yield result
    finally:
        await result.engine.dispose()
