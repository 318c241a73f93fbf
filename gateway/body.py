"""Request bodies: reading them within a limit, and what a rule's `body` makes of them."""

import json
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol

from protobuf import DescField, DescFieldValueMessage, DescMessage, Message
from starlette.types import Receive

from gateway.errors import BodyTooLarge, InvalidRequest, RequestTimeout, UnsupportedMediaType
from gateway.fields import set_field
from mesh.codec import Codec, DecodeError, field_named

HTTP_BODY = "google.api.HttpBody"


class ClientGone(Exception):
    """The client closed the connection."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a body must come: within `patience` seconds, and one more for each `rate` bytes; 0 is any rate. Silence
    is for the connection to notice."""

    rate: int = 0
    patience: float = math.inf

    def require(self, size: int, seconds: float) -> None:
        """Raises RequestTimeout."""
        if self.rate and seconds > self.patience + size / self.rate:
            message = f"The body came more slowly than {self.rate} bytes a second."
            raise RequestTimeout(message, reason="BODY_TOO_SLOW", field="body")


ANY_PACE = Pace()


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int, pace: Pace = ANY_PACE) -> bytes:
    """The whole body; empty when the request announces none (RFC 9112 section 6.3). A body of more than `limit`
    bytes is refused as soon as that is known. Raises BodyTooLarge, RequestTimeout, ClientGone."""
    length = headers.get(b"content-length")
    if length is None and b"transfer-encoding" not in headers:
        return b""
    if length is not None and int(length) > limit:
        raise too_large(limit)
    message = await receive()
    if not message.get("more_body"):
        return _checked(_body_of(message), limit)
    chunks, size, began = [_body_of(message)], len(_body_of(message)), monotonic()
    while message.get("more_body") and size <= limit:
        message = await receive()
        chunks.append(_body_of(message))
        size += len(chunks[-1])
        pace.require(size, monotonic() - began)
    return _checked(b"".join(chunks), limit)


async def pieces_of(receive: Receive, headers: Mapping[bytes, bytes]) -> AsyncIterator[bytes]:
    """The body of any length, as it comes. Raises ClientGone."""
    if b"content-length" not in headers and b"transfer-encoding" not in headers:
        return
    more = True
    while more:
        message = await receive()
        if piece := _body_of(message):
            yield piece
        more = message.get("more_body", False)


async def require_no_body(receive: Receive, headers: Mapping[bytes, bytes]) -> None:
    """Raises InvalidRequest when there is a body, so that nobody believes it was read; and ClientGone."""
    try:
        await read_body(receive, headers, limit=0)
    except BodyTooLarge:
        raise InvalidRequest("This route takes no body.", reason="UNEXPECTED_BODY", field="body") from None


def require_json(headers: Mapping[bytes, bytes]) -> None:
    """Raises UnsupportedMediaType unless the body is said to be UTF-8 JSON, or nothing is said about it."""
    content_type = headers.get(b"content-type", b"application/json")
    if content_type != b"application/json":
        media, _, parameters = content_type.lower().partition(b";")
        media = media.strip()
        charset = parameters.replace(b" ", b"").replace(b'"', b"")
        is_json = media == b"application/json" or (media.startswith(b"application/") and media.endswith(b"+json"))
        if not is_json or (b"charset=" in charset and charset != b"charset=utf-8"):
            raise UnsupportedMediaType(reason="UNSUPPORTED_MEDIA_TYPE", field="content-type")


def require_identity(headers: Mapping[bytes, bytes]) -> None:
    """Raises UnsupportedMediaType for a compressed stream: what it becomes has no bound."""
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise UnsupportedMediaType(
            "A stream must not be compressed.",
            reason="UNSUPPORTED_CONTENT_ENCODING",
            field="content-encoding",
            headers=[(b"accept-encoding", b"identity")],
        )


class BodyBinder(Protocol):
    """Makes the request message out of a body, which is empty when none was sent."""

    def bind(self, body: bytes) -> Message:
        """Raises InvalidRequest."""
        ...


