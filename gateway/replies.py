"""Response message -> HTTP response of a unary call, compiled per route at start."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from protobuf import DescField, DescFieldValueMessage, DescMessage, Message, message_to_json_value

from gateway.binding import RouteError, message_of
from gateway.body import HTTP_BODY
from gateway.contract import Contract, HttpBinding, Rpc
from gateway.errors import Headers, UnreadableAnswer
from gateway.fields import UnbindableField, field_chain
from gateway.template import Template, TemplateError, Wildcard, parse_template
from mesh.codec import Codec, EncodeError, field_named

EMPTY = "google.protobuf.Empty"
_MEDIA_TYPE = re.compile(rb"[!-~]+/[ -~]+")
_JSON = (b"content-type", b"application/json")


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, ready to be sent; the headers lack content-length."""

    http_status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Location:
    """A policy's `location`: a path template over fields of the response, in parts: texts, and fields with the
    characters that their values keep."""

    parts: tuple[str | tuple[tuple[DescField, ...], str], ...]
    verb: str

    def of(self, message: Message) -> bytes | None:
        """The path; None when a field of it is empty."""
        texts: list[str] = []
        for part in self.parts:
            text = part if isinstance(part, str) else quote(str(_value_at(message, part[0])), safe=part[1])
            if not text:
                return None
            texts.append(text)
        return f"/{'/'.join(texts)}{self.verb}".encode()


class BodyField:
    """A rule's `response_body`: one field of the response, default or not."""

    def __init__(self, codec: Codec, response: DescMessage, field: DescField) -> None:
        empty = message_to_json_value(response.type(), always_emit_implicit=True)
        default = empty.get(field.json_name) if isinstance(empty, dict) else None
        self._default = json.dumps(default).encode()
        self._codec = codec
        self._type = response.type
        self._field = field
        self._prefix = len(json.dumps(field.json_name, ensure_ascii=False).encode()) + len("{:")

    def of(self, message: Message) -> bytes:
        """The field's value, as it would be in the response. Raises EncodeError."""
        held: Any = message[self._field]
        if isinstance(self._field.value, DescFieldValueMessage):
            return b"null" if held is None else self._codec.to_json(held)
        alone = self._type()
        if self._field in message:
            alone[self._field] = held
        text = self._codec.to_json(alone)
        return text[self._prefix : -1] or self._default


@dataclass(frozen=True, slots=True)
class ReplyRenderer:
    """Everything that makes one route's response. `cacheable` says that If-None-Match can make it a 304."""

    codec: Codec
    message_type: type[Message]
    etag: DescField | None
    cacheable: bool
    location: Location | None
    body_field: "BodyField | None"

    def render(self, wire: bytes, request_headers: Mapping[bytes, bytes]) -> Reply:
        """Raises ValueError on bytes that are not such a message, and UnreadableAnswer."""
        message = self.message_type.from_binary(wire)
        headers: Headers = [_JSON]
        if self.etag is not None and (tag := message[self.etag]):
            quoted = b'"%s"' % tag.encode()
            headers.append((b"etag", quoted))
            condition = request_headers.get(b"if-none-match") if self.cacheable else None
            if condition is not None and (known := _named(condition, quoted)) is not None:
                return Reply(304, [(b"etag", known)], b"")
        if self.location is None:
            return Reply(200, headers, self.body(message))
        if (location := self.location.of(message)) is not None:
            headers.append((b"location", location))
        return Reply(201, headers, self.body(message))

    def body(self, message: Message) -> bytes:
        """The JSON that a rule's `response_body` makes of a message, of a stream too. Raises UnreadableAnswer."""
        try:
            return self.codec.to_json(message) if self.body_field is None else self.body_field.of(message)
        except EncodeError as error:
            raise UnreadableAnswer(
                f"The service's answer has no JSON form: {error}", reason="UNREADABLE_ANSWER"
            ) from None


