"""Other services as ports. Knows stubs and their failures; decides nothing."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC
from uuid import UUID

import grpc
from grpc import aio
from sagamesh.line_provider.v1 import event_pb2, event_pb2_grpc

from mesh.call import CURRENT, Call, current_call
from score_maker.domain import Event
from score_maker.errors import EventNotFound, EventsUnavailable

_NO_ANSWER = frozenset(
    {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
)


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at an event. Its answer is as old as the look, whenever it arrives."""

    since: float
    answer: asyncio.Task[Event]


class EventClient:
    """Port Events at line_provider. A look serves everybody who asks within `keep` seconds, also before its answer
    is there; a failure is kept for nobody."""

    SERVICE = event_pb2.DESCRIPTOR.services_by_name["EventService"]

    def __init__(
        self,
        channel: aio.Channel,
        *,
        keep: float = 1.0,
        timeout: float = 2.0,
        size: int = 4096,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stub = event_pb2_grpc.EventServiceStub(channel)
        self._keep = keep
        self._timeout = timeout
        self._size = size
        self._clock = clock
        self._looks: OrderedDict[UUID, _Look] = OrderedDict()

    async def get(self, event_id: UUID) -> Event:
        """An event as it was at most `keep` seconds ago. Raises EventNotFound, EventsUnavailable."""
        look = self._looks.get(event_id)
        if look is None or self._clock() - look.since >= self._keep:
            look = self._begin(event_id)
        return await asyncio.shield(look.answer)  # one caller that gives up must not take the answer from the others

    def _begin(self, event_id: UUID) -> _Look:
        # The look outlives its first caller, so it has that caller's trace but not its deadline.
        context = copy_context()
        context.run(CURRENT.set, Call(traceparent=current_call().traceparent))
        look = _Look(self._clock(), asyncio.create_task(self._ask(event_id), context=context))
        look.answer.add_done_callback(lambda answer: self._forget_failure(event_id, answer))
        self._looks[event_id] = look
        self._looks.move_to_end(event_id)
        if len(self._looks) > self._size:
            self._looks.popitem(last=False)
        return look

    async def _ask(self, event_id: UUID) -> Event:
        request = event_pb2.GetEventRequest(event_id=str(event_id))
        try:
            return _event(await self._stub.GetEvent(request, timeout=self._timeout))
        except aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise EventNotFound(field="event_id") from None
            if error.code() in _NO_ANSWER:
                raise EventsUnavailable(retry_after=1.0) from error
            raise

    def _forget_failure(self, event_id: UUID, answer: asyncio.Task[Event]) -> None:
        if answer.cancelled() or answer.exception() is not None:
            look = self._looks.get(event_id)
            if look is not None and look.answer is answer:
                del self._looks[event_id]


def _event(message: event_pb2.Event) -> Event:
    finished_at = message.finished_at.ToDatetime(UTC) if message.HasField("finished_at") else None
    return Event(UUID(message.event_id), message.deadline.ToDatetime(UTC), finished_at)
