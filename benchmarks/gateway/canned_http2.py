"""A gRPC server that knows its answers by the bytes of the request, and so costs a fifth of grpc.aio's: as much HTTP/2
as gRPC's and Envoy's clients need, without reading a header."""

import asyncio
import struct
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
_END_STREAM = _ACK = 1
_END_HEADERS = 4
_INITIAL_WINDOW_SIZE = 4
_FRAME = 16_384
_WINDOW = 65_535
_WIDE = 2**31 - 1 - _WINDOW

Headers = Sequence[tuple[bytes, bytes]]
_OPENING: Headers = ((b":status", b"200"), (b"content-type", b"application/grpc"))


@dataclass(frozen=True, slots=True)
class Answer:
    """HPACK blocks of the headers and of the trailers, which an open end lacks, and messages with gRPC's prefixes."""

    headers: bytes
    body: bytes
    trailers: bytes | None


def answer(*messages: bytes, open_end: bool = False) -> Answer:
    """Messages, and OK unless the stream stays open."""
    body = b"".join(struct.pack("!BI", 0, len(message)) + message for message in messages)
    return Answer(_hpack(_OPENING), body, None if open_end else _hpack([(b"grpc-status", b"0")]))


def failure(code: int, message: str, status: bytes) -> Answer:
    """An error and its serialised google.rpc.Status, in headers that are trailers too."""
    details = b64encode(status).rstrip(b"=")
    error = [(b"grpc-status", b"%d" % code), (b"grpc-message", message.encode()), (b"grpc-status-details-bin", details)]
    return Answer(b"", b"", _hpack([*_OPENING, *error]))


def _hpack(headers: Headers) -> bytes:
    """Literals that no table takes up (RFC 7541, section 6.2.2)."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in headers)


def _text(text: bytes) -> bytes:
    length, size = len(text), bytearray()
    if length < 127:
        return bytes([length]) + text
    size.append(127)
    length -= 127
    while length >= 128:
        size.append(length % 128 + 128)
        length //= 128
    return bytes([*size, length]) + text


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack("!IBI", len(payload) << 8 | kind, flags, stream) + payload


class CannedServer(asyncio.Protocol):
    """One connection. Answers keep to the windows that the client gives."""

    def __init__(self, answers: Mapping[bytes, Answer]) -> None:
        """`answers` by the request message's bytes."""
        self._answers = answers
        self._buffer = b""
        self._greeted = False
        self._requests: dict[int, bytes] = {}
        self._pending: dict[int, tuple[Answer, int]] = {}
        self._first_window = _WINDOW
        self._window = _WINDOW
        self._windows: dict[int, int] = {}
        self._out: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        self._transport = transport
        transport.write(_frame(_SETTINGS, 0, 0, b"") + _frame(_WINDOW_UPDATE, 0, 0, struct.pack("!I", _WIDE)))

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        buffer, at = self._buffer + data, 0
        if not self._greeted and len(buffer) >= len(_PREFACE):
            self._greeted, at = True, len(_PREFACE)
        while self._greeted and len(buffer) >= at + 9:
            head, flags, stream = struct.unpack_from("!IBI", buffer, at)
            end = at + 9 + (head >> 8)
            if len(buffer) < end:
                break
            self._take(head & 255, flags, stream, buffer[at + 9 : end])
            at = end
        self._buffer = buffer[at:]
        if self._out:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _DATA:
            message = self._requests.pop(stream, b"") + payload
            if flags & _END_STREAM:
                self._answer(stream, self._answers[message[5:]])
            else:
                self._requests[stream] = message
        elif kind == _RST_STREAM:
            self._pending.pop(stream, None)
        elif kind == _SETTINGS and not flags & _ACK:
            self._set(payload)
        elif kind == _PING and not flags & _ACK:
            self._out.append(_frame(_PING, _ACK, 0, payload))
        elif kind == _WINDOW_UPDATE:
            self._widen(stream, int.from_bytes(payload))

    def _set(self, payload: bytes) -> None:
        for name, value in struct.iter_unpack("!HI", payload):
            if name == _INITIAL_WINDOW_SIZE:
                for stream in self._windows:
                    self._windows[stream] += value - self._first_window
                self._first_window = value
        self._out.append(_frame(_SETTINGS, _ACK, 0, b""))

    def _widen(self, stream: int, by: int) -> None:
        if not stream:
            self._window += by
        elif stream in self._windows:
            self._windows[stream] += by
        for waiting in list(self._pending):
            self._pump(waiting)

    def _answer(self, stream: int, found: Answer) -> None:
        if found.headers:
            self._out.append(_frame(_HEADERS, _END_HEADERS, stream, found.headers))
        self._windows[stream] = self._first_window
        self._pending[stream] = found, 0
        self._pump(stream)

    def _pump(self, stream: int) -> None:
        """Sends of an answer what the windows have room for."""
        found, at = self._pending[stream]
        while room := min(_FRAME, self._window, self._windows[stream], len(found.body) - at):
            if room < 0:
                break
            self._out.append(_frame(_DATA, 0, stream, found.body[at : at + room]))
            at += room
            self._window -= room
            self._windows[stream] -= room
        if at < len(found.body):
            self._pending[stream] = found, at
            return
        del self._pending[stream], self._windows[stream]
        if found.trailers is not None:
            self._out.append(_frame(_HEADERS, _END_HEADERS | _END_STREAM, stream, found.trailers))
