"""What REST adds to the rpcs: lists and pages, the original's paths, repeated requests, versions, masks, locations."""

import time
import uuid

import httpx

from tests.e2e.ratings import Headers, Ratings, done, in_seconds, reason_of


async def ids(ratings: Ratings, user: Headers, **query: str) -> list[str]:
    """The ids of the scores that a user may list."""
    listed = done(await ratings.http.get("/v1/scores", headers=user, params=query))
    return [score["scoreId"] for score in listed.get("scores", [])]


async def test_users_list_their_own_scores_and_managers_everybodys(
    ratings: Ratings, alice: Headers, bob: Headers, manager: Headers
):
    event, other = await ratings.create_event(), await ratings.create_event()
    mine = await ratings.rate(alice, event["eventId"], 5)
    also_mine = await ratings.rate(alice, other["eventId"], 4)
    theirs = await ratings.rate(bob, event["eventId"], 1)
    assert await ids(ratings, alice) == [also_mine["scoreId"], mine["scoreId"]]
    assert await ids(ratings, alice, eventId=event["eventId"]) == [mine["scoreId"]]
    assert await ids(ratings, alice, userId=mine["userId"]) == [also_mine["scoreId"], mine["scoreId"]]
    assert await ids(ratings, manager, event_id=event["eventId"]) == [theirs["scoreId"], mine["scoreId"]]
    assert await ids(ratings, manager, userId=theirs["userId"]) == [theirs["scoreId"]]
    refusal = await ratings.http.get("/v1/scores", headers=alice, params={"userId": theirs["userId"]})
    assert (refusal.status_code, reason_of(refusal)) == (403, "NOT_YOUR_SCORES")


