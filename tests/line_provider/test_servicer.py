"""EventService over real sockets and a real database: every success, and every refusal with its reason and field."""

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from sagamesh.line_provider.v1 import event_pb2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.identifiers import new_id
from tests.line_provider.service import LineProvider, a_score, envelope
from tests.services import refusal

HOUR = timedelta(hours=1)
Event = event_pb2.Event


def soon() -> datetime:
    return datetime.now(UTC) + HOUR


async def events_kept(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return (await connection.execute(text("SELECT count(*) FROM event"))).scalar_one()


class TestCreateEvent:
    async def test_a_new_event_waits_for_scores(self, service: LineProvider) -> None:
        event = await service.create("Final")
        assert (event.title, event.status, event.score_count) == ("Final", Event.PROCESSING, 0)
        assert list(event.score_histogram) == [0, 0, 0, 0, 0]
        assert (event.score_mean, event.bayesian_mean, event.etag, event.version) == (0, 3, "1.1", 1)
        assert not event.HasField("finished_at")
        assert await service.get(event.event_id) == event

    async def test_a_repeated_request_gets_the_first_answer(self, service: LineProvider, engine: AsyncEngine) -> None:
        request = event_pb2.CreateEventRequest(event=Event(title="Final", deadline=soon()), request_id=str(new_id()))
        first = await service.events.CreateEvent(request, **service.manager)
        assert await service.events.CreateEvent(request, **service.manager) == first
        assert await events_kept(engine) == 1

    async def test_the_same_request_id_with_another_body_is_refused(self, service: LineProvider) -> None:
        request = event_pb2.CreateEventRequest(event=Event(title="Final", deadline=soon()), request_id=str(new_id()))
        await service.events.CreateEvent(request, **service.manager)
        request.event.title = "Semifinal"
        assert await refusal(service.events.CreateEvent(request, **service.manager)) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "REQUEST_ID_REUSED",
            ["request_id"],
        )

    @pytest.mark.parametrize(
        ("event", "reason", "field"),
        [
            (Event(deadline=soon()), "TITLE_INVALID", "event.title"),
            (Event(title="  ", deadline=soon()), "TITLE_INVALID", "event.title"),
            (Event(title="a\0b", deadline=soon()), "TITLE_INVALID", "event.title"),
            (Event(title="x" * 201, deadline=soon()), "INVALID_ARGUMENT", "event.title"),
            (Event(title="Final"), "DEADLINE_INVALID", "event.deadline"),
            (Event(title="Final", deadline=datetime(2020, 1, 1, tzinfo=UTC)), "DEADLINE_INVALID", "event.deadline"),
            (Event(title="Final", deadline=Timestamp(seconds=10**15)), "DEADLINE_INVALID", "event.deadline"),
            (Event(title="Final", deadline=soon(), event_id="7"), "INVALID_ARGUMENT", "event.event_id"),
        ],
    )
    async def test_a_bad_event_is_refused_and_not_kept(
        self, service: LineProvider, engine: AsyncEngine, event: Event, reason: str, field: str
    ) -> None:
        request = event_pb2.CreateEventRequest(event=event)
        refused = await refusal(service.events.CreateEvent(request, **service.manager))
        assert refused == (grpc.StatusCode.INVALID_ARGUMENT, reason, [field])
        assert await events_kept(engine) == 0

    async def test_a_missing_event_is_refused(self, service: LineProvider) -> None:
        refused = await refusal(service.events.CreateEvent(event_pb2.CreateEventRequest(), **service.manager))
        assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", ["event"])

    async def test_only_a_manager_creates_events(self, service: LineProvider) -> None:
        request = event_pb2.CreateEventRequest(event=Event(title="Final", deadline=soon()))
        assert (await refusal(service.events.CreateEvent(request)))[0] is grpc.StatusCode.UNAUTHENTICATED
        assert (await refusal(service.events.CreateEvent(request, **service.user)))[0] is (
            grpc.StatusCode.PERMISSION_DENIED
        )


class TestGetEvent:
    async def test_an_unknown_event_is_refused(self, service: LineProvider) -> None:
        assert await refusal(service.get(str(new_id()))) == (grpc.StatusCode.NOT_FOUND, "EVENT_NOT_FOUND", ["event_id"])

    async def test_what_is_no_id_is_refused(self, service: LineProvider) -> None:
        assert await refusal(service.get("7")) == (
            grpc.StatusCode.INVALID_ARGUMENT,
            "INVALID_ARGUMENT",
            ["event_id"],
        )


