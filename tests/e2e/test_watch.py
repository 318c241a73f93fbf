"""An event as it changes, over one HTTP response."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.e2e.ratings import Headers, Json, Ratings

SSE = {"Accept": "text/event-stream"}


@dataclass(frozen=True, slots=True)
class Change:
    """One message of the stream: the id that a browser would send back, and the event."""

    id: int
    event: Json


@asynccontextmanager
async def watching(ratings: Ratings, event_id: str, **headers: str) -> AsyncGenerator[AsyncIterator[Change]]:
    """The changes of an event as Server-Sent Events, while the block lasts."""
    path = f"/v1/events/{event_id}:watch"
    async with asyncio.timeout(20), ratings.http.stream("GET", path, headers={**SSE, **headers}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        yield _changes(response.aiter_lines())


async def _changes(lines: AsyncIterator[str]) -> AsyncIterator[Change]:
    number = 0
    async for line in lines:
        name, _, value = line.partition(": ")
        assert name in ("", "id", "data"), line
        if name == "id":
            number = int(value)
        if name == "data":
            yield Change(number, json.loads(value))


async def until_count(changes: AsyncIterator[Change], count: int) -> list[Change]:
    """The changes up to the one after which so many scores count."""
    seen: list[Change] = []
    while not seen or seen[-1].event.get("scoreCount") != str(count):
        seen.append(await anext(changes))
    return seen


async def test_a_watcher_sees_the_event_and_then_its_scores_in_strictly_rising_versions(ratings: Ratings):
    event = await ratings.create_event()
    async with watching(ratings, event["eventId"]) as changes:
        first = await anext(changes)
        assert (first.id, first.event) == (int(event["version"]), event)
        users = [ratings.somebody() for _ in range(8)]
        await asyncio.gather(*(ratings.submit(user, event["eventId"], 5) for user in users))
        seen = [first, *await until_count(changes, 8)]
    numbers = [change.id for change in seen]
    assert numbers == sorted(set(numbers))
    assert numbers == [int(change.event["version"]) for change in seen]
    assert seen[-1].event == await ratings.event(event["eventId"])


async def test_a_watcher_who_comes_back_gets_only_what_is_new(ratings: Ratings, alice: Headers, bob: Headers):
    event = await ratings.create_event()
    await ratings.rate(alice, event["eventId"], 5)
    async with watching(ratings, event["eventId"]) as changes:
        last = await anext(changes)
    async with watching(ratings, event["eventId"], **{"Last-Event-ID": str(last.id)}) as changes:
        await ratings.rate(bob, event["eventId"], 1)
        change = await anext(changes)
    assert change.id > last.id
    assert change.event["scoreHistogram"] == ["1", "0", "0", "0", "1"]


async def test_edits_and_the_finish_are_changes_too(ratings: Ratings, manager: Headers):
    event = await ratings.create_event("Draft")
    async with watching(ratings, event["eventId"]) as changes:
        await anext(changes)
        path = f"/v1/events/{event['eventId']}"
        await ratings.http.patch(path, headers=manager, json={"title": "Final"})
        assert (await anext(changes)).event["title"] == "Final"
        await ratings.finish(event["eventId"])
        assert (await anext(changes)).event["finishedAt"]


async def test_many_watch_one_event_and_all_end_at_the_same_version(ratings: Ratings, alice: Headers):
    event = await ratings.create_event()

    async def watch() -> Change:
        async with watching(ratings, event["eventId"]) as changes:
            await anext(changes)
            started.release()
            return (await until_count(changes, 1))[-1]

    started = asyncio.Semaphore(0)
    watchers = [asyncio.create_task(watch()) for _ in range(20)]
    for _ in watchers:
        await started.acquire()
    await ratings.rate(alice, event["eventId"], 5)
    counted = await ratings.event(event["eventId"])
    assert [change.event for change in await asyncio.gather(*watchers)] == [counted] * len(watchers)


async def test_a_program_reads_the_same_stream_as_lines_of_json(ratings: Ratings, alice: Headers):
    event = await ratings.create_event()
    path, lines_of_json = f"/v1/events/{event['eventId']}:watch", {"Accept": "application/x-ndjson"}
    async with asyncio.timeout(20), ratings.http.stream("GET", path, headers=lines_of_json) as response:
        assert response.headers["content-type"] == "application/x-ndjson"
        lines = response.aiter_lines()
        assert json.loads(await anext(lines)) == event
        await ratings.rate(alice, event["eventId"], 2)
        assert json.loads(await anext(lines))["status"] == "LOW_SCORE"
