"""The same refusals for those who call services without the gateway, and the rpcs that only services may call."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.status_pb2 import Status
from sagamesh.line_provider.v1 import event_pb2, event_pb2_grpc
from sagamesh.mesh.v1 import (
    inbox_pb2,
    inbox_pb2_grpc,
    maintenance_pb2,
    maintenance_pb2_grpc,
    outbox_pb2,
    outbox_pb2_grpc,
    saga_pb2,
    saga_pb2_grpc,
)
from sagamesh.score_maker.v1 import score_pb2, score_pb2_grpc

from mesh.status import refusal_of
from tests.e2e.rows import Rows
from tests.e2e.stage import UNKNOWN, Stage
from tests.e2e.tokens import INVALID, Keys, token_of
from tests.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")

Channels = Mapping[str, grpc.aio.Channel]
EVENTS, SCORES = event_pb2_grpc.EventServiceStub, score_pb2_grpc.ScoreServiceStub
OUTBOX, SAGAS = outbox_pb2_grpc.OutboxServiceStub, saga_pb2_grpc.SagaServiceStub
OWNERS: dict[Any, str] = {EVENTS: "line_provider", inbox_pb2_grpc.InboxServiceStub: "line_provider"}
TITLED = event_pb2.Event(title="The final", deadline=Timestamp(seconds=4102444800))


@dataclass(frozen=True, slots=True)
class Case:
    """A call, by whom it is made, and how it is refused. `at` are the fields that the refusal names."""

    stub: Any  # generated stubs have no common type
    rpc: str
    request: Message | Callable[[Stage], Message]
    reason: str
    at: Sequence[str] = ()
    by: str = "alice"
    code: grpc.StatusCode = grpc.StatusCode.INVALID_ARGUMENT


def score(rate: int, reason: str, *at: str) -> Case:
    """A score that is not one, of an event that is open."""
    return Case(SCORES, "SubmitScore", lambda stage: submit(stage.open, rate), reason, at)


def submit(event_id: str, rate: int = 5, **others: str) -> score_pb2.SubmitScoreRequest:
    """A score."""
    return score_pb2.SubmitScoreRequest(event_id=event_id, rate=rate, **others)


def event(reason: str, at: str, *, title: str = "The final", seconds: int = 4102444800, nanos: int = 0) -> Case:
    """An event that is not one."""
    made = event_pb2.Event(title=title, deadline=Timestamp(seconds=seconds, nanos=nanos))
    return Case(EVENTS, "CreateEvent", event_pb2.CreateEventRequest(event=made), reason, [at], "maria")


def listing(request: Message, at: str) -> Case:
    """A wrong question about events."""
    return Case(EVENTS, "ListEvents", request, "INVALID_ARGUMENT", [at])


def denied(stub: Any, rpc: str, request: Message, by: str) -> Case:
    """A call that its caller may not make."""
    return Case(stub, rpc, request, "PERMISSION_DENIED", (), by, grpc.StatusCode.PERMISSION_DENIED)


PULL = outbox_pb2.PullRequest(owner="mallory", max_envelopes=1)
SETTLE = outbox_pb2.SettleRequest(owner="mallory")
RUN = maintenance_pb2.RunTaskRequest(task="prune")
CASES = {
    "rate 0": score(0, "INVALID_ARGUMENT", "rate"),
    "rate 6": score(6, "INVALID_ARGUMENT", "rate"),
    "an empty request": Case(
        SCORES, "SubmitScore", score_pb2.SubmitScoreRequest(), "INVALID_ARGUMENT", ["event_id", "rate"]
    ),
    "an id that is none": Case(SCORES, "SubmitScore", submit("1"), "INVALID_ARGUMENT", ["event_id"]),
    "an id that is a NUL": Case(SCORES, "SubmitScore", submit("\0"), "INVALID_ARGUMENT", ["event_id"]),
    "a request id that is none": Case(
        SCORES, "SubmitScore", lambda stage: submit(stage.open, request_id="1"), "INVALID_ARGUMENT", ["request_id"]
    ),
    "an unknown event": Case(
        SCORES, "SubmitScore", submit(UNKNOWN), "EVENT_NOT_FOUND", ["event_id"], code=grpc.StatusCode.NOT_FOUND
    ),
    "a finished event": Case(
        SCORES,
        "SubmitScore",
        lambda stage: submit(stage.finished),
        "EVENT_FINISHED",
        ["event_id"],
        code=grpc.StatusCode.FAILED_PRECONDITION,
    ),
    "an event past its deadline": Case(
        SCORES,
        "SubmitScore",
        lambda stage: submit(stage.past),
        "DEADLINE_PASSED",
        ["event_id"],
        code=grpc.StatusCode.FAILED_PRECONDITION,
    ),
    "a user with a NUL": Case(
        SCORES, "ListScores", score_pb2.ListScoresRequest(user_id="\0"), "USER_ID_INVALID", ["user_id"], "maria"
    ),
    "no event": Case(EVENTS, "CreateEvent", event_pb2.CreateEventRequest(), "INVALID_ARGUMENT", ["event"], "maria"),
    "no title": event("TITLE_INVALID", "event.title", title=""),
    "a title with a NUL": event("TITLE_INVALID", "event.title", title="The\0final"),
    "a deadline in the year 0": event("DEADLINE_INVALID", "event.deadline", seconds=-62135596801),
    "a deadline in the year 10000": event("DEADLINE_INVALID", "event.deadline", seconds=253402300800),
    "a deadline at the end of 64 bits": event("DEADLINE_INVALID", "event.deadline", seconds=2**63 - 1),
    "a deadline of two seconds of nanoseconds": event("DEADLINE_INVALID", "event.deadline", nanos=2_000_000_000),
    "no event to edit": Case(
        EVENTS, "UpdateEvent", event_pb2.UpdateEventRequest(), "INVALID_ARGUMENT", ["event"], "maria"
    ),
    "an edit of an event without an id": Case(
        EVENTS, "UpdateEvent", event_pb2.UpdateEventRequest(event=TITLED), "INVALID_ARGUMENT", ["event"], "maria"
    ),
    "a page token that is garbage": listing(event_pb2.ListEventsRequest(page_token="garbage"), "page_token"),
    "a page token that is a NUL": listing(event_pb2.ListEventsRequest(page_token="\0"), "page_token"),
    "a page of -1": listing(event_pb2.ListEventsRequest(page_size=-1), "page_size"),
    "the number of no status": listing(event_pb2.ListEventsRequest(status=99), "status"),  # pyright: ignore[reportArgumentType]
    "a saga whose id is none": Case(
        SAGAS, "GetSaga", saga_pb2.GetSagaRequest(saga_id="x"), "INVALID_ARGUMENT", ["saga_id"], "olga"
    ),
    "sagas of an entity with a NUL": Case(
        SAGAS, "ListSagas", saga_pb2.ListSagasRequest(entity_id="\0"), "INVALID_ARGUMENT", [], "olga"
    ),
    "a destination with a NUL": Case(
        OUTBOX, "PauseDestination", outbox_pb2.PauseDestinationRequest(destination="\0"), "INVALID_ARGUMENT", [], "olga"
    ),
    "an event by a user": denied(EVENTS, "CreateEvent", event_pb2.CreateEventRequest(event=TITLED), "alice"),
    "a score by a service": denied(SCORES, "SubmitScore", submit(UNKNOWN), "score_maker"),
    "a pull by a user": denied(OUTBOX, "Pull", PULL, "alice"),
    "a pull by a manager": denied(OUTBOX, "Pull", PULL, "maria"),
    "a pull by an operator": denied(OUTBOX, "Pull", PULL, "olga"),
    "a pull by another service": denied(OUTBOX, "Pull", PULL, "score_maker"),
    "a settlement by an operator": denied(OUTBOX, "Settle", SETTLE, "olga"),
    "a delivery by an operator": denied(inbox_pb2_grpc.InboxServiceStub, "Deliver", inbox_pb2.DeliverRequest(), "olga"),
    "a delivery by another service": denied(
        inbox_pb2_grpc.InboxServiceStub, "Deliver", inbox_pb2.DeliverRequest(), "score_maker"
    ),
    "a task by a manager": denied(maintenance_pb2_grpc.MaintenanceServiceStub, "RunTask", RUN, "maria"),
    "a pause by a manager": denied(
        OUTBOX, "PauseDestination", outbox_pb2.PauseDestinationRequest(destination="line_provider"), "maria"
    ),
    "the backlog to a user": denied(OUTBOX, "GetBacklog", outbox_pb2.GetBacklogRequest(), "alice"),
    "a saga to a user": denied(SAGAS, "GetSaga", saga_pb2.GetSagaRequest(saga_id=UNKNOWN), "alice"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def channels(system: System) -> AsyncIterator[Channels]:
    """A channel to each service, past the gateway."""
    options = [("grpc.enable_http_proxy", 0)]
    opened = {
        name: grpc.aio.insecure_channel(system.address(name), options) for name in ("line_provider", "score_maker")
    }
    yield opened
    for channel in opened.values():
        await channel.close()


def bearer(token: str) -> Sequence[tuple[str, str]]:
    """The metadata of a token."""
    return (("authorization", f"Bearer {token}"),)


async def refused(call: Any) -> tuple[grpc.StatusCode, str, list[str]]:
    """The code, the reason and the fields with which a call is refused. Fails when it is not."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    trailers = dict(raised.value.trailing_metadata() or ())
    details = trailers["grpc-status-details-bin"]
    assert isinstance(details, bytes)
    refusal = refusal_of(Status.FromString(details))
    assert refusal is not None
    assert refusal.message == raised.value.details()
    violations: Mapping[str, str] = getattr(refusal, "violations", {})
    return raised.value.code(), refusal.reason, list(violations) or ([refusal.field] if refusal.field else [])


