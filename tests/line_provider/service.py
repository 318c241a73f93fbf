"""A running line_provider on a real database and real sockets, and a client of it. Other services' tests use it."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from grpc import aio
from pydantic import SecretStr
from sagamesh.line_provider.v1 import event_pb2, event_pb2_grpc
from sagamesh.line_provider.v1.commands_pb2 import ApplyScore
from sagamesh.mesh.v1 import envelope_pb2, inbox_pb2, inbox_pb2_grpc

from line_provider.settings import Settings
from line_provider.wiring import wire
from mesh.identifiers import new_id
from mesh.server import Server
from tests.mesh.echo import Keys
from tests.services import bearer, of_worker


@dataclass(frozen=True)
class LineProvider:
    """The server and stubs of it."""

    server: Server
    channel: aio.Channel
    events: "event_pb2_grpc.EventServiceAsyncStub"
    inbox: "inbox_pb2_grpc.InboxServiceAsyncStub"
    manager: Mapping[str, Any]
    user: Mapping[str, Any]
    worker: Mapping[str, Any]

    async def create(self, title: str = "Final", *, lasting: timedelta = timedelta(hours=1)) -> event_pb2.Event:
        """A new event, made by a manager."""
        event = event_pb2.Event(title=title, deadline=datetime.now(UTC) + lasting)
        return await self.events.CreateEvent(event_pb2.CreateEventRequest(event=event), **self.manager)

    async def create_past(self) -> event_pb2.Event:
        """A new event whose deadline has passed when this returns."""
        event = await self.create(lasting=timedelta(milliseconds=100))
        while datetime.now(UTC) <= event.deadline.ToDatetime(UTC):
            await asyncio.sleep(0.01)  # only time makes a deadline pass
        return event

    async def get(self, event_id: str) -> event_pb2.Event:
        """The event as it is."""
        return await self.events.GetEvent(event_pb2.GetEventRequest(event_id=event_id))

    async def finish(self, event_id: str) -> event_pb2.Event:
        """The event, finished by a manager."""
        return await self.events.FinishEvent(event_pb2.FinishEventRequest(event_id=event_id), **self.manager)

    async def deliver(self, *envelopes: envelope_pb2.Envelope) -> list[envelope_pb2.Outcome]:
        """What the inbox makes of messages."""
        request = inbox_pb2.DeliverRequest(envelopes=envelopes)
        return list((await self.inbox.Deliver(request, **self.worker)).outcomes)


def envelope(message: Any, direction: str = "DO", saga_id: str = "") -> envelope_pb2.Envelope:
    """A score command on its way to line_provider, as a step of a saga of its own unless one is given."""
    step = envelope_pb2.SagaStep(saga_id=saga_id or str(new_id()), step="step", direction=direction)
    return envelope_pb2.Envelope(
        message_id=str(new_id()),
        destination="line_provider",
        type=message.DESCRIPTOR.full_name,
        payload=message.SerializeToString(),
        ordering_key=message.score_id,
        saga_step=step,
    )


def a_score(event_id: str, rate: int = 4) -> ApplyScore:
    """The command to count a new score."""
    now = datetime.now(UTC)
    return ApplyScore(score_id=str(new_id()), event_id=event_id, revision=1, rate=rate, submitted_at=now)


@asynccontextmanager
async def serving(dsn: str, keys: Keys, **options: Any) -> AsyncGenerator[LineProvider]:
    """line_provider on a migrated database."""
    chosen: dict[str, Any] = {"drain_grace_seconds": 2.0, **options}
    server = wire(Settings(listen="127.0.0.1:0", database_dsn=SecretStr(dsn), jwks=str(keys.jwks), **chosen))
    async with server, aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield LineProvider(
            server,
            channel,
            event_pb2_grpc.EventServiceStub(channel),
            inbox_pb2_grpc.InboxServiceStub(channel),
            manager=bearer(keys, "boss", "manager"),
            user=bearer(keys, "alice"),
            worker=of_worker(keys),
        )