async def test_a_list_comes_in_pages_whose_tokens_belong_to_the_query(ratings: Ratings, alice: Headers):
    scores = [await ratings.rate(alice, (await ratings.create_event())["eventId"], 3) for _ in range(5)]
    listed: list[str] = []
    query, tokens = {"pageSize": "2"}, list[str]()
    while True:
        page = done(await ratings.http.get("/v1/scores", headers=alice, params=query))
        listed += [score["scoreId"] for score in page["scores"]]
        if not (token := page.get("nextPageToken")):
            break
        tokens.append(token)
        query["pageToken"] = token
    assert listed == [score["scoreId"] for score in reversed(scores)]
    assert len(tokens) == 2
    elsewhere = {"pageToken": tokens[0], "eventId": scores[0]["eventId"]}
    refusal = await ratings.http.get("/v1/scores", headers=alice, params=elsewhere)
    assert (refusal.status_code, refusal.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


async def test_events_are_listed_newest_first_by_status_and_while_they_are_open(ratings: Ratings, alice: Headers):
    first, second = await ratings.create_event(), await ratings.create_event()
    await ratings.rate(alice, second["eventId"], 5)

    async def listed(**query: str) -> list[str]:
        page = done(await ratings.http.get("/v1/events", params=query))
        return [event["eventId"] for event in page["events"]]

    assert (await listed())[:2] == [second["eventId"], first["eventId"]]
    assert (await listed(status="HIGH_SCORE"))[0] == second["eventId"]
    assert (await listed(status="PROCESSING"))[0] == first["eventId"]
    await ratings.finish(first["eventId"])
    assert (await listed(open="true"))[0] == second["eventId"]
    assert (await listed(open="false"))[0] == first["eventId"]


async def test_the_originals_paths_still_work(ratings: Ratings, alice: Headers):
    event = await ratings.create_event()
    submitted = await ratings.http.post(f"/events/{event['eventId']}/score", headers=alice, json={"rate": 5})
    score = await ratings.settled(alice, done(submitted)["scoreId"])
    assert score["status"] == "CONFIRMED"
    listed = await ratings.http.get("/events", params={"pageSize": 1})
    assert done(listed)["events"] == [await ratings.event(event["eventId"])]


async def test_what_is_created_is_at_its_location(ratings: Ratings, manager: Headers):
    body = {"title": "The final", "deadline": in_seconds(60)}
    created = await ratings.http.post("/v1/events", headers=manager, json=body)
    event = done(created, 201)
    assert created.headers["location"] == f"/v1/events/{event['eventId']}"
    assert done(await ratings.http.get(created.headers["location"])) == event


async def test_a_repeated_request_gets_its_first_answer_byte_for_byte(ratings: Ratings, manager: Headers):
    body = {"title": "The final", "deadline": in_seconds(60)}
    headers = {**manager, "Idempotency-Key": str(uuid.uuid4())}
    first = await ratings.http.post("/v1/events", headers=headers, json=body)
    again = await ratings.http.post("/v1/events", headers=headers, json=body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (again.headers["location"], again.headers["etag"]) == (first.headers["location"], first.headers["etag"])
    other = await ratings.http.post("/v1/events", headers=headers, json={**body, "title": "Another"})
    assert (other.status_code, reason_of(other)) == (400, "REQUEST_ID_REUSED")


async def test_a_score_is_submitted_once_however_often_its_request_comes(
    ratings: Ratings, alice: Headers, bob: Headers
):
    event = await ratings.create_event()
    key = {"Idempotency-Key": f'"{uuid.uuid4()}"'}

    async def submit(user: Headers, rate: int) -> httpx.Response:
        path = f"/v1/events/{event['eventId']}/scores"
        return await ratings.http.post(path, headers={**user, **key}, json={"rate": rate})

    first = await submit(alice, 5)
    await ratings.settled(alice, done(first)["scoreId"])
    await ratings.rate(alice, event["eventId"], 1)
    assert (await submit(alice, 5)).content == first.content
    assert (await ratings.score(alice, first.json()["scoreId"]))["rate"] == 1
    assert reason_of(await submit(alice, 4)) == "REQUEST_ID_REUSED"
    assert done(await submit(bob, 4))["userId"] != first.json()["userId"]


async def test_an_unchanged_event_is_not_sent_again(ratings: Ratings, alice: Headers):
    path = f"/v1/events/{(await ratings.create_event())['eventId']}"
    seen = await ratings.http.get(path)
    assert seen.headers["etag"] == f'"{seen.json()["etag"]}"'
    strong = seen.headers["etag"]
    for condition, named in ((strong, strong), (f'"other", W/{strong}', f"W/{strong}"), ("*", strong)):
        unchanged = await ratings.http.get(path, headers={"If-None-Match": condition})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == named
    await ratings.rate(alice, seen.json()["eventId"], 5)
    changed = await ratings.http.get(path, headers={"If-None-Match": seen.headers["etag"]})
    assert done(changed)["scoreCount"] == "1"


async def test_an_edit_of_an_outdated_event_is_refused_but_scores_do_not_outdate_it(
    ratings: Ratings, manager: Headers, alice: Headers
):
    event = await ratings.create_event("Draft")
    path, first = f"/v1/events/{event['eventId']}", f'"{event["etag"]}"'
    await ratings.rate(alice, event["eventId"], 5)
    edited = await ratings.http.patch(path, headers={**manager, "If-Match": first}, json={"title": "Final"})
    assert done(edited)["title"] == "Final"
    for stale in ({"If-Match": first}, {"If-Match": f"W/{first}"}):
        refusal = await ratings.http.patch(path, headers={**manager, **stale}, json={"title": "Lost"})
        assert (refusal.status_code, refusal.json()["error"]["status"]) == (409, "ABORTED")
        assert reason_of(refusal) == "ETAG_MISMATCH"
    late = await ratings.http.post(f"{path}:finish", headers={**manager, "If-Match": first}, json={})
    assert reason_of(late) == "ETAG_MISMATCH"
    anyway = await ratings.http.patch(path, headers={**manager, "If-Match": "*"}, json={"title": "Any"})
    assert done(anyway)["title"] == "Any"
    current = {"If-Match": anyway.headers["etag"]}
    assert done(await ratings.http.post(f"{path}:finish", headers={**manager, **current}, json={}))["finishedAt"]


async def test_a_withdrawal_may_name_the_version_that_it_means(ratings: Ratings, alice: Headers):
    event = await ratings.create_event()
    first = await ratings.rate(alice, event["eventId"], 5)
    second = await ratings.rate(alice, event["eventId"], 4)
    path = f"/v1/scores/{first['scoreId']}"
    stale = await ratings.http.delete(path, headers={**alice, "If-Match": f'"{first["etag"]}"'})
    assert (stale.status_code, reason_of(stale)) == (409, "ETAG_MISMATCH")
    current = await ratings.http.delete(path, headers={**alice, "If-Match": f'"{second["etag"]}"'})
    assert done(current)["status"] == "WITHDRAWING"


async def test_a_patch_changes_the_fields_that_its_body_has(ratings: Ratings, manager: Headers):
    event = await ratings.create_event("Draft")
    path = f"/v1/events/{event['eventId']}"

    async def patch(body: dict[str, object], **query: str) -> dict[str, str]:
        return done(await ratings.http.patch(path, headers=manager, json=body, params=query))

    titled = await patch({"title": "Final"})
    assert (titled["title"], titled["deadline"]) == ("Final", event["deadline"])
    later = in_seconds(7200)
    moved = await patch({"deadline": later})
    assert (moved["title"], moved["deadline"]) == ("Final", later)
    masked = await patch({"title": "Masked", "deadline": in_seconds(60)}, updateMask="title")
    assert (masked["title"], masked["deadline"]) == ("Masked", later)
    assert await patch({"status": "HIGH_SCORE", "scoreCount": "7"}) == masked
    assert await patch({"title": "Masked"}) == masked


async def test_every_get_answers_head_too_and_options_tell_what_there_is(ratings: Ratings):
    path = f"/v1/events/{(await ratings.create_event())['eventId']}"
    seen, head = await ratings.http.get(path), await ratings.http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert (head.headers["etag"], head.headers["content-length"]) == (seen.headers["etag"], str(len(seen.content)))
    options = await ratings.http.options(path)
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PATCH")


async def test_a_kept_connection_never_waits_for_acknowledgements(ratings: Ratings):
    """Without TCP_NODELAY each answer but the first waits 40 ms for the client's acknowledgement of its first half."""
    took: list[float] = []
    for _ in range(20):
        began = time.monotonic()
        done(await ratings.http.get("/healthz"))
        done(await ratings.http.get("/v1/events", params={"pageSize": 1}))
        took.append(time.monotonic() - began)
    assert min(took) < 0.03, took