@pytest.mark.parametrize("name", CASES)
async def test_a_wrong_call_is_refused_by_name_and_writes_nothing(
    name: str, system: System, channels: Channels, rows: Rows, stage: Stage
):
    case = CASES[name]
    request = case.request if isinstance(case.request, Message) else case.request(stage)
    rpc = getattr(case.stub(channels[OWNERS.get(case.stub, "score_maker")]), case.rpc)
    async with rows.unchanged():
        answer = await refused(rpc(request, metadata=bearer(token_of(system, case.by)), timeout=10))
    assert answer == (case.code, case.reason, list(case.at))


@pytest.mark.parametrize("name", ["nobody", *INVALID])
async def test_a_bad_token_opens_nothing(name: str, system: System, channels: Channels, rows: Rows, stage: Stage):
    token = INVALID[name](Keys.of(system)) if name in INVALID else None
    metadata = () if token is None else bearer(token)
    reason = "TOKEN_MISSING" if token is None else "TOKEN_INVALID"
    async with rows.unchanged():
        for call in (
            SCORES(channels["score_maker"]).SubmitScore(submit(stage.open), metadata=metadata, timeout=10),
            EVENTS(channels["line_provider"]).CreateEvent(
                event_pb2.CreateEventRequest(event=TITLED), metadata=metadata, timeout=10
            ),
            OUTBOX(channels["score_maker"]).Pull(PULL, metadata=metadata, timeout=10),
        ):
            assert await refused(call) == (grpc.StatusCode.UNAUTHENTICATED, reason, [])


async def test_bytes_that_are_no_message_are_an_invalid_argument(
    system: System, channels: Channels, rows: Rows, stage: Stage
):
    untyped: Any = channels["score_maker"]
    rpc = untyped.unary_unary("/sagamesh.score_maker.v1.ScoreService/SubmitScore")
    async with rows.unchanged():
        code, _, _ = await refused(rpc(b"\xff\xff", metadata=bearer(system.token("alice")), timeout=10))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
