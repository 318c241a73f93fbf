"""PATCH: the mask comes from the body's own keys; an explicit one wins (AIP-134, gateway.md). The service answers with
its request, so that the mask it got is what comes back."""

import pytest

from tests.gateway.http import Json, request_json
from tests.gateway.serving import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("body", "mask"),
    [
        pytest.param({"title": "x"}, "title", id="one key"),
        pytest.param({"title": "x", "pages": 5}, "title,pages", id="in the body's order"),
        pytest.param(
            {"print_time": "2026-01-01T00:00:00Z"}, "printTime", id="a key in snake_case; a well-known type is whole"
        ),
        pytest.param({"pages": 0}, "pages", id="a default is a change too"),
        pytest.param({"title": None}, "title", id="null clears"),
        pytest.param({"author": {"firstName": "Jane"}}, "author.firstName", id="below a message its keys"),
        pytest.param(
            {"author": {"first_name": "J", "lastName": "A"}}, "author.firstName,author.lastName", id="all of them"
        ),
        pytest.param({"author": {}}, "author", id="an empty object is whole"),
        pytest.param({"author": None}, "author", id="a null message is whole"),
        pytest.param({"tags": ["ab"]}, "tags", id="a list is whole"),
        pytest.param({"labels": {"a": "b"}}, "labels", id="a map is whole"),
        pytest.param({"bookId": "other", "title": "x"}, "title", id="the path-bound field is not a change"),
        pytest.param({"title": "x", "etag": "1", "version": "7"}, "title", id="AIP-203: nor are output-only fields"),
        pytest.param({}, None, id="no key, no mask"),
    ],
)
async def test_the_mask_is_the_bodys_own_keys(running: Running, body: Json, mask: str | None) -> None:
    response = await request_json(running.port, "PATCH", "/v1/books/b1", body)

    assert response.status == 200
    assert response.json.get("updateMask") == mask
    assert response.json["book"]["bookId"] == "b1"


@pytest.mark.parametrize(
    ("query", "mask"),
    [
        ("updateMask=pages", "pages"),
        ("update_mask=print_time,author.first_name", "printTime,author.firstName"),
        ("updateMask=*", "*"),
    ],
)
async def test_an_explicit_mask_wins(running: Running, query: str, mask: str) -> None:
    response = await request_json(running.port, "PATCH", f"/v1/books/b1?{query}", {"title": "x"})

    assert response.json["updateMask"] == mask


async def test_without_a_body_there_is_no_mask(running: Running) -> None:
    response = await request_json(running.port, "PATCH", "/v1/books/b1?etag=5", {})

    assert response.json == {"book": {"bookId": "b1"}, "etag": "5"}