@dataclass(frozen=True, slots=True)
class RawRenderer:
    """A google.api.HttpBody, which is the response or, by `response_body`, a field of it: its data is the body."""

    message_type: type[Message]
    field: DescField | None

    def render(self, wire: bytes, request_headers: Mapping[bytes, bytes]) -> Reply:
        """Raises ValueError on bytes that are not such a message."""
        message = self.message_type.from_binary(wire)
        return Reply(200, self.headers(message), self.body(message))

    def headers(self, message: Message) -> Headers:
        """What the message says about its bytes. Browsers must not guess another type."""
        content_type = str(getattr(self._content(message), "content_type", "")).encode()
        if _MEDIA_TYPE.fullmatch(content_type) is None:
            content_type = b"application/octet-stream"
        return [(b"content-type", content_type), (b"x-content-type-options", b"nosniff")]

    def body(self, message: Message) -> bytes:
        """The bytes; none when the field is unset."""
        return getattr(self._content(message), "data", b"")

    def _content(self, message: Message) -> Message | None:
        return message if self.field is None else message[self.field]


class EmptyRenderer:
    """The response of an rpc that returns google.protobuf.Empty: 204, whatever its bytes."""

    def render(self, wire: bytes, request_headers: Mapping[bytes, bytes]) -> Reply:
        """Never raises."""
        return Reply(204, [], b"")

    def body(self, message: Message) -> bytes:
        """An empty message of a stream."""
        return b"{}"


Renderer = ReplyRenderer | RawRenderer | EmptyRenderer


def compile_renderer(contract: Contract, codec: Codec, rpc: Rpc, rule: HttpBinding) -> Renderer:
    """Raises RouteError for a rule or policy that does not fit the response message."""
    if rpc.response == EMPTY:
        return EmptyRenderer()
    response = message_of(contract, rpc.response)
    etag = field_named(response, "etag")
    body_field = field_named(response, rule.response_body) if rule.response_body else None
    if rule.response_body and body_field is None:
        raise RouteError(f"{rpc.response} has no field {rule.response_body} for the response body")
    content = body_field.value if body_field is not None else None
    held = content.message if isinstance(content, DescFieldValueMessage) else response
    if held.type_name == HTTP_BODY and (body_field is None or isinstance(content, DescFieldValueMessage)):
        return RawRenderer(response.type, body_field)
    return ReplyRenderer(
        codec=codec,
        message_type=response.type,
        etag=etag,
        cacheable=rule.verb in ("GET", "*"),
        location=_location(contract, rpc),
        body_field=BodyField(codec, response, body_field) if body_field is not None else None,
    )


def _location(contract: Contract, rpc: Rpc) -> Location | None:
    if rpc.policy is None or not rpc.policy.location:
        return None
    response = message_of(contract, rpc.response)
    try:
        template = parse_template(rpc.policy.location)
        parts = tuple(_location_parts(response, template))
    except (TemplateError, UnbindableField) as error:
        raise RouteError(f"policy location: {error}") from None
    return Location(parts, f":{quote(template.verb)}" if template.verb else "")


def _location_parts(response: DescMessage, template: Template) -> Iterator[str | tuple[tuple[DescField, ...], str]]:
    """A value of one segment is encoded whole; one of several keeps its slashes."""
    variables = {variable.start: variable for variable in template.variables}
    position = 0
    while position < len(template.segments):
        segment, variable = template.segments[position], variables.get(position)
        if variable is not None:
            yield tuple(field_chain(response, variable.field_path)), "" if variable.single else "/"
        elif isinstance(segment, Wildcard):
            raise RouteError(f"policy location {template.source}: {segment.value} needs a field")
        else:
            yield quote(segment, safe="")
        position = position + 1 if variable is None else variable.stop or len(template.segments)


def _value_at(message: Message | None, chain: tuple[DescField, ...]) -> object:
    value: object = message
    for field in chain:
        if not isinstance(value, Message):
            return ""
        value = value[field]
    return value if value is not None else ""


def _named(condition: bytes, quoted: bytes) -> bytes | None:
    """The tag as If-None-Match names it, so that a cache knows which of its answers is still good; weak tags compare
    as strong ones (RFC 9110 section 13.1.2). None when it does not."""
    for item in condition.split(b","):
        tag = item.strip()
        if tag.removeprefix(b"W/") == quoted:
            return tag
        if tag == b"*":
            return quoted
    return None
