"""Whatever is wrong with a request over REST: a typed 4xx that names what is at fault, and no row written."""

from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
import pytest_asyncio

from tests.e2e.ratings import Headers, Json, Ratings, done
from tests.e2e.refusals import CASES, EVENTS, Case
from tests.e2e.rows import Rows
from tests.e2e.stage import Stage
from tests.e2e.tokens import INVALID, Keys, token_of
from tests.system import System

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ratings(system: System) -> AsyncIterator[Ratings]:
    """Ratings over REST, on the loop of all tests here."""
    async with system.client() as http:
        yield Ratings(system, http)


def bearer(token: str) -> Headers:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}".rstrip()}


def details(response: httpx.Response) -> tuple[str, list[str]]:
    """The reason and the fields of a refusal. Fails unless it is one by AIP-193."""
    error: Json = response.json()["error"]
    assert response.headers["content-type"] == "application/json"
    assert error["code"] == response.status_code
    assert error["message"]
    by_type = {detail["@type"].rpartition(".")[2]: detail for detail in error["details"]}
    violations: list[Json] = by_type.get("BadRequest", {}).get("fieldViolations", [])
    assert all(violation["description"] for violation in violations)
    return by_type["ErrorInfo"]["reason"], [violation["field"] for violation in violations]


def latin(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """Headers as bytes, one a character."""
    return {name.encode("latin-1"): value.encode("latin-1") for name, value in headers.items()}


async def send(http: httpx.AsyncClient, case: Case, stage: Stage, by: Headers) -> httpx.Response:
    """The answer to a case's request."""
    method, _, path = case.request.partition(" ")
    content = case.body.encode() if isinstance(case.body, str) else case.body
    typed = {} if content is None else {"Content-Type": "application/json"}
    headers = {**by, **typed, **case.headers}
    return await http.request(method, stage.fill(path), headers=latin(headers), content=content)


@pytest.mark.parametrize("name", CASES)
async def test_a_wrong_request_is_refused_by_name_and_writes_nothing(
    name: str, system: System, ratings: Ratings, rows: Rows, stage: Stage
):
    case = CASES[name]
    async with rows.unchanged():
        response = await send(ratings.http, case, stage, bearer(token_of(system, case.by)) if case.by else {})
    assert response.status_code == case.status, response.text
    reason, fields = details(response)
    assert reason == case.reason
    assert fields == ([case.at] if case.at else [])


@pytest.mark.parametrize("name", INVALID)
async def test_a_bad_token_opens_nothing(name: str, system: System, ratings: Ratings, rows: Rows, stage: Stage):
    token = bearer(INVALID[name](Keys.of(system)))
    async with rows.unchanged():
        for response in (
            await ratings.submit(token, stage.open, 5),
            await ratings.http.post(EVENTS, headers=token, json={"title": "x", "deadline": "2100-01-01T00:00:00Z"}),
            await ratings.http.get(EVENTS, headers=token),
        ):
            assert response.status_code == 401
            assert details(response) == ("TOKEN_INVALID", [])
            assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_an_expired_token_says_so(system: System, ratings: Ratings, rows: Rows, stage: Stage):
    async with rows.unchanged():
        response = await ratings.submit(bearer(system.token("alice", ttl=-1)), stage.open, 5)
    assert (response.status_code, details(response)) == (401, ("TOKEN_EXPIRED", []))


async def test_a_request_without_a_token_is_told_how_to_bring_one(ratings: Ratings, stage: Stage):
    response = await ratings.submit({}, stage.open, 5)
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_body_of_unknown_length_is_refused_when_it_has_grown_too_large(
    system: System, ratings: Ratings, rows: Rows, stage: Stage
):
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b" " * 65536

    headers = {**system.user("alice"), "Content-Type": "application/json"}
    async with rows.unchanged():
        response = await ratings.http.post(f"/v1/events/{stage.open}/scores", headers=headers, content=endless())
    assert (response.status_code, details(response)) == (413, ("BODY_TOO_LARGE", ["body"]))


async def test_rows_tell_what_was_written(ratings: Ratings, rows: Rows):
    before = await rows.read()
    await ratings.create_event()
    after = await rows.read()
    assert [table for table in after if after[table] != before[table]] == ["line_provider.event"]


async def test_what_looks_odd_and_is_right_is_taken(ratings: Ratings, manager: Headers, alice: Headers):
    """ProtoJSON's own freedoms: numbers as strings, both spellings, any zone, nine fractional digits, no more kept than
    the database holds."""
    body = {"title": "\N{SOCCER BALL}" * 200, "deadline": "2100-01-01T00:00:00.123456789+05:30"}
    event = done(await ratings.http.post(EVENTS, headers=manager, json=body), 201)
    assert (event["title"], event["deadline"]) == (body["title"], "2099-12-31T18:30:00.123456Z")
    path = f"/v1/events/{event['eventId'].upper()}/scores"
    typed = {**alice, "Content-Type": "application/json; charset=UTF-8"}
    for rate in ('"4"', "4.0", "4e0"):
        score = done(await ratings.http.post(path, headers=typed, content=f'{{"event_id": "x", "rate": {rate}}}'))
        assert (score["rate"], score["revision"], score["eventId"]) == (4, "1", event["eventId"])
