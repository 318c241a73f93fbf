"""HTTP request -> request message, compiled per route at start: body, query, headers, mask, and last the path, so that
nothing overrides a path-bound field."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import unquote

from protobuf import DescField, DescFieldValueScalar, DescMessage, Message, ScalarType

from gateway.body import BodyBinder, RawBody, body_binder
from gateway.contract import Contract, HttpBinding, Rpc
from gateway.errors import InvalidRequest
from gateway.fields import TextField, UnbindableField, text_field
from gateway.masks import MaskBinder, mask_binder
from gateway.query import NoQuery, QueryBinder
from gateway.template import Template
from mesh.codec import Codec, field_named

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_SLASH = re.compile(r"(%2[Ff])")


class RouteError(Exception):
    """An http rule cannot be served."""


@dataclass(frozen=True, slots=True)
class PathField:
    """A variable of the template and the field that it binds."""

    start: int
    stop: int | None
    single: bool
    field: TextField

    def bind(self, message: Message, segments: Sequence[str]) -> None:
        """Takes raw segments. Raises InvalidRequest."""
        try:
            if self.single:
                text = unquote(segments[self.start], errors="strict")
            else:
                text = "/".join(map(_decoded_but_slashes, segments[self.start : self.stop]))
            self.field.assign(message, text)
        except ValueError as error:
            path = self.field.path
            raise InvalidRequest(f"{path}: {error}", reason="INVALID_PATH", field=path) from None


class Rivals(Enum):
    """What happens when a header and the request itself set the same field."""

    REQUEST_WINS = auto()
    HEADER_WINS = auto()
    MUST_AGREE = auto()


@dataclass(frozen=True, slots=True)
class HeaderField:
    """A header that sets a field of the request. `verbatim`: the value is not one that may be quoted."""

    header: bytes
    field: TextField
    rivals: Rivals
    verbatim: bool = False

    def bind(self, message: Message, headers: Mapping[bytes, bytes]) -> None:
        """Raises InvalidRequest."""
        value = headers.get(self.header)
        if value is None:
            return
        name = self.header.decode()
        text = value.decode("latin-1") if self.verbatim else _unquoted(name, value)
        if self.rivals is Rivals.HEADER_WINS or self.field.field not in message:
            if text is not None:
                self._assign(message, name, text)
        elif self.rivals is Rivals.MUST_AGREE:
            self._compare(message, name, text)

    def _compare(self, message: Message, name: str, text: str | None) -> None:
        if message[self.field.field] != text:
            other = self.field.field.json_name
            raise InvalidRequest(
                f"{name}: differs from {other} of the request", reason="CONTRADICTORY_HEADER", field=(name, other)
            )

    def _assign(self, message: Message, name: str, text: str) -> None:
        try:
            self.field.assign(message, text)
        except ValueError as error:
            raise InvalidRequest(f"{name}: {error}", reason="INVALID_HEADER", field=name) from None


@dataclass(frozen=True, slots=True)
class RequestBinder:
    """Everything that makes one route's request message. A write whose request has no etag refuses If-Match, since
    nobody would look at it."""

    body: BodyBinder
    query: QueryBinder
    path: tuple[PathField, ...]
    headers: tuple[HeaderField, ...]
    mask: MaskBinder | None
    refuses_if_match: bool
    takes_raw: bool

    def bind(self, segments: Sequence[str], query: bytes, body: bytes, headers: Mapping[bytes, bytes]) -> Message:
        """Raises InvalidRequest, which names what is at fault."""
        message = self.body.bind(body)
        if query:
            self.query.bind(message, query)
        for header in self.headers:
            header.bind(message, headers)
        if self.refuses_if_match and b"if-match" in headers:
            raise InvalidRequest(
                "if-match: this rpc takes no etag", reason="UNSUPPORTED_PRECONDITION", field="if-match"
            )
        if self.mask is not None:
            self.mask.bind(message, body)
        for variable in self.path:
            variable.bind(message, segments)
        return message


_FIELDS_OF_HEADERS = (
    (b"if-match", "etag", Rivals.REQUEST_WINS),
    (b"idempotency-key", "request_id", Rivals.MUST_AGREE),
)


def compile_binder(contract: Contract, codec: Codec, rpc: Rpc, rule: HttpBinding, template: Template) -> RequestBinder:
    """Raises RouteError for a rule that does not fit the request message."""
    request = message_of(contract, rpc.request)
    try:
        path = tuple(
            PathField(variable.start, variable.stop, variable.single, _path_field(request, variable.field_path))
            for variable in template.variables
        )
    except UnbindableField as error:
        raise RouteError(str(error)) from None
    body = body_binder(codec, request, rule.body)
    if body is None:
        raise RouteError(f"{rpc.request} has no field {rule.body} for the body")
    bound = {variable.field.path for variable in path}
    taken = {*bound, _proto_name(request, rule.body)}
    headers = _header_fields(contract, rpc, request, bound)
    takes_raw = isinstance(body, RawBody)
    if takes_raw:
        name = "content_type" if rule.body == "*" else f"{rule.body}.content_type"
        headers += (HeaderField(b"content-type", text_field(request, name), Rivals.HEADER_WINS, verbatim=True),)
    has_etag = any(header.header == b"if-match" for header in headers)
    return RequestBinder(
        body=body,
        query=_query_binder(request, rule, taken, ignores_unknown=codec.ignores_unknown),
        path=path,
        headers=headers,
        mask=None if takes_raw else mask_binder(contract, request, rule, bound),
        takes_raw=takes_raw,
        refuses_if_match=not has_etag and rule.verb not in _SAFE_METHODS,
    )


def _query_binder(
    request: DescMessage, rule: HttpBinding, taken: Collection[str], *, ignores_unknown: bool
) -> QueryBinder:
    kind = NoQuery if rule.body == "*" else QueryBinder
    return kind(request, taken, ignores_unknown=ignores_unknown)


def message_of(contract: Contract, full_name: str) -> DescMessage:
    """The descriptor of a message. Raises RouteError when the descriptor set lacks it."""
    found = contract.registry.message(full_name)
    if found is None:
        raise RouteError(f"the descriptor set has no message {full_name}")
    return found


def cursor_of(contract: Contract, rpc: Rpc) -> tuple[DescField, TextField] | None:
    """What makes a stream resumable: the `version` of its messages, and the request's `after_version`."""
    version = field_named(message_of(contract, rpc.response), "version")
    request = message_of(contract, rpc.request)
    if version is None or field_named(request, "after_version") is None:
        return None
    return version, text_field(request, "after_version")


