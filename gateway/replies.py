"""Response message -> HTTP response of a unary call, compiled per route at start."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from protobuf import DescField, DescFieldValueMessage, Message, message_to_json_value

from gateway.binding import RouteError, message_of
from gateway.body import HTTP_BODY
from gateway.contract import Contract, HttpBinding, Rpc
from gateway.errors import Headers
from gateway.fields import UnbindableField, field_chain
from gateway.template import Template, TemplateError, Wildcard, parse_template
from mesh.codec import Codec, field_named

EMPTY = "google.protobuf.Empty"
_MEDIA_TYPE = re.compile(rb"[!-~]+/[ -~]+")
_JSON = (b"content-type", b"application/json")


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, ready to be sent; the headers lack content-length."""

    http_status: int
    headers: Headers
    body: bytes


class Location:
    """A policy's `location`: a path template over fields of the response."""

    def __init__(self, template: Template, fields: Mapping[int, tuple[DescField, ...]]) -> None:
        """`fields` maps the position of a segment to the field that fills it."""
        self._template = template
        self._fields = fields

    def of(self, message: Message) -> bytes | None:
        """The path; None when a field of it is empty."""
        parts: list[str] = []
        for position, segment in enumerate(self._template.segments):
            text = str(_value_at(message, self._fields[position])) if isinstance(segment, Wildcard) else segment
            if not text:
                return None
            parts.append(quote(text, safe=""))
        verb = f":{self._template.verb}" if self._template.verb else ""
        return f"/{'/'.join(parts)}{verb}".encode()


@dataclass(frozen=True, slots=True)
class ReplyRenderer:
    """Everything that makes one route's response. `cacheable` says that If-None-Match can make it a 304."""

    codec: Codec
    message_type: type[Message]
    etag: DescField | None
    cacheable: bool
    location: Location | None
    body_field: DescField | None

    def render(self, wire: bytes, request_headers: Mapping[bytes, bytes]) -> Reply:
        """Raises ValueError on bytes that are not such a message."""
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
        """The JSON that a rule's `response_body` makes of a message, of a stream too."""
        if self.body_field is None:
            return self.codec.to_json(message)
        held = message[self.body_field]
        if isinstance(self.body_field.value, DescFieldValueMessage):
            return b"null" if held is None else self.codec.to_json(held)
        values = message_to_json_value(message, always_emit_implicit=True)
        value = values.get(self.body_field.json_name) if isinstance(values, dict) else None
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


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
        body_field=body_field,
    )


def _location(contract: Contract, rpc: Rpc) -> Location | None:
    if rpc.policy is None or not rpc.policy.location:
        return None
    response = message_of(contract, rpc.response)
    try:
        template = parse_template(rpc.policy.location)
        fields = {variable.start: tuple(field_chain(response, variable.field_path)) for variable in template.variables}
    except (TemplateError, UnbindableField) as error:
        raise RouteError(f"policy location: {error}") from None
    wildcards = {position for position, segment in enumerate(template.segments) if isinstance(segment, Wildcard)}
    if wildcards != fields.keys():
        raise RouteError(f"policy location {rpc.policy.location}: a variable binds one segment, and * needs a field")
    return Location(template, fields)


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
