"""Text -> the value of a field, for paths, query parameters and headers. One parser a type, chosen at start."""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable
from typing import Any

from protobuf import DescEnum, DescMessage, ScalarType

from mesh.codec import BEYOND_FLOATS

Element = ScalarType | DescEnum | DescMessage
Parser = Callable[[str], Any]
"""Text to a value, which has as many types as fields have; raises ValueError."""

_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|NaN|-?Infinity", re.ASCII)
_MASK_PATH = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*|\*", re.ASCII | re.IGNORECASE)
_CAPITAL = re.compile(r"[A-Z]")
_SIGNED_32, _SIGNED_64 = range(-(2**31), 2**31), range(-(2**63), 2**63)
_UNSIGNED_32, _UNSIGNED_64 = range(2**32), range(2**64)
_RANGES = {
    ScalarType.INT32: _SIGNED_32,
    ScalarType.SINT32: _SIGNED_32,
    ScalarType.SFIXED32: _SIGNED_32,
    ScalarType.UINT32: _UNSIGNED_32,
    ScalarType.FIXED32: _UNSIGNED_32,
    ScalarType.INT64: _SIGNED_64,
    ScalarType.SINT64: _SIGNED_64,
    ScalarType.SFIXED64: _SIGNED_64,
    ScalarType.UINT64: _UNSIGNED_64,
    ScalarType.FIXED64: _UNSIGNED_64,
}
_WRAPPERS = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in ("Bool", "String", "Bytes", "Double", "Float", "Int32", "Int64", "UInt32", "UInt64")
)


def parser_of(element: Element) -> Parser | None:
    """How text becomes a value of this type; None for types that have no text form."""
    if isinstance(element, ScalarType):
        return _scalar_parser(element)
    if isinstance(element, DescEnum):
        return lambda text: _enum_value(element, text)
    if element.type_name in _WRAPPERS:
        return _wrapper_parser(element)
    if element.type_name == "google.protobuf.FieldMask":
        return lambda text: element.type(paths=mask_of_text(text))
    if element.type_name in ("google.protobuf.Timestamp", "google.protobuf.Duration"):
        return lambda text: element.type.from_json(json.dumps(text))
    return None


def mask_of_text(text: str) -> list[str]:
    """The paths of a field mask in either spelling: `displayName,author.name` or `display_name,author.name`; or `*`.

    Raises ValueError."""
    paths = [path.strip() for path in text.split(",")] if text else []
    if not all(map(_MASK_PATH.fullmatch, paths)):
        raise ValueError(text)
    return [_CAPITAL.sub(lambda match: f"_{match.group().lower()}", path) for path in paths]


def _scalar_parser(kind: ScalarType) -> Parser:
    if kind is ScalarType.STRING:
        return str
    if kind is ScalarType.BOOL:
        return _boolean
    if kind is ScalarType.BYTES:
        return _bytes
    if kind in (ScalarType.DOUBLE, ScalarType.FLOAT):
        return lambda text: _number(text, kind)
    return lambda text: _integer(text, _RANGES[kind])


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


def _integer(text: str, allowed: range) -> int:
    if _INTEGER.fullmatch(text) is None or (value := int(text)) not in allowed:
        raise ValueError(text)
    return value


def _number(text: str, kind: ScalarType) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(text)
    value = float(text)
    finite_text = not text.endswith(("NaN", "Infinity"))
    if finite_text and abs(value) >= (BEYOND_FLOATS if kind is ScalarType.FLOAT else math.inf):
        raise ValueError(text)
    return value


def _bytes(text: str) -> bytes:
    """Either alphabet of base64, with or without padding, as ProtoJSON takes it."""
    standard = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except binascii.Error:
        raise ValueError(text) from None


def _enum_value(enum: DescEnum, text: str) -> object:
    for value in enum.values:
        if value.name == text:
            return enum.type(value.number)
    return enum.type(_integer(text, _SIGNED_32))


def _wrapper_parser(wrapper: DescMessage) -> Parser:
    kind = getattr(wrapper.fields[0].value, "scalar", ScalarType.STRING)
    parse = _scalar_parser(kind)
    return lambda text: wrapper.type(value=parse(text))
