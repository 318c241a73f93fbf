"""Query parameters of maps: gateway.md, "query: ... maps `m[k]=v`", as grpc-gateway writes them."""

from urllib.parse import quote

import pytest

from tests.gateway.http import Json, request
from tests.gateway.serving import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("labels[en]=one", {"labels": {"en": "one"}}),
        ("labels%5Ben%5D=one", {"labels": {"en": "one"}}),
        ("labels[en]=one&labels[de]=eins", {"labels": {"en": "one", "de": "eins"}}),
        ("labels[]=empty", {"labels": {"": "empty"}}),
        (f"labels[{quote('a.b[c] ü')}]=x", {"labels": {"a.b[c] ü": "x"}}),
        ("labels[en]=", {"labels": {"en": ""}}),
        # ProtoJSON: keys of maps are strings, those of booleans "true" and "false"; enums by name or number.
        ("colors_by_truth[true]=BLUE", {"colorsByTruth": {"true": "BLUE"}}),
        ("colorsByTruth[false]=2", {"colorsByTruth": {"false": "GREEN"}}),
    ],
)
async def test_an_entry_is_set_by_its_key(running: Running, query: str, answer: Json) -> None:
    response = await request(running.port, "GET", f"/v1/echo?{query}")

    assert (response.status, response.json) == (200, answer)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("labels[en]=1&labels[en]=2", "labels[en]: is given twice"),
        ("labels=1", "labels: unknown query parameter"),
        ("text[x]=1", "text[x]: unknown query parameter"),
        ("tags[0]=1", "tags[0]: unknown query parameter"),
        ("nothing[x]=1", "nothing[x]: unknown query parameter"),
        ("inners_by_number[1]=x", "inners_by_number[1]: unknown query parameter"),
        ("colors_by_truth[maybe]=BLUE", 'colors_by_truth[maybe]: key: expected true or false, got "maybe"'),
        ("colors_by_truth[true]=RED", "colors_by_truth[true]: expected one of COLOR_UNSPECIFIED, BLUE, GREEN"),
    ],
)
async def test_what_is_no_entry_is_refused_by_name(running: Running, query: str, message: str) -> None:
    response = await request(running.port, "GET", f"/v1/echo?{query}")

    assert (response.status, response.error["message"].startswith(message)) == (400, True), response.error
    assert response.fields == [query.partition("=")[0]]


async def test_a_map_below_the_body_is_no_parameter(running: Running) -> None:
    # http.proto: a field that the body binds is not a query parameter.
    response = await request(running.port, "POST", "/v1/books?book.labels[a]=b", {}, b"{}")

    assert (response.status, response.reason) == (400, "UNKNOWN_PARAMETER")