class TestUpdateEvent:
    async def update(
        self, service: LineProvider, event_id: str, *paths: str, etag: str = "", **fields: Any
    ) -> event_pb2.Event:
        request = event_pb2.UpdateEventRequest(
            event=Event(event_id=event_id, **fields), update_mask=FieldMask(paths=paths), etag=etag
        )
        return await service.events.UpdateEvent(request, **service.manager)

    async def test_the_mask_says_what_changes(self, service: LineProvider) -> None:
        event = await service.create("Final")
        changed = await self.update(service, event.event_id, "title", title="Semifinal", deadline=soon())
        assert (changed.title, changed.deadline, changed.etag) == ("Semifinal", event.deadline, "2.2")
        assert await service.get(event.event_id) == changed

    async def test_without_a_mask_the_fields_that_are_set_change(self, service: LineProvider) -> None:
        event, later = await service.create("Final"), datetime(2100, 1, 1, tzinfo=UTC)
        changed = await self.update(service, event.event_id, deadline=later)
        assert (changed.title, changed.deadline.ToDatetime(UTC)) == ("Final", later)

    async def test_a_star_stands_for_everything(self, service: LineProvider) -> None:
        event, later = await service.create("Final"), datetime(2100, 1, 1, tzinfo=UTC)
        changed = await self.update(service, event.event_id, "*", title="Semifinal", deadline=later)
        assert (changed.title, changed.deadline.ToDatetime(UTC)) == ("Semifinal", later)

    async def test_output_only_fields_in_the_mask_are_ignored(self, service: LineProvider) -> None:
        event = await service.create("Final")
        changed = await self.update(service, event.event_id, "status", "etag", "title", title="Semifinal", etag="1.1")
        assert (changed.title, changed.status) == ("Semifinal", Event.PROCESSING)

    async def test_an_update_that_changes_nothing_leaves_the_etag(self, service: LineProvider) -> None:
        event = await service.create("Final")
        assert await self.update(service, event.event_id, title="Final") == event

    async def test_an_etag_from_before_a_score_is_still_good(self, service: LineProvider) -> None:
        event = await service.create("Final")
        await service.deliver(envelope(a_score(event.event_id)))
        changed = await self.update(service, event.event_id, "title", title="Semifinal", etag=event.etag)
        assert changed.etag == "2.3"

    @pytest.mark.parametrize(
        ("paths", "fields", "code", "reason", "field"),
        [
            (["titel"], {"title": "x"}, grpc.StatusCode.INVALID_ARGUMENT, "UPDATE_MASK_INVALID", "update_mask"),
            (["title.x"], {"title": "x"}, grpc.StatusCode.INVALID_ARGUMENT, "UPDATE_MASK_INVALID", "update_mask"),
            (["title"], {}, grpc.StatusCode.INVALID_ARGUMENT, "TITLE_INVALID", "event.title"),
            (["deadline"], {}, grpc.StatusCode.INVALID_ARGUMENT, "DEADLINE_INVALID", "event.deadline"),
            (
                [],
                {"deadline": datetime(2020, 1, 1, tzinfo=UTC)},
                grpc.StatusCode.INVALID_ARGUMENT,
                "DEADLINE_INVALID",
                "event.deadline",
            ),
            (["title"], {"title": "x", "etag": "5.1"}, grpc.StatusCode.ABORTED, "ETAG_MISMATCH", "etag"),
            (["title"], {"title": "x", "etag": "?"}, grpc.StatusCode.ABORTED, "ETAG_MISMATCH", "etag"),
        ],
    )
    async def test_a_bad_update_is_refused_and_changes_nothing(
        self,
        service: LineProvider,
        paths: list[str],
        fields: dict[str, Any],
        code: grpc.StatusCode,
        reason: str,
        field: str,
    ) -> None:
        event = await service.create("Final")
        assert await refusal(self.update(service, event.event_id, *paths, **fields)) == (code, reason, [field])
        assert await service.get(event.event_id) == event

    async def test_an_unknown_event_is_refused(self, service: LineProvider) -> None:
        refused = await refusal(self.update(service, str(new_id()), title="x"))
        assert refused == (grpc.StatusCode.NOT_FOUND, "EVENT_NOT_FOUND", ["event.event_id"])

    async def test_an_event_without_an_id_is_refused(self, service: LineProvider) -> None:
        code, _, [field] = await refusal(self.update(service, "", title="x"))
        assert (code, field) == (grpc.StatusCode.INVALID_ARGUMENT, "event")

    async def test_a_finished_event_is_refused(self, service: LineProvider) -> None:
        event = await service.create()
        await service.finish(event.event_id)
        refused = await refusal(self.update(service, event.event_id, title="x"))
        assert refused == (grpc.StatusCode.FAILED_PRECONDITION, "EVENT_FINISHED", ["event.event_id"])

    async def test_an_event_past_its_deadline_is_refused(self, service: LineProvider, engine: AsyncEngine) -> None:
        event = await service.create()
        await pass_deadlines(engine)
        refused = await refusal(self.update(service, event.event_id, title="x"))
        assert refused == (grpc.StatusCode.FAILED_PRECONDITION, "DEADLINE_PASSED", ["event.event_id"])


