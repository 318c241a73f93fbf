"""EventService: messages to domain objects and back. Decides nothing."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from sagamesh.line_provider.v1 import event_pb2, event_pb2_grpc
from sqlalchemy.ext.asyncio import AsyncEngine

from line_provider import commands, queries, tables
from line_provider.domain import Event, Status
from line_provider.errors import DeadlineInvalid
from line_provider.ports import Work
from line_provider.queries import EventFilter
from mesh.idempotency import Once, once
from mesh.masks import masked
from mesh.paging import id_position, limit_of, page_of
from mesh.watch import Watch


class EventServicer(event_pb2_grpc.EventServiceServicer):
    """Owns events and what their scores add up to."""

    SERVICE = event_pb2.DESCRIPTOR.services_by_name["EventService"]

    def __init__(
        self,
        engine: AsyncEngine,
        begin: Callable[[Once | None], Work],
        watch: Watch[Event],
        clock: Callable[[], datetime],
    ) -> None:
        """Takes an engine for reads, what begins a transaction, and a clock that tells UTC."""
        self._engine = engine
        self._begin = begin
        self._watch = watch
        self._clock = clock

    async def CreateEvent(self, request: event_pb2.CreateEventRequest, context: Any) -> event_pb2.Event:
        """Raises TitleInvalid, DeadlineInvalid."""
        work = self._begin(once(tables.request, request, to_proto))
        deadline = _deadline(request.event) if request.event.HasField("deadline") else None
        return to_proto(await commands.create_event(work, request.event.title, deadline, self._clock()))

    async def GetEvent(self, request: event_pb2.GetEventRequest, context: Any) -> event_pb2.Event:
        """Raises EventNotFound."""
        return to_proto(await queries.get_event(self._engine, UUID(request.event_id)))

    async def ListEvents(self, request: event_pb2.ListEventsRequest, context: Any) -> event_pb2.ListEventsResponse:
        """Newest first."""
        before, limit = id_position(request, request.page_token), limit_of(request)
        found = await queries.list_events(self._engine, _filter(request), now=self._clock(), before=before, limit=limit)
        page = page_of(request, found, to_proto, lambda event: event.event_id)
        return event_pb2.ListEventsResponse(events=page.messages, next_page_token=page.token)

    async def UpdateEvent(self, request: event_pb2.UpdateEventRequest, context: Any) -> event_pb2.Event:
        """Raises EventNotFound, EtagMismatch, EventFinished, DeadlinePassed, TitleInvalid, DeadlineInvalid,
        UpdateMaskInvalid."""
        fields = masked(request.event, request.update_mask)
        event = await commands.update_event(
            self._begin(None),
            UUID(request.event.event_id),
            title=request.event.title if "title" in fields else None,
            deadline=_deadline(request.event) if "deadline" in fields else None,
            etag=request.etag,
            now=self._clock(),
        )
        return to_proto(event)

    async def FinishEvent(self, request: event_pb2.FinishEventRequest, context: Any) -> event_pb2.Event:
        """Raises EventNotFound, EtagMismatch."""
        event_id = UUID(request.event_id)
        return to_proto(await commands.finish_event(self._begin(None), event_id, etag=request.etag, now=self._clock()))

    async def WatchEvent(self, request: event_pb2.WatchEventRequest, context: Any) -> AsyncIterator[event_pb2.Event]:
        """Raises EventNotFound. Ends when the server stops."""
        async for event in self._watch.follow(UUID(request.event_id), after_version=request.after_version):
            yield to_proto(event)


def to_proto(event: Event) -> event_pb2.Event:
    """An event as its message."""
    aggregate = event.aggregate
    message = event_pb2.Event(
        event_id=str(event.event_id),
        title=event.title,
        status=aggregate.status.name,
        score_count=aggregate.count,
        score_mean=aggregate.mean,
        score_histogram=aggregate.histogram,
        bayesian_mean=aggregate.bayesian_mean,
        etag=event.etag,
        version=event.version,
    )
    message.deadline.FromDatetime(event.deadline)
    message.create_time.FromDatetime(event.create_time)
    message.update_time.FromDatetime(event.update_time)
    if event.finished_at is not None:
        message.finished_at.FromDatetime(event.finished_at)
    return message


def _deadline(event: event_pb2.Event) -> datetime:
    if not event.HasField("deadline"):
        raise DeadlineInvalid(field="event.deadline")
    return _time(event.deadline)


def _time(timestamp: Timestamp) -> datetime:
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):  # outside the years 1 to 9999
        raise DeadlineInvalid(field="event.deadline") from None


def _filter(request: event_pb2.ListEventsRequest) -> EventFilter:
    is_open = request.open if request.HasField("open") else None
    status = Status[event_pb2.Event.Status.Name(request.status)] if request.status else None
    return EventFilter(is_open, status)
