"""What a body becomes, and which bodies are refused: sent as raw HTTP to a service that echoes its request message.

Each case states its source: http.proto (the comments of google/api/http.proto), ProtoJSON (the JSON mapping of
protobuf), gateway.md (this system's specification), or an RFC.
"""

import pytest

from tests.gateway.http import Json, request, request_json
from tests.gateway.serving import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("method", "target", "body", "expected"),
    [
        pytest.param(
            "POST", "/v1/echo", {"text": "a", "anInt64": "5"}, {"text": "a", "anInt64": "5"}, id="http.proto: body *"
        ),
        pytest.param("POST", "/v1/echo", {"an_int32": 5}, {"anInt32": 5}, id="ProtoJSON: proto names are taken"),
        pytest.param(
            "POST", "/v1/echo", {"text": None, "tags": None, "inner": None}, {}, id="ProtoJSON: null is unset"
        ),
        pytest.param("POST", "/v1/echo", {"value": None}, {"value": None}, id="ProtoJSON: null is a Value"),
        pytest.param(
            "POST",
            "/v1/echo",
            {"struct": {"a": [1, {"b": None}]}},
            {"struct": {"a": [1.0, {"b": None}]}},
            id="ProtoJSON: Struct",
        ),
        pytest.param("POST", "/v1/echo", {"labels": {"a": "b"}}, {"labels": {"a": "b"}}, id="ProtoJSON: maps"),
        pytest.param(
            "POST",
            "/v1/echo",
            {"innersByNumber": {"-1": {"number": 1}}},
            {"innersByNumber": {"-1": {"number": 1}}},
            id="ProtoJSON: map keys are strings",
        ),
        pytest.param(
            "POST", "/v1/echo/x:all", {"anInt32": 1}, {"text": "x", "anInt32": 1}, id="http.proto: path and body *"
        ),
        pytest.param(
            "POST", "/v1/echo/x:all", {"text": "y"}, {"text": "x"}, id="gateway.md: a body cannot override the path"
        ),
        pytest.param(
            "PUT", "/v1/inner/x", {"number": 5}, {"text": "x", "inner": {"number": 5}}, id="http.proto: body: a field"
        ),
        pytest.param(
            "PUT",
            "/v1/inner/x?anInt32=1",
            {"number": 5},
            {"text": "x", "anInt32": 1, "inner": {"number": 5}},
            id="http.proto: the rest is the query's",
        ),
        pytest.param(
            "PUT",
            "/v1/inner/x/own",
            {"text": "y", "number": 1},
            {"inner": {"text": "x", "number": 1}},
            id="gateway.md: nor can the body's own field",
        ),
        pytest.param("PUT", "/v1/tags", ["a", "b"], {"tags": ["a", "b"]}, id="http.proto: body: a repeated field"),
        pytest.param("PUT", "/v1/text", "hello", {"text": "hello"}, id="http.proto: body: a scalar"),
        pytest.param(
            "POST",
            "/v1/inner-only",
            {"inner": {"number": 3}, "text": "x"},
            {"number": 3},
            id="http.proto: response_body",
        ),
        pytest.param("POST", "/v1/inner-only", {}, None, id="response_body that is unset"),
        pytest.param("POST", "/v1/tags-only", {"tags": ["a"]}, ["a"], id="http.proto: response_body of a list"),
        pytest.param("POST", "/v1/tags-only", {}, [], id="response_body of an empty list"),
    ],
)
async def test_bodies_bind(running: Running, method: str, target: str, body: Json, expected: Json) -> None:
    response = await request_json(running.port, method, target, body)

    assert (response.status, response.json) == (200, expected)


@pytest.mark.parametrize(
    ("target", "body", "field", "message"),
    [
        pytest.param("/v1/echo", b"[]", "body", "expected an object, got []", id="gateway.md: the top-level type"),
        pytest.param("/v1/echo", b"null", "body", None, id="a null"),
        pytest.param("/v1/echo", b"{", "body", None, id="malformed JSON"),
        pytest.param("/v1/echo", b"{}{}", "body", None, id="two texts"),
        pytest.param("/v1/echo", b'{"aDouble": NaN}', "body", None, id="RFC 8259: NaN is no JSON"),
        pytest.param("/v1/echo", b'{"text": "\xff"}', "body", None, id="RFC 8259: not UTF-8"),
        pytest.param("/v1/echo", b'{"text": "\\ud800"}', "body", None, id="half a surrogate pair"),
        pytest.param("/v1/echo", b'{"inner":' * 5000 + b"{}" + b"}" * 5000, "body", None, id="nested 5,000 deep"),
        pytest.param("/v1/echo", b'{"value":' + b"[" * 100_000, "body", None, id="nested 100,000 deep"),
        pytest.param(
            "/v1/echo",
            b'{"tex": 1}',
            "tex",
            "tex: unknown field; did you mean text?",
            id="gateway.md: an unknown field",
        ),
        pytest.param(
            "/v1/echo", b'{"inner": {"inner": {"nope": 1}}}', "inner.inner.nope", None, id="an unknown field below"
        ),
        pytest.param(
            "/v1/echo", b'{"inners": [{}, {"nope": 1}]}', "inners[1].nope", None, id="an unknown field in a list"
        ),
        pytest.param(
            "/v1/echo", b'{"innersByNumber": {"5": {"nope": 1}}}', "innersByNumber[5].nope", None, id="in a map"
        ),
        pytest.param("/v1/echo", b'{"innersByNumber": {"x": {}}}', "innersByNumber", None, id="a bad map key"),
        pytest.param(
            "/v1/echo", b'{"anInt32": "x"}', "anInt32", 'anInt32: expected an integer, got "x"', id="a bad integer"
        ),
        pytest.param("/v1/echo", b'{"an_int32": 1.5}', "an_int32", None, id="the client's spelling is kept"),
        pytest.param("/v1/echo", b'{"color": "PINK"}', "color", None, id="gateway.md: an unknown enum name"),
        pytest.param("/v1/echo", b'{"color": 4294967296}', "color", None, id="an enum number beyond 32 bits"),
        pytest.param("/v1/echo", b'{"text": "a", "text": "b"}', "text", "text: is given twice", id="duplicates"),
        pytest.param(
            "/v1/echo", b'{"anInt32": 1, "an_int32": 2}', "an_int32", None, id="ProtoJSON: duplicates in both spellings"
        ),
        pytest.param(
            "/v1/echo",
            b'{"left": "a", "right": 1}',
            "right",
            "right: may not be given beside left",
            id="ProtoJSON: two members of a oneof",
        ),
        pytest.param("/v1/echo", b'{"tags": [null]}', "tags[0]", None, id="ProtoJSON: null in a list"),
        pytest.param("/v1/echo", b'{"tags": "a"}', "tags", None, id="one value for a list"),
        pytest.param("/v1/echo", b'{"time": 5}', "time", None, id="a bad time"),
        pytest.param("/v1/echo?text=x", b"{}", "text", None, id="http.proto: no query beside body *"),
        pytest.param("/v1/inner-only?inner.text=x", b"{}", "inner.text", None, id="nor a nested one"),
    ],
)
async def test_a_body_that_does_not_bind_is_a_400_that_names_the_field(
    running: Running, target: str, body: bytes, field: str, message: str | None
) -> None:
    response = await request(running.port, "POST", target, {"content-type": "application/json"}, body)

    assert (response.status, response.fields) == (400, [field])
    assert message is None or response.error["message"] == message
    assert running.library.seen == []


