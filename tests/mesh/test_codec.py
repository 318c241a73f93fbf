"""What the codec takes, and what it says of what it refuses. test_codec_peer.py holds it against google's."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.codec import Codec, DecodeError
from tests.gateway.contracts import library
from tests.mesh.peer import subject

NAME = "test.library.v1.Everything"


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec.of_descriptor_set(library())


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | st.binary(max_size=40))
def test_any_bytes_are_a_message_or_a_decode_error(codec: Codec, body: str | bytes) -> None:
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    with suppress(DecodeError):
        codec.decode_json(NAME, raw)


PIECES = """
"text" "anInt32" "an_int32" "inner" "inners" "labels" "struct" "time" "color" "left" "right" "nope" "\\u0061"
1 -1.5 1e400 99999999999 true null "BLUE" "2026-01-01T00:00:00Z" { } [ ] : , " \\ NaN
"""
FRAGMENTS = st.sampled_from(PIECES.split())


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS, max_size=14).map("".join))
def test_what_looks_like_a_message_is_one_or_a_decode_error(codec: Codec, body: str) -> None:
    with suppress(DecodeError):
        codec.decode_json(NAME, body.encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_wire_bytes_are_json_or_a_value_error(codec: Codec, wire: bytes) -> None:
    with suppress(ValueError):
        json.loads(codec.encode_json(NAME, wire))


@pytest.mark.parametrize(
    ("body", "path", "reason"),
    [
        (b"[]", "", "expected an object, got []"),
        (b'"x"', "", 'expected an object, got "x"'),
        (b'{"color": "PINK"}', "color", 'expected one of COLOR_UNSPECIFIED, BLUE, GREEN, got "PINK"'),
        (b'{"color": true}', "color", "expected one of COLOR_UNSPECIFIED, BLUE, GREEN, got true"),
        (b'{"color": 99999999999}', "color", "expected one of COLOR_UNSPECIFIED, BLUE, GREEN, got 99999999999"),
        (b'{"colors": ["BLUE", "PINK"]}', "colors[1]", 'expected one of COLOR_UNSPECIFIED, BLUE, GREEN, got "PINK"'),
        (b'{"coler": "BLUE"}', "coler", "unknown field; did you mean color?"),
        (b'{"zzz": 1}', "zzz", "unknown field"),
        (b'{"[test.extension]": 1}', "[test.extension]", "unknown field"),
        (b'{"anInt32": "x"}', "anInt32", 'expected an integer, got "x"'),
        (b'{"an_int32": {}}', "an_int32", "expected an integer, got {}"),
        (b'{"aFloat": %s}' % (b"1" * 400), "aFloat", f"expected a number, got {'1' * 40}..."),
        (b'{"aUint32": -1}', "aUint32", "expected an integer of 0 or more, got -1"),
        (b'{"aBool": "true"}', "aBool", 'expected true or false, got "true"'),
        (b'{"someBytes": "!"}', "someBytes", 'expected a base64 string, got "!"'),
        (b'{"inner": [1]}', "inner", "expected an object, got [1]"),
        (b'{"inners": {}}', "inners", "expected a list, got {}"),
        (b'{"inners": [{"number": "x"}]}', "inners[0].number", 'expected an integer, got "x"'),
        (b'{"labels": []}', "labels", "expected an object, got []"),
        (b'{"labels": {"a": 1}}', "labels[a]", "expected a string, got 1"),
        (b'{"colorsByTruth": {"yes": "BLUE"}}', "colorsByTruth", 'expected keys to be true or false, got "yes"'),
        (b'{"time": "now"}', "time", 'expected a time such as "2026-01-31T12:00:00Z", got "now"'),
        (b'{"boolValue": 1}', "boolValue", "expected true or false, got 1"),
        (b'{"text": "%s", "aBool": 1}' % (b"x" * 100), "aBool", "expected true or false, got 1"),
        (b'{"aBool": "%s"}' % (b"x" * 100), "aBool", 'expected true or false, got "' + "x" * 39 + "..."),
        (b'{"text": "a", "text": "a"}', "text", "is given twice"),
        (b'{"te\\u0078t": "a", "text": "a"}', "text", "is given twice"),
        (b'{"renamed": "a", "otherName": "b"}', "otherName", "may not be given beside renamed"),
        (b'{"left": "a", "right": 1}', "right", "may not be given beside left"),
        (b'{"left": "a", "left": null}', "left", "is given twice"),
        (b'{"labels": {"a": "1", "a": "2"}}', "labels[a]", "is given twice"),
        (b'{"struct": {"a": 1, "a": 2}}', "struct[a]", "is given twice"),
        (b'{"inners": [{}, {"text": "a", "text": "b"}]}', "inners[1].text", "is given twice"),
    ],
)
def test_a_refusal_names_the_field_as_the_client_wrote_it(codec: Codec, body: bytes, path: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode_json(NAME, body)

    assert (caught.value.path, caught.value.reason) == (path, reason)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{}x", b'{"a":NaN}', b'{"text":"\xff"}', b"{'text':1}", b'{"text":"\\ud800"}']
)
def test_what_is_no_json_is_said(codec: Codec, body: bytes) -> None:
    with pytest.raises(DecodeError, match="malformed JSON"):
        codec.decode_json(NAME, body)


DEPTHS = {
    "lists that never end": b'{"value":' + b"[" * 100_000,
    "lists": b'{"value":' + b"[" * 100 + b"]" * 100 + b"}",
    "objects": b'{"struct":' * 101 + b"{}" + b"}" * 101,
    "an unknown field's": b'{"nope":' + b"[" * 100 + b"]" * 100 + b"}",
    "beside strings that look like ends": b'{"value":' + b'["]]]\\"]",' * 100,
}


@pytest.mark.parametrize("name", DEPTHS)
def test_a_depth_that_overflows_a_parser_is_refused(codec: Codec, name: str) -> None:
    with pytest.raises(DecodeError, match="nested more than 100 levels deep"):
        codec.decode_json(NAME, DEPTHS[name])


def test_breadth_and_brackets_in_strings_have_no_depth(codec: Codec) -> None:
    body = json.dumps({"text": "[" * 200 + '"' + "{" * 200, "inners": [{"text": "["}] * 200, "value": []})
    assert json.loads(codec.to_json(codec.decode_json(NAME, body.encode()))) == json.loads(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"left": "a", "right": null}', {"left": "a"}),
        (b'{"text": null, "maybeText": ""}', {"maybeText": ""}),
        (b'{"anInt64": 5, "aDouble": "1.5"}', {"anInt64": "5", "aDouble": 1.5}),
        (b'{"text": "a\\"b:\\"c"}', {"text": 'a"b:"c'}),
        (b'{"inners": [{"text": "a"}, {"text": "b"}]}', {"inners": [{"text": "a"}, {"text": "b"}]}),
        (b'{"anInt64": 9223372036854775807, "color": 77}', {"anInt64": "9223372036854775807", "color": 77}),
    ],
)
def test_what_is_a_message_is_taken(codec: Codec, body: bytes, expected: object) -> None:
    assert json.loads(codec.to_json(codec.decode_json(NAME, body))) == expected


@pytest.mark.parametrize(
    ("body", "path", "reason"),
    [
        (
            b'{"any": {"@type": "a/google.protobuf.Duration"}}',
            "any.value",
            'expected a duration in seconds such as "1.5s", got nothing',
        ),
        (
            b'{"any": {"@type": "a/google.protobuf.Value", "nope": 1}}',
            "any.nope",
            'unknown field beside "@type" and "value"',
        ),
        (
            b'{"any": {"@type": "a/google.protobuf.BoolValue", "value": 1}}',
            "any.value",
            "expected true or false, got 1",
        ),
        (
            b'{"any": {"@type": "a/test.kinds.v1.Kinds", "level": "x"}}',
            "any.level",
            'expected one of BOTTOM, LOW, HIGH, BELOW, got "x"',
        ),
        (
            b'{"any": {"@type": "a/test.kinds.v1.Kinds", "oneBool": true, "oneFloat": 1}}',
            "any.oneFloat",
            "may not be given beside oneBool",
        ),
        (
            b'{"any": {"@type": "a/google.protobuf.Value", "value": {"a": 1, "a": 1}}}',
            "any.value[a]",
            "is given twice",
        ),
        (
            b'{"any": {"@type": "a/google.protobuf.Any", "value": {"@type": "a/google.protobuf.Struct", '
            b'"value": {"a": [{"b": 1, "b": 2}]}}}}',
            "any.value.value[b]",
            "is given twice",
        ),
        (
            b'{"any": {"@type": "a/test.None"}}',
            "any",
            'expected an object with an "@type" that is known here, got {"@type": "a/test.None"}',
        ),
    ],
)
def test_what_an_any_holds_is_judged_as_if_it_stood_alone(body: bytes, path: str, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        subject("Kinds").codec.decode_json("test.kinds.v1.Kinds", body)

    assert (caught.value.path, caught.value.reason) == (path, reason)


def test_an_unknown_type_is_a_key_error(codec: Codec) -> None:
    with pytest.raises(KeyError):
        codec.message_type("test.library.v1.Nothing")
