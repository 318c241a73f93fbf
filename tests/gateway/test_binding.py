"""What path and query become: sent as raw HTTP, answered by a service that echoes its request message.

Each case states its source: http.proto (the comments of google/api/http.proto), ProtoJSON (the JSON mapping of
protobuf), gateway.md (this system's specification), or an AIP.
"""

import pytest

from tests.gateway.http import Json, request
from tests.gateway.serving import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("/v1/echo", {}, id="http.proto: nothing bound"),
        pytest.param("/v1/echo/abc", {"text": "abc"}, id="http.proto: {var} binds one segment"),
        pytest.param("/v1/echo/a%20b%2Fc%3Ad", {"text": "a b/c:d"}, id="http.proto: one segment is fully decoded"),
        pytest.param("/v1/echo/%C3%BC", {"text": "ü"}, id="RFC 3986: UTF-8"),
        pytest.param("/v1/echo/a+b", {"text": "a+b"}, id="RFC 3986: + is a plus in a path"),
        pytest.param("/v1/echo/x:loud", {"text": "x"}, id="http.proto: a verb is not part of the value"),
        pytest.param("/v1/echo/x:quiet", {"text": "x:quiet"}, id="gateway.md: an unknown verb is"),
        pytest.param("/v1/echo/literal", {}, id="gateway.md: literal before *"),
        pytest.param("/v1/deep/a/b/c", {"text": "a/b/c"}, id="http.proto: ** binds many segments"),
        pytest.param("/v1/deep", {}, id="http.proto: ** matches zero segments"),
        pytest.param("/v1/deep/a%20b/c%2Fd%2fe", {"text": "a b/c%2Fd%2fe"}, id="gateway.md: ** keeps %2F and %2f"),
        pytest.param("/v1/deep/a/b:verb", {"text": "a/b"}, id="http.proto: a verb after **"),
        pytest.param(
            "/v1/shelves/s1/books/b%2F2", {"text": "shelves/s1/books/b%2F2"}, id="http.proto: a variable with literals"
        ),
        pytest.param("/v1/nested/abc/7", {"inner": {"text": "abc", "number": 7}}, id="http.proto: nested field paths"),
        pytest.param("/v1/numbers/-5", {"anInt32": -5}, id="http.proto: a path binds a number"),
        pytest.param("/v1/colors/GREEN", {"color": "GREEN"}, id="gateway.md: an enum by name in a path"),
        pytest.param("/v1/colors/1", {"color": "BLUE"}, id="gateway.md: an enum by number in a path"),
        pytest.param("/v1/any/thing/tail", {}, id="http.proto: an anonymous *"),
        pytest.param("/v1/echo?text=a%20b+c", {"text": "a b c"}, id="WHATWG: + is a space in a query"),
        pytest.param("/v1/echo?text=", {}, id="http.proto: an empty value"),
        pytest.param("/v1/echo?an_int32=5&anInt64=6", {"anInt32": 5, "anInt64": "6"}, id="gateway.md: both spellings"),
        pytest.param("/v1/echo?aUint64=18446744073709551615", {"aUint64": "18446744073709551615"}, id="uint64"),
        pytest.param("/v1/echo?aSint64=-9223372036854775808", {"aSint64": "-9223372036854775808"}, id="sint64"),
        pytest.param(
            "/v1/echo?aFixed32=4294967295&aSfixed64=-1", {"aFixed32": 4294967295, "aSfixed64": "-1"}, id="fixed"
        ),
        pytest.param("/v1/echo?aBool=true", {"aBool": True}, id="bool"),
        pytest.param("/v1/echo?aBool=false", {}, id="bool false is the default"),
        pytest.param("/v1/echo?aDouble=-1.5e3&aFloat=0.5", {"aDouble": -1500.0, "aFloat": 0.5}, id="floats"),
        pytest.param(
            "/v1/echo?aDouble=NaN&aFloat=-Infinity", {"aDouble": "NaN", "aFloat": "-Infinity"}, id="ProtoJSON: NaN"
        ),
        pytest.param("/v1/echo?someBytes=-_8", {"someBytes": "+/8="}, id="ProtoJSON: base64url without padding"),
        pytest.param("/v1/echo?someBytes=%2B%2F8%3D", {"someBytes": "+/8="}, id="ProtoJSON: base64 with padding"),
        pytest.param("/v1/echo?color=GREEN", {"color": "GREEN"}, id="gateway.md: an enum by name"),
        pytest.param("/v1/echo?color=2", {"color": "GREEN"}, id="gateway.md: an enum by number"),
        pytest.param("/v1/echo?color=77", {"color": 77}, id="ProtoJSON: unknown enum numbers are kept"),
        pytest.param("/v1/echo?tags=a&tags=b", {"tags": ["a", "b"]}, id="http.proto: repeated parameters"),
        pytest.param("/v1/echo?numbers=1&numbers=2", {"numbers": [1, 2]}, id="repeated numbers"),
        pytest.param("/v1/echo?colors=BLUE&colors=2", {"colors": ["BLUE", "GREEN"]}, id="repeated enums"),
        pytest.param(
            "/v1/echo?inner.text=a&inner.inner.number=3",
            {"inner": {"text": "a", "inner": {"number": 3}}},
            id="http.proto: nested",
        ),
        pytest.param("/v1/echo?maybe_text=", {"maybeText": ""}, id="optional: an empty text is present"),
        pytest.param("/v1/echo?maybeInt32=0", {"maybeInt32": 0}, id="optional: a zero is present"),
        pytest.param("/v1/echo?right=0", {"right": 0}, id="a member of a oneof"),
        pytest.param("/v1/echo?middle.text=x", {"middle": {"text": "x"}}, id="into a message of a oneof"),
        pytest.param(
            "/v1/echo?time=2026-01-31T12:00:00.5Z", {"time": "2026-01-31T12:00:00.500Z"}, id="ProtoJSON: Timestamp"
        ),
        pytest.param("/v1/echo?duration=1.5s", {"duration": "1.500s"}, id="ProtoJSON: Duration"),
        pytest.param("/v1/echo?mask=aBool,inner.text", {"mask": "aBool,inner.text"}, id="ProtoJSON: FieldMask"),
        pytest.param("/v1/echo?mask=a_bool", {"mask": "aBool"}, id="gateway.md: FieldMask in snake_case"),
        pytest.param(
            "/v1/echo?stringValue=x&int64Value=5&boolValue=false",
            {"stringValue": "x", "int64Value": "5", "boolValue": False},
            id="ProtoJSON: wrappers",
        ),
        pytest.param(
            "/v1/echo?doubleValue=1.5&bytesValue=AA", {"doubleValue": 1.5, "bytesValue": "AA=="}, id="more wrappers"
        ),
        pytest.param("/v1/echo?otherName=x", {"otherName": "x"}, id="ProtoJSON: json_name"),
        pytest.param("/v1/echo?renamed=x", {"otherName": "x"}, id="ProtoJSON: the proto name of a renamed field"),
        pytest.param("/v1/echo/abc?an_int32=1", {"text": "abc", "anInt32": 1}, id="http.proto: path and query"),
        pytest.param(
            "/v1/nested/abc/7?inner.inner.text=x",
            {"inner": {"text": "abc", "number": 7, "inner": {"text": "x"}}},
            id="a query beside a path in one message",
        ),
        pytest.param("/v1/echo?text=a%26b%3Dc", {"text": "a&b=c"}, id="encoded separators separate nothing"),
        pytest.param("/v1/echo?&text=a&", {"text": "a"}, id="WHATWG: empty pairs are nothing"),
    ],
)
async def test_path_and_query_bind(running: Running, target: str, expected: Json) -> None:
    response = await request(running.port, "GET", target)

    assert (response.status, response.json) == (200, expected)


