"""Bodies of client streams, cut into messages wherever the network cuts them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType
from gateway.splitting import Elements, Lines, Splitter, splitter_for

# RFC 8259 section 2: an array is values between brackets, separated by commas, with white space around anything.
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda held: st.lists(held) | st.dictionaries(st.text(), held),
)


def cut(splitter: Splitter, body: bytes, size: int) -> list[bytes]:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return [text for piece in pieces for text in splitter.feed(piece)] + splitter.end()


@settings(max_examples=50, deadline=None)
@given(st.lists(VALUES), st.integers(1, 7), st.sampled_from([None, 1]), st.booleans())
def test_an_array_comes_apart_the_same_wherever_it_is_cut(
    values: list[object], size: int, indent: int | None, ascii_only: bool
) -> None:
    body = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()

    assert [json.loads(text) for text in cut(Elements(10_000), body, size)] == values


@settings(max_examples=50, deadline=None)
@given(st.lists(VALUES), st.integers(1, 7), st.booleans())
def test_lines_come_apart_the_same_wherever_they_are_cut(values: list[object], size: int, last_feed: bool) -> None:
    body = b"\r\n\n".join(json.dumps(value).encode() for value in values) + b"\n" * last_feed

    assert [json.loads(text) for text in cut(Lines(10_000), body, size)] == values


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize(
    "body", [b"[1,]", b"[,1]", b"[1", b'["]', b"[1}", b"{}", b'"x"', b"1", b"[1] 2", b"x[1]", b"[1]]"]
)
def test_what_is_no_array_is_refused(body: bytes, size: int) -> None:
    with pytest.raises(InvalidRequest, match="malformed JSON"):
        cut(Elements(100), body, size)


@pytest.mark.parametrize("body", [b"", b"  ", b"[]", b" [ ] "])
def test_nothing_is_an_empty_stream(body: bytes) -> None:
    assert cut(Elements(100), body, 1) == []
    assert cut(Lines(100), b"\n \n", 1) == []


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    ("splitter", "body"), [(Elements, b'["' + b"x" * 20), (Lines, b"x" * 21), (Lines, b"x" * 21 + b"\n")]
)
def test_a_message_beyond_the_limit_is_refused_before_it_ends(splitter: type[Lines], body: bytes, size: int) -> None:
    with pytest.raises(BodyTooLarge):
        cut(splitter(20), body, size)


def test_a_stream_may_be_longer_than_any_message() -> None:
    assert len(cut(Elements(5), b"[" + b"12345," * 999 + b"1]", 64)) == 1000


def test_the_media_type_decides() -> None:
    assert isinstance(splitter_for(None, 1), Elements)
    assert isinstance(splitter_for(b"Application/JSON; charset=utf-8", 1), Elements)
    assert isinstance(splitter_for(b"application/x-ndjson", 1), Lines)
    with pytest.raises(UnsupportedMediaType):
        splitter_for(b"text/csv", 1)
