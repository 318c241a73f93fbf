"""What the head of a request may be, beyond what the parser already refuses. Knows no socket.

llhttp is strict about syntax and about what delimits a body; what it lets pass, and what its refusals mean to a client,
is said here.
"""

from collections.abc import Mapping, Sequence

from httptools import HttpParserCallbackError, HttpParserError
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake, InvalidHeader
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS, Request
from websockets.server import ServerProtocol

from gateway.errors import (
    HeadTooLarge,
    InvalidRequest,
    MethodNotAllowed,
    NotImplementedHere,
    RequestRefused,
    TargetTooLong,
    UpgradeRequired,
    VersionNotSupported,
)

Lines = Sequence[tuple[bytes, bytes]]
"""Headers; names are in lower case."""

Fields = Mapping[bytes, bytes]
"""The last of each name."""

_VERSIONS = ("1.1", "1.0")
_OTHER_VERSION = ("Invalid HTTP version", "Pause on PRI/Upgrade")
"""What llhttp says about versions that it does not know, and about the preface of HTTP/2."""


def check_head(version: str, headers: Lines, fields: Fields) -> None:
    """Raises VersionNotSupported, InvalidRequest, NotImplementedHere."""
    if version not in _VERSIONS:
        raise VersionNotSupported(reason="HTTP_VERSION_NOT_SUPPORTED")
    if b"host" not in fields and version == "1.1":
        raise _not_one_host()
    if len(fields) < len(headers) and [name for name, _ in headers].count(b"host") > 1:
        raise _not_one_host()
    if b"transfer-encoding" in fields:
        _check_coding(version, fields[b"transfer-encoding"])


def _not_one_host() -> InvalidRequest:
    return InvalidRequest("There must be one Host header.", reason="MALFORMED_REQUEST", field="host")


def _check_coding(version: str, coding: bytes) -> None:
    """RFC 9112 section 6.1. The parser refuses a second field."""
    if version == "1.0":
        message = "HTTP/1.0 has no Transfer-Encoding."
        raise InvalidRequest(message, reason="MALFORMED_REQUEST", field="transfer-encoding")
    if coding.strip().lower() != b"chunked":
        raise NotImplementedHere(reason="UNSUPPORTED_TRANSFER_CODING", field="transfer-encoding")


def check_upgrade(fields: Fields) -> None:
    """An upgrade to anything but WebSocket is not made. The parser would then take a body for the new protocol's
    bytes. Raises InvalidRequest when one is announced."""
    if b"transfer-encoding" in fields or fields.get(b"content-length", b"0") != b"0":
        message = "A request that asks for another protocol has no body here."
        raise InvalidRequest(message, reason="UNSUPPORTED_UPGRADE", field="upgrade")


def check_handshake(method: str, version: str, target: bytes, headers: Lines) -> None:
    """Refuses what the WebSocket library would refuse in plain text, or not survive. Raises RequestRefused."""
    if method != "GET":
        raise MethodNotAllowed(
            "A WebSocket is opened by GET.", reason="METHOD_NOT_ALLOWED", headers=[(b"allow", b"GET")]
        )
    check_upgrade(dict(headers))
    longest = max(len(target) + len("GET  HTTP/1.1"), *(len(name) + len(value) + 2 for name, value in headers))
    if len(headers) > MAX_NUM_HEADERS or longest + 2 > MAX_LINE_LENGTH:
        raise HeadTooLarge("The headers are too large for a WebSocket.", reason="HEADERS_TOO_LARGE")
    lines = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers])
    try:
        ServerProtocol().process_request(Request(target.decode("ascii"), lines, method, f"HTTP/{version}"))
    except InvalidHandshake as error:
        raise _refused_handshake(error) from None


def _refused_handshake(error: InvalidHandshake) -> RequestRefused:
    field = error.name.lower() if isinstance(error, InvalidHeader) else ""  # what was sent is not repeated
    if field == "sec-websocket-version":
        return UpgradeRequired(reason="INVALID_HANDSHAKE", field=field, headers=[(field.encode(), b"13")])
    message = f"{field or 'the handshake'} is missing or not valid.".capitalize()
    return InvalidRequest(message, reason="INVALID_HANDSHAKE", field=field)


def too_large(target: bytes, limit: int) -> RequestRefused:
    """The refusal of a head of more than `limit` bytes, of which the target is too much, or the rest."""
    if len(target) * 2 > limit:
        return TargetTooLong(f"The path and the query are longer than {limit} bytes.", reason="TARGET_TOO_LONG")
    return HeadTooLarge(f"The headers are larger than {limit} bytes.", reason="HEADERS_TOO_LARGE")


def refusal_of(parser_error: HttpParserError) -> RequestRefused:
    """What the parser's refusal means. Its texts are constants of llhttp."""
    if isinstance(parser_error, HttpParserCallbackError):
        return InvalidRequest("The target is no path.", reason="MALFORMED_REQUEST")
    text = str(parser_error)
    if text in _OTHER_VERSION:
        return VersionNotSupported(reason="HTTP_VERSION_NOT_SUPPORTED")
    return InvalidRequest(f"This is not HTTP/1.1: {text}.", reason="MALFORMED_REQUEST")
