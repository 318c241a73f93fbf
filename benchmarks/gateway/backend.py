"""`python -m benchmarks.gateway.backend`: the service behind the fronts. Its answers are ready before it is asked, so
that it never is what a front waits for."""

import asyncio
from collections.abc import Mapping

import uvloop
from google.protobuf.any_pb2 import Any as AnyProto
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from sagamesh.line_provider.v1.event_pb2 import (
    CreateEventRequest,
    Event,
    GetEventRequest,
    ListEventsRequest,
    ListEventsResponse,
    WatchEventRequest,
)

from benchmarks.gateway.canned_http2 import Answer, CannedServer, answer, failure

SERVICE = "sagamesh.line_provider.v1.EventService"
EVENT_ID = "0197a3c2-7d3e-7c50-8a31-d2f3a4b5c6d7"
MISSING_ID = "0197a3c2-7d3e-7c50-8a31-000000000000"
MISSING = "There is no such event."
MANY = 105
"""Events on a long page, and in a stream: 55 KB of JSON."""

FEW = 2
"""Events on a short page."""

_REST_OF_TITLE = (
    "with interviews after the match, the ceremony, and a summary of every match that led to it, by our correspondents"
)
_SERVING = HealthCheckResponse(status=HealthCheckResponse.SERVING).SerializeToString()
_NOON = Timestamp(seconds=1_795_262_400, nanos=500_000_000)


def event(number: int = 0) -> Event:
    """An event, of some 530 bytes of JSON."""
    return Event(
        event_id=EVENT_ID,
        title=f"Final of the regional championship, hall {number + 100}, {_REST_OF_TITLE}",
        deadline=_NOON,
        status=Event.HIGH_SCORE,
        score_count=184_467 + number,
        score_mean=4.25,
        score_histogram=[1024, 2048, 8192, 65_536, 107_667],
        bayesian_mean=4.125,
        etag="17.184484",
        create_time=_NOON,
        update_time=_NOON,
        version=184_484 + number,
    )


def page(size: int) -> ListEventsResponse:
    """A page of events."""
    return ListEventsResponse(events=map(event, range(size)), next_page_token="MDE5N2EzYzItN2QzZQ")


def _nth_event(number: int) -> bytes:
    return event(number).SerializeToString()


def missing() -> Status:
    """The typed error of an event that is not there, as AIP-193 wants it."""
    detail = AnyProto()
    detail.Pack(ErrorInfo(reason="EVENT_NOT_FOUND", domain="line_provider", metadata={"event_id": MISSING_ID}))
    return Status(code=code_pb2.NOT_FOUND, message=MISSING, details=[detail])


def answers() -> Mapping[bytes, Answer]:
    """What the service says to each request, byte for byte."""
    one = answer(event().SerializeToString())
    known: list[tuple[Message, Answer]] = [
        (GetEventRequest(event_id=EVENT_ID), one),
        (GetEventRequest(event_id=MISSING_ID), failure(code_pb2.NOT_FOUND, MISSING, missing().SerializeToString())),
        (CreateEventRequest(event=Event(title=event().title, deadline=_NOON)), one),
        (ListEventsRequest(page_size=FEW, open=True, status=Event.HIGH_SCORE), answer(page(FEW).SerializeToString())),
        (ListEventsRequest(page_size=MANY), answer(page(MANY).SerializeToString())),
        (WatchEventRequest(event_id=EVENT_ID, after_version=17), answer(*map(_nth_event, range(MANY)))),
        (HealthCheckRequest(), answer(_SERVING, open_end=True)),
    ]
    return {request.SerializeToString(): found for request, found in known}


async def _serve() -> None:
    known = answers()
    server = await asyncio.get_running_loop().create_server(lambda: CannedServer(known), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
