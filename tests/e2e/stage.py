"""What requests that are refused are made against: events and a score in every state that matters."""

from dataclasses import asdict, dataclass

from tests.e2e.ratings import Json, Ratings, done, soon

UNKNOWN = "0197a3c2-7d3e-7c50-8a31-d2f3a4b5c6d7"


@dataclass(frozen=True, slots=True)
class Stage:
    """The ids of an open event, one that is finished, one whose deadline is past, and alice's score of each of the
    last two."""

    open: str
    finished: str
    past: str
    finished_score: str
    past_score: str
    unknown: str = UNKNOWN

    def fill(self, path: str) -> str:
        """A path with its `{open}` and others replaced."""
        return path.format(**asdict(self))


async def set_up(ratings: Ratings) -> Stage:
    """Makes them."""
    alice = ratings.system.user("alice")
    past = await ratings.create_event(closes_in=3)
    past_score = await ratings.rate(alice, past["eventId"], 4)
    finished, still_open = await ratings.create_event(), await ratings.create_event()
    finished_score = await ratings.rate(alice, finished["eventId"], 4)
    await ratings.finish(finished["eventId"])
    await _closed(ratings, past["eventId"])
    return Stage(
        still_open["eventId"],
        finished["eventId"],
        past["eventId"],
        finished_score["scoreId"],
        past_score["scoreId"],
    )


async def _closed(ratings: Ratings, event_id: str) -> None:
    async def look() -> Json | None:
        listed = done(await ratings.http.get("/v1/events", params={"open": "false"}))
        return next((event for event in listed["events"] if event["eventId"] == event_id), None)

    await soon(look)
