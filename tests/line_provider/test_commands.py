"""What commands do and what they refuse, over ports in memory."""

from datetime import datetime

import pytest

from line_provider.commands import change_scores, create_event, finish_event, update_event
from line_provider.domain import Event
from line_provider.errors import (
    DeadlineInvalid,
    DeadlinePassed,
    EtagMismatch,
    EventFinished,
    EventNotFound,
    TitleInvalid,
)
from mesh.errors import Refusal
from mesh.identifiers import new_id
from tests.line_provider.examples import HOUR, NOW, SECOND, an_event, count
from tests.line_provider.fakes import FakeScores, FakeWork, Store


def stored(*events: Event) -> Store:
    return Store({event.event_id: event for event in events})


class TestCreateEvent:
    async def test_the_event_is_kept_and_is_the_answer(self) -> None:
        store = Store()
        work = FakeWork(store)
        event = await create_event(work, "Final", NOW + HOUR, NOW)
        assert store.events == {event.event_id: event}
        assert work.answer == event

    async def test_two_events_may_share_a_title(self) -> None:
        store = Store()
        await create_event(FakeWork(store), "Final", NOW + HOUR, NOW)
        await create_event(FakeWork(store), "Final", NOW + HOUR, NOW)
        assert len(store.events) == 2

    @pytest.mark.parametrize(
        ("title", "deadline", "refusal"),
        [
            (" ", NOW + HOUR, TitleInvalid),
            ("Final", None, DeadlineInvalid),
            ("Final", NOW, DeadlineInvalid),
        ],
    )
    async def test_a_bad_event_is_refused_and_not_kept(
        self, title: str, deadline: datetime | None, refusal: type[Refusal]
    ) -> None:
        store = Store()
        with pytest.raises(refusal):
            await create_event(FakeWork(store), title, deadline, NOW)
        assert not store.events


class TestUpdateEvent:
    async def test_what_is_not_named_stays(self) -> None:
        event = an_event("Final")
        store = stored(event)
        changed = await update_event(
            FakeWork(store), event.event_id, title="Semifinal", deadline=None, etag=event.etag, now=NOW
        )
        assert (changed.title, changed.deadline) == ("Semifinal", event.deadline)
        assert store.events[event.event_id] == changed

    @pytest.mark.parametrize(
        ("etag", "title", "at", "refusal"),
        [
            ("7.1", "Semifinal", NOW, EtagMismatch),
            ("", "", NOW, TitleInvalid),
            ("", "Semifinal", NOW + HOUR, DeadlinePassed),
        ],
    )
    async def test_a_refused_update_changes_nothing(
        self, etag: str, title: str, at: datetime, refusal: type[Refusal]
    ) -> None:
        event = an_event()
        store = stored(event)
        with pytest.raises(refusal):
            await update_event(FakeWork(store), event.event_id, title=title, deadline=None, etag=etag, now=at)
        assert store.events[event.event_id] == event

    async def test_an_unknown_event_is_refused(self) -> None:
        with pytest.raises(EventNotFound) as refused:
            await update_event(FakeWork(Store()), new_id(), title="x", deadline=None, etag="", now=NOW)
        assert refused.value.field == "event.event_id"

    async def test_a_finished_event_is_refused(self) -> None:
        event = an_event().finished(NOW)
        with pytest.raises(EventFinished):
            await update_event(FakeWork(stored(event)), event.event_id, title="x", deadline=None, etag="", now=NOW)


class TestFinishEvent:
    async def test_the_event_is_finished(self) -> None:
        event = an_event()
        store = stored(event)
        finished = await finish_event(FakeWork(store), event.event_id, etag=event.etag, now=NOW + SECOND)
        assert finished.finished_at == NOW + SECOND
        assert store.events[event.event_id] == finished

    async def test_a_repetition_returns_the_event_even_with_the_etag_from_before(self) -> None:
        event = an_event()
        store = stored(event)
        first = await finish_event(FakeWork(store), event.event_id, etag=event.etag, now=NOW)
        assert await finish_event(FakeWork(store), event.event_id, etag=event.etag, now=NOW + SECOND) == first

    async def test_an_event_past_its_deadline_may_be_finished(self) -> None:
        event = an_event()
        finished = await finish_event(FakeWork(stored(event)), event.event_id, etag="", now=NOW + 2 * HOUR)
        assert finished.finished_at == NOW + 2 * HOUR

    async def test_an_old_etag_is_refused(self) -> None:
        event = an_event()
        with pytest.raises(EtagMismatch):
            await finish_event(FakeWork(stored(event)), event.event_id, etag="9.9", now=NOW)

    async def test_an_unknown_event_is_refused(self) -> None:
        with pytest.raises(EventNotFound) as refused:
            await finish_event(FakeWork(Store()), new_id(), etag="", now=NOW)
        assert refused.value.field == "event_id"


class TestChangeScores:
    async def test_each_change_gets_its_own_answer(self) -> None:
        event = an_event()
        changes = [count(event, 4), count(new_id(), 4), count(event, 4, at=event.deadline)]
        answers = await change_scores(FakeScores(stored(event)), changes, NOW)
        assert [type(answer) for answer in answers] == [type(None), EventNotFound, DeadlinePassed]
