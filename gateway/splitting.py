"""Cuts the body of a client stream into the JSON texts of its messages, as the bytes come. Knows no message type.

Memory is bounded: what is kept between two pieces of a body is one unfinished text, which has a limit.
"""

import re
from typing import Protocol

from gateway.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType

_LINES = frozenset((b"application/x-ndjson", b"application/ndjson", b"application/jsonl"))
_OUTSIDE_STRING = re.compile(rb'["\[\]{},]')
_INSIDE_STRING = re.compile(rb'["\\]')


class Splitter(Protocol):
    """Cuts one body."""

    def feed(self, data: bytes) -> list[bytes]:
        """The texts that end in these bytes. Raises InvalidRequest, BodyTooLarge."""
        ...

    def end(self) -> list[bytes]:
        """What is left when the body has ended. Raises InvalidRequest for a body that was cut off."""
        ...


def splitter_for(content_type: bytes | None, limit: int) -> Splitter:
    """The splitter for a media type; `limit` is in bytes a message. Raises UnsupportedMediaType."""
    media = (content_type or b"application/json").partition(b";")[0].strip().lower()
    if media in _LINES:
        return Lines(limit)
    if media == b"application/json":
        return Elements(limit)
    raise UnsupportedMediaType(
        "A stream of messages is application/x-ndjson, or an array in application/json.",
        reason="UNSUPPORTED_MEDIA_TYPE",
        field="content-type",
    )


class Lines:
    """NDJSON: a JSON text a line. Empty lines are nothing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in these bytes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in (*lines, self._rest):
            require_within(self._limit, line)
        return [line for line in lines if line.strip()]

    def end(self) -> list[bytes]:
        """The last line, which needs no line feed."""
        return [self._rest] if self._rest.strip() else []


class Elements:
    """One JSON array: a message an element. Only brackets, commas and strings are looked at; whether an element is
    JSON is for the codec to say."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = b""
        self._at = 0
        self._start = 0
        self._depth = 0
        self._in_string = False
        self._is_first = True
        self._closed = False

    def feed(self, data: bytes) -> list[bytes]:
        """The elements that end in these bytes."""
        self._buffer += data
        texts: list[bytes] = []
        while (mark := self._next_mark()) is not None:
            texts += self._read(mark)
        self._buffer, self._at, self._start = self._buffer[self._start :], self._at - self._start, 0
        if self._closed and self._buffer.strip():
            raise _malformed("something follows the array")
        require_within(self._limit, self._buffer)
        return texts

    def end(self) -> list[bytes]:
        """Nothing is left of an array that was closed. No body at all is an empty stream."""
        if not self._closed and (self._depth or self._buffer.strip()):
            raise _malformed("the array is cut off" if self._depth else _NO_ARRAY)
        return []

    def _next_mark(self) -> bytes | None:
        """The next character that matters; what lies before `_at` is never looked at again."""
        if self._closed:
            return None
        pattern = _INSIDE_STRING if self._in_string else _OUTSIDE_STRING
        match = pattern.search(self._buffer, self._at)
        # An escape at the very end lies one beyond it: the next piece begins with the escaped character.
        self._at = match.end() if match is not None else max(self._at, len(self._buffer))
        return match[0] if match is not None else None

    def _read(self, mark: bytes) -> list[bytes]:
        if self._in_string:
            self._in_string = mark == b"\\"
            self._at += self._in_string
        elif self._depth == 0:
            self._open(mark)
        elif mark == b'"':
            self._in_string = True
        elif mark in (b"[", b"{"):
            self._depth += 1
        elif mark == b",":
            return [self._element()] if self._depth == 1 else []
        else:
            return self._close(mark)
        return []

    def _open(self, mark: bytes) -> None:
        if mark != b"[" or self._buffer[: self._at - 1].strip():
            raise _malformed(_NO_ARRAY)
        self._depth = 1
        self._start = self._at

    def _close(self, mark: bytes) -> list[bytes]:
        self._depth -= 1
        if self._depth:
            return []
        if mark != b"]":
            raise _malformed("the array ends with a brace")
        self._closed = True
        is_empty = self._is_first and not self._buffer[self._start : self._at - 1].strip()
        element = [] if is_empty else [self._element()]
        self._start = self._at
        return element

    def _element(self) -> bytes:
        text = self._buffer[self._start : self._at - 1].strip()
        if not text:
            raise _malformed("an element is missing")
        self._start = self._at
        self._is_first = False
        return require_within(self._limit, text)


_NO_ARRAY = "a stream of messages is an array in application/json, or lines in application/x-ndjson"


def require_within(limit: int, text: bytes) -> bytes:
    """The text. Raises BodyTooLarge for one of more than `limit` bytes."""
    if len(text) > limit:
        raise BodyTooLarge(f"A message is larger than {limit} bytes.", reason="BODY_TOO_LARGE", field="body")
    return text


def _malformed(reason: str) -> InvalidRequest:
    return InvalidRequest(f"malformed JSON: {reason}", reason="INVALID_BODY", field="body")
