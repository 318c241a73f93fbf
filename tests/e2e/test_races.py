"""Requests that meet: whoever comes first wins, the others are told so, and nothing is counted twice."""

import asyncio
import uuid
from collections import Counter

from tests.e2e.ratings import Headers, Ratings, done, in_seconds, reason_of

AT_ONCE = 12


async def test_one_users_first_scores_of_an_event_become_one_score(ratings: Ratings, alice: Headers):
    event = await ratings.create_event()
    async with ratings.paused("line_provider"):
        answers = await asyncio.gather(
            *(ratings.submit(alice, event["eventId"], 1 + number % 5) for number in range(AT_ONCE))
        )
        taken = [done(answer) for answer in answers if answer.status_code == 200]
        refused = [reason_of(answer) for answer in answers if answer.status_code != 200]
        assert len({(score["scoreId"], score["rate"], score["revision"]) for score in taken}) == 1
        assert set(refused) == {"SCORE_PENDING"}
    await ratings.settled(alice, taken[0]["scoreId"])
    counted = await ratings.event(event["eventId"])
    assert (counted["scoreCount"], counted["scoreMean"]) == ("1", float(taken[0]["rate"]))


async def test_one_request_sent_many_times_at_once_creates_one_event(ratings: Ratings, manager: Headers):
    headers = {**manager, "Idempotency-Key": str(uuid.uuid4())}
    body = {"title": "The final", "deadline": in_seconds(60)}
    answers = await asyncio.gather(
        *(ratings.http.post("/v1/events", headers=headers, json=body) for _ in range(AT_ONCE))
    )
    assert Counter((answer.status_code, answer.content) for answer in answers) == {(201, answers[0].content): AT_ONCE}


async def test_of_edits_that_start_from_one_version_one_is_made(ratings: Ratings, manager: Headers):
    event = await ratings.create_event()
    path, headers = f"/v1/events/{event['eventId']}", {**manager, "If-Match": f'"{event["etag"]}"'}
    answers = await asyncio.gather(
        *(ratings.http.patch(path, headers=headers, json={"title": f"Edit {number}"}) for number in range(AT_ONCE))
    )
    made = [answer for answer in answers if answer.status_code == 200]
    assert Counter(reason_of(answer) for answer in answers if answer not in made) == {"ETAG_MISMATCH": AT_ONCE - 1}
    assert await ratings.event(event["eventId"]) == done(made[0])


async def test_scores_that_meet_the_finish_are_counted_or_refused_with_the_reason(ratings: Ratings):
    event = await ratings.create_event()
    users = [ratings.somebody() for _ in range(AT_ONCE)]
    half = AT_ONCE // 2
    answers, _ = await asyncio.gather(
        asyncio.gather(*(ratings.submit(user, event["eventId"], 5) for user in users[:half])),
        ratings.finish(event["eventId"]),
    )
    answers += await asyncio.gather(*(ratings.submit(user, event["eventId"], 5) for user in users[half:]))
    confirmed = 0
    for user, answer in zip(users, answers, strict=True):
        if answer.status_code == 200:
            score = await ratings.settled(user, answer.json()["scoreId"])
            assert (score["status"], score.get("reason", "")) in (("CONFIRMED", ""), ("REJECTED", "EVENT_FINISHED"))
            confirmed += score["status"] == "CONFIRMED"
        else:
            assert reason_of(answer) == "EVENT_FINISHED"
    assert int((await ratings.event(event["eventId"])).get("scoreCount", 0)) == confirmed


async def test_many_users_at_once_are_all_counted(ratings: Ratings):
    event = await ratings.create_event()
    users = [ratings.somebody() for _ in range(40)]
    answers = await asyncio.gather(*(ratings.submit(user, event["eventId"], 4) for user in users))
    ids = [done(answer)["scoreId"] for answer in answers]
    scores = await asyncio.gather(*(ratings.settled(user, score_id) for user, score_id in zip(users, ids, strict=True)))
    assert {score["status"] for score in scores} == {"CONFIRMED"}
    assert (await ratings.event(event["eventId"]))["scoreHistogram"] == ["0", "0", "0", "40", "0"]