class NoBody:
    """A rule without `body`."""

    def __init__(self, request: DescMessage) -> None:
        self._type = request.type

    def bind(self, body: bytes) -> Message:
        """A body has been refused before."""
        return self._type()


class WholeBody:
    """`body: "*"`: the body is the request."""

    def __init__(self, codec: Codec, request: DescMessage) -> None:
        self._codec = codec
        self._name = request.type_name
        self._type = request.type

    def bind(self, body: bytes) -> Message:
        """An empty body is an empty request."""
        return decoded(self._codec, self._name, body, "") if body else self._type()


class MessageBody:
    """`body: "field"` of a message type: the body is that message."""

    def __init__(self, codec: Codec, request: DescMessage, field: DescField, held: DescMessage) -> None:
        self._codec = codec
        self._type = request.type
        self._field = field
        self._held = held.type_name

    def bind(self, body: bytes) -> Message:
        """An empty body leaves the field unset."""
        message = self._type()
        if body:
            set_field(message, self._field, decoded(self._codec, self._held, body, self._field.name))
        return message


class ValueBody:
    """`body: "field"` of any other type: the body is that field's JSON value."""

    def __init__(self, codec: Codec, request: DescMessage, field: DescField) -> None:
        self._codec = codec
        self._name = request.type_name
        self._type = request.type
        self._prefix = f'{{"{field.json_name}":'.encode()

    def bind(self, body: bytes) -> Message:
        """The value is decoded as the only member of an object; that it is one value is checked first."""
        if not body:
            return self._type()
        require_one_value(body)
        return decoded(self._codec, self._name, self._prefix + body + b"}", "")


class RawBody:
    """`body` is a google.api.HttpBody: the bytes of the body are its data, whatever their media type. The binder's
    headers set the content type."""

    def __init__(self, request: DescMessage, field: DescField | None, held: DescMessage) -> None:
        """Without `field` the request itself is the HttpBody."""
        self._type = request.type
        self._field = field
        self._held: Any = held.type

    def bind(self, body: bytes) -> Message:
        """Never raises."""
        content: Message = self._held(data=body)
        if self._field is None:
            return content
        message = self._type()
        set_field(message, self._field, content)
        return message


def body_binder(codec: Codec, request: DescMessage, body: str) -> BodyBinder | None:
    """The binder for a rule's `body`; None when it names no field of the request."""
    if not body:
        return NoBody(request)
    if body == "*":
        is_raw = request.type_name == HTTP_BODY
        return RawBody(request, None, request) if is_raw else WholeBody(codec, request)
    field = field_named(request, body)
    if field is None:
        return None
    if isinstance(field.value, DescFieldValueMessage):
        held = field.value.message
        return (
            RawBody(request, field, held) if held.type_name == HTTP_BODY else MessageBody(codec, request, field, held)
        )
    return ValueBody(codec, request, field)


def decoded(codec: Codec, full_name: str, body: bytes, prefix: str) -> Message:
    """Decodes JSON; a fault is named below `prefix`. Raises InvalidRequest."""
    try:
        return codec.decode_json(full_name, body)
    except DecodeError as error:
        path = ".".join(filter(None, (prefix, error.path)))
        message = f"{path}: {error.reason}" if path else error.reason
        raise InvalidRequest(message, reason="INVALID_BODY", field=path or "body") from None


def require_one_value(body: bytes) -> None:
    """Raises InvalidRequest unless the text is exactly one JSON value."""
    try:
        json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"malformed JSON: {error}", reason="INVALID_BODY", field="body") from None


def _body_of(message: Mapping[str, Any]) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b"")


def _checked(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise too_large(limit)
    return body


def too_large(limit: int) -> BodyTooLarge:
    """The refusal of a body of more than `limit` bytes."""
    return BodyTooLarge(f"The body is larger than {limit} bytes.", reason="BODY_TOO_LARGE", field="body")