def _header_fields(contract: Contract, rpc: Rpc, request: DescMessage, bound: set[str]) -> tuple[HeaderField, ...]:
    fields: list[HeaderField] = []
    for header, name, rivals in _FIELDS_OF_HEADERS:
        if name not in bound and _is_text(field_named(request, name)):
            fields.append(HeaderField(header, text_field(request, name), rivals))
    if rpc.server_streaming and (cursor := cursor_of(contract, rpc)) is not None:
        fields.append(HeaderField(b"last-event-id", cursor[1], Rivals.HEADER_WINS))
    return tuple(fields)


def _path_field(request: DescMessage, path: str) -> TextField:
    field = text_field(request, path)
    if field.repeated:
        raise UnbindableField(f"{path} of {request.type_name} is repeated: a path binds one value")
    return field


def _proto_name(message: DescMessage, name: str) -> str:
    field = field_named(message, name)
    return field.name if field is not None else name


def _is_text(field: DescField | None) -> bool:
    return (
        field is not None and isinstance(field.value, DescFieldValueScalar) and field.value.scalar is ScalarType.STRING
    )


def _unquoted(header: str, value: bytes) -> str | None:
    """The value of a header that holds one, without the quotes of an entity tag or a structured string. None for `*`:
    any version will do. A weak tag stands for the same version as a strong one here. An empty value is refused: who
    sends one means a condition, and would get none."""
    try:
        text = value.decode("utf-8").strip().removeprefix("W/")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{header}: not UTF-8", reason="INVALID_HEADER", field=header) from None
    if text == "*" and header == "if-match":
        return None
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    inner = text[1:-1] if quoted else text
    if not inner or '"' in inner:
        raise InvalidRequest(f"{header}: takes one value", reason="INVALID_HEADER", field=header)
    return inner


def _decoded_but_slashes(segment: str) -> str:
    """Everything but an encoded slash is decoded, so that a value of several segments stays one (gateway.md)."""
    if "%" not in segment:
        return segment
    parts = _SLASH.split(segment)
    return "".join(part if _SLASH.fullmatch(part) else unquote(part, errors="strict") for part in parts)
