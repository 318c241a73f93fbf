"""OutboxService over the tables of the service that mounts it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sagamesh.mesh.v1 import outbox_pb2, outbox_pb2_grpc
from sagamesh.mesh.v1.envelope_pb2 import Envelope
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.errors import NotFound
from mesh.outbox.backlog import read_backlog
from mesh.outbox.dead_letters import list_dead_letters, redrive
from mesh.outbox.pull import Puller, PullOrder
from mesh.outbox.settle import RetryPolicy, Settlement, Settler
from mesh.paging import id_position, limit_of, page_of
from mesh.retention import REMEMBERED
from mesh.saga.engine import Sagas
from mesh.signal import Signal
from mesh.uow import UnitOfWork


class DestinationNotFound(NotFound):
    """This service sends nothing to such a destination."""

    reason = "DESTINATION_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class OutboxOptions:
    """A lease's length and a waiting pull's own look, in seconds; and how failures are retried."""

    lease_ttl: float = 6.0
    poll: float = 0.5
    retry: RetryPolicy = field(default_factory=RetryPolicy)


_REGISTER = text(
    """INSERT INTO outbox_destination (destination) SELECT unnest(CAST(:destinations AS text[]))
    ON CONFLICT DO NOTHING"""
)
_PAUSE = text("UPDATE outbox_destination SET paused = :paused WHERE destination = :destination")


class OutboxServicer(outbox_pb2_grpc.OutboxServiceServicer):
    """Hands out the outbox. `draining` ends waiting pulls when the server stops."""

    SERVICE = outbox_pb2.DESCRIPTOR.services_by_name["OutboxService"]

    def __init__(
        self, engine: AsyncEngine, sagas: Sagas, signal: Signal, draining: asyncio.Event, options: OutboxOptions
    ) -> None:
        self._engine = engine
        self._sagas = sagas
        self._signal = signal
        self._draining = draining
        self._puller = Puller(engine, signal, ttl=options.lease_ttl, poll=options.poll)
        self._settler = Settler(engine, sagas, options.retry)

    async def register(self, destinations: Iterable[str]) -> None:
        """Makes destinations known: only a known one is pulled. Called at start."""
        async with UnitOfWork(self._engine) as work:
            await work.connection.execute(_REGISTER, {"destinations": sorted(destinations)})
            await work.commit()

    async def Pull(self, request: outbox_pb2.PullRequest, context: Any) -> outbox_pb2.PullResponse:
        """Waits for work."""
        response = outbox_pb2.PullResponse()
        if request.leaving:
            await self._puller.leave(request.owner)
            return response
        order = PullOrder(
            owner=request.owner,
            limit=request.max_envelopes,
            wait=request.wait.ToTimedelta().total_seconds(),
            in_flight=[UUID(message_id) for message_id in request.in_flight],
            skip=list(request.skip_destinations),
        )
        messages, lease = await self._puller.pull(order, self._draining)
        for message in messages:
            leased = response.envelopes.add(epoch=message.epoch, attempts=message.attempts)
            leased.envelope.CopyFrom(Envelope.FromString(message.envelope))
        response.leased_buckets = lease.buckets
        response.lease_remaining.FromTimedelta(timedelta(seconds=max(0.0, lease.remaining)))
        return response

    async def Settle(self, request: outbox_pb2.SettleRequest, context: Any) -> outbox_pb2.SettleResponse:
        """Takes what became of messages."""
        settlements = [Settlement(item.outcome, item.epoch) for item in request.settlements]
        settled = await self._settler.settle(request.owner, settlements)
        return outbox_pb2.SettleResponse(
            ignored=[str(message_id) for message_id in settled.ignored],
            failed=[str(message_id) for message_id in settled.failed],
        )

    async def GetBacklog(self, request: outbox_pb2.GetBacklogRequest, context: Any) -> outbox_pb2.GetBacklogResponse:
        """What waits."""
        async with UnitOfWork(self._engine) as work:
            backlog = await read_backlog(work.connection)
        response = outbox_pb2.GetBacklogResponse()
        for row in backlog:
            item = response.destinations.add(
                destination=row.destination,
                depth=row.depth,
                dead_letters=row.dead_letters,
                parked_keys=row.parked_keys,
                paused=row.paused,
            )
            item.oldest_age.FromTimedelta(timedelta(seconds=row.oldest_age))
        return response

    async def ListDeadLetters(
        self, request: outbox_pb2.ListDeadLettersRequest, context: Any
    ) -> outbox_pb2.ListDeadLettersResponse:
        """Oldest message first."""
        after = id_position(request, request.page_token)
        async with UnitOfWork(self._engine) as work:
            found = await list_dead_letters(work.connection, after=after, limit=limit_of(request))
        page = page_of(request, found, lambda letter: letter, lambda letter: letter.envelope.message_id)
        return outbox_pb2.ListDeadLettersResponse(dead_letters=page.messages, next_page_token=page.token)

    async def Redrive(self, request: outbox_pb2.RedriveRequest, context: Any) -> outbox_pb2.RedriveResponse:
        """Raises DeadLetterNotFound, NotRedrivable, TooOldToRedrive."""
        async with UnitOfWork(self._engine) as work:
            await redrive(work, self._sagas, UUID(request.message_id), REMEMBERED)
            work.on_commit(self._signal.ring)
            await work.commit()
        return outbox_pb2.RedriveResponse()

    async def PauseDestination(
        self, request: outbox_pb2.PauseDestinationRequest, context: Any
    ) -> outbox_pb2.PauseDestinationResponse:
        """Raises DestinationNotFound."""
        await self._set_paused(request.destination, paused=True)
        return outbox_pb2.PauseDestinationResponse()

    async def ResumeDestination(
        self, request: outbox_pb2.ResumeDestinationRequest, context: Any
    ) -> outbox_pb2.ResumeDestinationResponse:
        """Raises DestinationNotFound."""
        await self._set_paused(request.destination, paused=False)
        return outbox_pb2.ResumeDestinationResponse()

    async def _set_paused(self, destination: str, *, paused: bool) -> None:
        async with UnitOfWork(self._engine) as work:
            changed = await work.connection.execute(_PAUSE, {"destination": destination, "paused": paused})
            if changed.rowcount == 0:
                raise DestinationNotFound(field="destination")
            work.on_commit(self._signal.ring)
            await work.commit()