class TestFinishEvent:
    async def test_finishing_twice_is_finishing_once(self, service: LineProvider) -> None:
        event = await service.create()
        finished = await service.finish(event.event_id)
        assert finished.HasField("finished_at")
        assert await service.finish(event.event_id) == finished == await service.get(event.event_id)

    async def test_an_unknown_event_is_refused(self, service: LineProvider) -> None:
        refused = await refusal(service.finish(str(new_id())))
        assert refused == (grpc.StatusCode.NOT_FOUND, "EVENT_NOT_FOUND", ["event_id"])

    async def test_an_old_etag_is_refused(self, service: LineProvider) -> None:
        request = event_pb2.FinishEventRequest(event_id=(await service.create()).event_id, etag="4.1")
        refused = await refusal(service.events.FinishEvent(request, **service.manager))
        assert refused == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH", ["etag"])

    async def test_only_a_manager_finishes_events(self, service: LineProvider) -> None:
        request = event_pb2.FinishEventRequest(event_id=(await service.create()).event_id)
        code, _, _ = await refusal(service.events.FinishEvent(request, **service.user))
        assert code is grpc.StatusCode.PERMISSION_DENIED


class TestListEvents:
    async def titles(self, service: LineProvider, **wanted: Any) -> list[str]:
        response = await service.events.ListEvents(event_pb2.ListEventsRequest(**wanted))
        return [event.title for event in response.events]

    async def test_pages_show_every_event_once_newest_first(self, service: LineProvider) -> None:
        made = [(await service.create(f"event {number}")).title for number in range(7)]
        seen, token, sizes = list[str](), "", list[int]()
        while True:
            request = event_pb2.ListEventsRequest(page_size=3, page_token=token)
            page = await service.events.ListEvents(request)
            seen += [event.title for event in page.events]
            sizes.append(len(page.events))
            if not (token := page.next_page_token):
                break
            await service.create(f"meanwhile {len(seen)}")  # must not push what follows
        assert seen == made[::-1]
        assert sizes == [3, 3, 1]

    async def test_open_events_are_told_from_those_that_are_not(
        self, service: LineProvider, engine: AsyncEngine
    ) -> None:
        await service.create("past")
        await pass_deadlines(engine)
        finished = await service.create("finished")
        await service.finish(finished.event_id)
        await service.create("open")
        assert await self.titles(service, open=True) == ["open"]
        assert await self.titles(service, open=False) == ["finished", "past"]
        assert await self.titles(service) == ["open", "finished", "past"]

    async def test_events_are_found_by_status(self, service: LineProvider) -> None:
        low, high = await service.create("low"), await service.create("high")
        await service.create("none")
        await service.deliver(envelope(a_score(low.event_id, 1)), envelope(a_score(high.event_id, 5)))
        assert await self.titles(service, status=Event.LOW_SCORE) == ["low"]
        assert await self.titles(service, status=Event.HIGH_SCORE) == ["high"]
        assert await self.titles(service, status=Event.PROCESSING) == ["none"]
        assert await self.titles(service, status=Event.HIGH_SCORE, open=True) == ["high"]

    @pytest.mark.parametrize(
        ("wanted", "field"),
        [
            ({"page_token": "x"}, "page_token"),
            ({"page_size": -1}, "page_size"),
            ({"page_size": 501}, "page_size"),
            ({"status": 77}, "status"),
        ],
    )
    async def test_a_bad_list_request_is_refused(
        self, service: LineProvider, wanted: dict[str, Any], field: str
    ) -> None:
        code, _, fields = await refusal(self.titles(service, **wanted))
        assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, [field])

    async def test_a_token_of_another_query_is_refused(self, service: LineProvider) -> None:
        for _ in range(2):
            await service.create()
        page = await service.events.ListEvents(event_pb2.ListEventsRequest(page_size=1))
        code, _, fields = await refusal(self.titles(service, open=True, page_token=page.next_page_token))
        assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["page_token"])


async def pass_deadlines(engine: AsyncEngine) -> None:
    """Lets the deadline of every event pass."""
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE event SET deadline = now() - interval '1 second'"))