@pytest.mark.parametrize(
    ("target", "body", "field"),
    [
        pytest.param("/v1/inner/x", b'{"nope": 1}', "inner.nope", id="a body field's faults are named below it"),
        pytest.param("/v1/inner/x", b"[]", "inner", id="the whole body of a body field"),
        pytest.param(
            "/v1/inner/x?inner.number=1", b"{}", "inner.number", id="http.proto: the body's field is no parameter"
        ),
        pytest.param("/v1/tags", b'["a"], "text": "x"', "body", id="nothing is smuggled in beside a value"),
        pytest.param("/v1/tags", b"[1]", "tags[0]", id="a bad item"),
        pytest.param("/v1/text", b"5", "text", id="a bad scalar"),
    ],
)
async def test_a_body_field_that_does_not_bind_is_a_400_that_names_it(
    running: Running, target: str, body: bytes, field: str
) -> None:
    response = await request(running.port, "PUT", target, {"content-type": "application/json"}, body)

    assert (response.status, response.fields) == (400, [field])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json"}, 200),
        ({"content-type": "application/json; charset=utf-8"}, 200),
        ({"content-type": 'Application/JSON;charset="UTF-8"'}, 200),
        ({"content-type": "application/merge-patch+json"}, 200),
        ({}, 200),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        ({"content-type": "application/json", "content-encoding": "gzip"}, 400),
    ],
)
async def test_a_body_must_be_json(running: Running, headers: dict[str, str], status: int) -> None:
    response = await request(running.port, "POST", "/v1/echo", headers, b"{}")

    assert response.status == status


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("POST", "/v1/no-body", {}),
        ("GET", "/v1/echo", {"content-type": "application/json"}),
        ("DELETE", "/v1/books/b1", {}),
    ],
)
async def test_a_body_for_a_rule_without_one_is_a_400(
    running: Running, method: str, target: str, headers: dict[str, str]
) -> None:
    response = await request(running.port, method, target, headers, b"{}")

    assert (response.status, response.reason, response.fields) == (400, "UNEXPECTED_BODY", ["body"])


@pytest.mark.parametrize("body", [None, b""])
async def test_no_body_is_no_field(running: Running, body: bytes | None) -> None:
    for target in ("/v1/echo", "/v1/no-body"):
        response = await request(running.port, "POST", target, {"content-type": "text/plain"}, body)

        assert (response.status, response.json) == (200, {})


async def test_a_chunked_body_is_read_whole(running: Running) -> None:
    chunks = b'7\r\n{"text"\r\n5\r\n:"a"}\r\n0\r\n\r\n'

    response = await request(running.port, "POST", "/v1/echo", {"transfer-encoding": "chunked"}, chunks)

    assert response.json == {"text": "a"}


@pytest.mark.parametrize("length", [1024 * 1024 + 1, 5_000_000])
async def test_a_body_beyond_the_limit_is_a_413_whether_or_not_its_length_is_said(
    running: Running, length: int
) -> None:
    body = b" " * length
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[: length // 2], body[length // 2 :]))

    said = await request(running.port, "POST", "/v1/echo", {"content-type": "application/json"}, body)
    unsaid = await request(running.port, "POST", "/v1/echo", {"transfer-encoding": "chunked"}, chunked + b"0\r\n\r\n")

    assert (said.status, said.reason) == (unsaid.status, unsaid.reason) == (413, "BODY_TOO_LARGE")


async def test_a_body_of_the_limit_is_taken(running: Running) -> None:
    body = b'{"text":"%s"}' % (b"a" * (1024 * 1024 - 11))

    response = await request(running.port, "POST", "/v1/echo", {"content-type": "application/json"}, body)

    assert (response.status, len(body)) == (200, 1024 * 1024)