@pytest.mark.parametrize(
    ("target", "field", "message"),
    [
        pytest.param("/v1/echo?nope=1", "nope", "nope: unknown query parameter", id="gateway.md: unknown"),
        pytest.param("/v1/echo?inner.nope=1", "inner.nope", "inner.nope: unknown query parameter", id="unknown below"),
        pytest.param("/v1/echo?text.x=1", "text.x", "text.x: unknown query parameter", id="below a scalar"),
        pytest.param("/v1/echo?tags.x=1", "tags.x", "tags.x: unknown query parameter", id="below a list"),
        pytest.param("/v1/echo?inner=1", "inner", "inner: unknown query parameter", id="http.proto: a message"),
        pytest.param(
            "/v1/echo?inners.text=1",
            "inners.text",
            "inners.text: unknown query parameter",
            id="http.proto: a repeated message",
        ),
        pytest.param("/v1/echo?struct=1", "struct", "struct: unknown query parameter", id="a Struct"),
        pytest.param("/v1/echo?" + "inner." * 50 + "text=1", "inner." * 50 + "text", None, id="too deep"),
        pytest.param(
            "/v1/echo/abc?text=x", "text", "text: unknown query parameter", id="gateway.md: a path-bound field"
        ),
        pytest.param(
            "/v1/nested/a/7?inner.text=x",
            "inner.text",
            "inner.text: unknown query parameter",
            id="a path-bound nested field",
        ),
        pytest.param("/v1/echo?text=a&text=b", "text", "text: is given twice", id="one value for one field"),
        pytest.param(
            "/v1/echo?text=a&otherName=x&renamed=y", "renamed", "renamed: is given twice", id="in both spellings"
        ),
        pytest.param("/v1/echo?anInt32=x", "anInt32", 'anInt32: expected an integer, got "x"', id="a bad integer"),
        pytest.param("/v1/echo?anInt32=", "anInt32", 'anInt32: expected an integer, got ""', id="no integer"),
        pytest.param("/v1/echo?anInt32=1.5", "anInt32", None, id="a fraction"),
        pytest.param("/v1/echo?anInt32=1_0", "anInt32", None, id="Python's underscores"),
        pytest.param("/v1/echo?anInt32=%D9%A1", "anInt32", None, id="another script's digits"),
        pytest.param("/v1/echo?anInt32=2147483648", "anInt32", None, id="beyond 32 bits"),
        pytest.param("/v1/echo?aUint32=-1", "aUint32", None, id="below 0"),
        pytest.param("/v1/echo?anInt64=9223372036854775808", "anInt64", None, id="beyond 64 bits"),
        pytest.param("/v1/echo?anInt64=" + "9" * 5000, "anInt64", None, id="a number of 5,000 digits"),
        pytest.param("/v1/echo?aBool=yes", "aBool", 'aBool: expected true or false, got "yes"', id="a bad bool"),
        pytest.param("/v1/echo?aDouble=inf", "aDouble", None, id="Python's infinity"),
        pytest.param("/v1/echo?aDouble=1e999", "aDouble", None, id="beyond a double"),
        pytest.param("/v1/echo?aFloat=1e39", "aFloat", None, id="beyond a float"),
        pytest.param(
            "/v1/echo?color=PINK",
            "color",
            'color: expected one of COLOR_UNSPECIFIED, BLUE, GREEN, got "PINK"',
            id="gateway.md: an unknown enum name",
        ),
        pytest.param("/v1/echo?someBytes=%21", "someBytes", None, id="bad base64"),
        pytest.param("/v1/echo?time=yesterday", "time", None, id="a bad time"),
        pytest.param("/v1/echo?duration=5", "duration", None, id="a duration without its unit"),
        pytest.param(
            "/v1/numbers/x", "an_int32", 'an_int32: expected an integer, got "x"', id="a bad number in the path"
        ),
        pytest.param("/v1/colors/PINK", "color", None, id="a bad enum in the path"),
    ],
)
async def test_what_does_not_bind_is_a_400_that_names_it(
    running: Running, target: str, field: str, message: str | None
) -> None:
    response = await request(running.port, "GET", target)

    assert (response.status, response.fields) == (400, [field])
    assert message is None or response.error["message"] == message
    assert running.library.seen == []


@pytest.mark.parametrize("target", ["/v1/echo/%ff", "/v1/deep/%C3%28", "/v1/echo?text=%ff", "/v1/echo?%ff=1"])
async def test_what_is_not_utf8_is_a_400(running: Running, target: str) -> None:
    response = await request(running.port, "GET", target)

    assert response.status == 400


async def test_a_thousand_parameters_are_enough(running: Running) -> None:
    response = await request(running.port, "GET", "/v1/echo?" + "&".join(["tags=a"] * 1001))

    assert (response.status, response.reason) == (400, "MALFORMED_QUERY")
