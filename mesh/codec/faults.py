"""Says which field of a refused JSON body is at fault, and why, in the client's own terms. The slow path only.

Every leaf is judged by the decoder itself (a scalar through its wrapper type), so that the rules live in one place;
what it takes wrongly is refused here: numbers that Python's own parser would take, keys of maps that are out of range,
and what cannot be written again.
"""

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches

from protobuf import (
    DescEnum,
    DescField,
    DescFieldValueList,
    DescFieldValueMap,
    DescMessage,
    Message,
    Registry,
    ScalarType,
    wkt,
)

from mesh.codec.document import ANY, Document, Element, Members, below, elements, field_named, held_in_any, plain

_SHOWN_CHARACTERS = 40
_NOT_NUMBERS = frozenset((ScalarType.BOOL, ScalarType.STRING, ScalarType.BYTES))
_DIGITS = re.compile(r"[0-9+\-.eE]*", re.ASCII)
_INTEGER_KEY = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)
_BOOLEAN, _TEXT, _BASE64, _NUMBER = "true or false", "a string", "a base64 string", "a number"
_INTEGER, _NATURAL = "an integer", "an integer of 0 or more"

_WRAPPERS: dict[ScalarType, type[Message]] = {
    ScalarType.BOOL: wkt.BoolValue,
    ScalarType.STRING: wkt.StringValue,
    ScalarType.BYTES: wkt.BytesValue,
    ScalarType.DOUBLE: wkt.DoubleValue,
    ScalarType.FLOAT: wkt.FloatValue,
    ScalarType.INT32: wkt.Int32Value,
    ScalarType.SINT32: wkt.Int32Value,
    ScalarType.SFIXED32: wkt.Int32Value,
    ScalarType.UINT32: wkt.UInt32Value,
    ScalarType.FIXED32: wkt.UInt32Value,
    ScalarType.INT64: wkt.Int64Value,
    ScalarType.SINT64: wkt.Int64Value,
    ScalarType.SFIXED64: wkt.Int64Value,
    ScalarType.UINT64: wkt.UInt64Value,
    ScalarType.FIXED64: wkt.UInt64Value,
}
_WELL_KNOWN = {
    "google.protobuf.Timestamp": 'a time such as "2026-01-31T12:00:00Z"',
    "google.protobuf.Duration": 'a duration in seconds such as "1.5s"',
    "google.protobuf.FieldMask": 'a list of fields such as "title,author.name"',
    "google.protobuf.Struct": "an object",
    "google.protobuf.Value": "a JSON value",
    "google.protobuf.ListValue": "a list",
    ANY: 'an object with an "@type" that is known here',
    "google.protobuf.BoolValue": _BOOLEAN,
    "google.protobuf.StringValue": _TEXT,
    "google.protobuf.BytesValue": _BASE64,
    "google.protobuf.DoubleValue": _NUMBER,
    "google.protobuf.FloatValue": _NUMBER,
    "google.protobuf.Int32Value": _INTEGER,
    "google.protobuf.Int64Value": _INTEGER,
    "google.protobuf.UInt32Value": _NATURAL,
    "google.protobuf.UInt64Value": _NATURAL,
}
_INTEGERS = frozenset(name for name, expected in _WELL_KNOWN.items() if expected in (_INTEGER, _NATURAL))
DECODER_ERRORS = (ValueError, TypeError, OverflowError, RecursionError)
"""What the library raises for a document that is not a message."""


class DecodeError(Exception):
    """A body is not a message of its type. `path` is the field as the client wrote it; empty for the whole body."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


def is_well_known(message: DescMessage) -> bool:
    """Whether a message has a JSON form of its own."""
    return message.type_name in _WELL_KNOWN


def expectation(element: Element) -> str:
    """What a value of this type must be, in words: `an integer`."""
    if isinstance(element, ScalarType):
        return _WELL_KNOWN[_WRAPPERS[element].desc().type_name]
    if isinstance(element, DescEnum):
        return "one of " + ", ".join(value.name for value in element.values)
    return _WELL_KNOWN.get(element.type_name, "an object")


def first_fault(message: DescMessage, value: Document, registry: Registry, path: str = "") -> DecodeError | None:
    """The first thing that keeps a document from being such a message; None when none is found."""
    if message.type_name == ANY:
        return _of_any(message, value, registry, path)
    if is_well_known(message):
        return None if _is_well_formed(message.type, value, registry) else _unexpected(message, value, path)
    if not isinstance(value, Members):
        return _unexpected(message, value, path)
    return next(
        (fault for name, member in value.pairs if (fault := _of_member(message, name, member, registry, path))), None
    )


def _of_any(message: DescMessage, value: Document, registry: Registry, path: str) -> DecodeError | None:
    """The decoder ignores members beside the `value` of a well-known type, and takes them for it when it is a Value."""
    if isinstance(value, Members) and not value.pairs:
        return None
    if (found := held_in_any(value, registry)) is None:
        return _unexpected(message, value, path)
    held, rest = found
    if not is_well_known(held):
        return first_fault(held, rest, registry, path)
    names = [name for name, _ in rest.pairs]
    if (other := next((name for name in names if name != "value"), None)) is not None:
        return DecodeError(below(path, other), 'unknown field beside "@type" and "value"')
    if not names:
        return DecodeError(below(path, "value"), f"expected {expectation(held)}, got nothing")
    return first_fault(held, rest.pairs[0][1], registry, below(path, "value"))


def _of_member(message: DescMessage, name: str, value: Document, registry: Registry, path: str) -> DecodeError | None:
    where = below(path, name)
    field = field_named(message, name)
    if field is None:
        return None if _is_extension(name, registry) else _unknown(message, name, where)
    return _of_shape(field, value, where) or next(_of_elements(field, value, registry, where), None)


def _of_shape(field: DescField, value: Document, path: str) -> DecodeError | None:
    if value is None:
        return None
    if isinstance(field.value, DescFieldValueList) and not isinstance(value, list):
        return DecodeError(path, f"expected a list, got {_shown(value)}")
    if not isinstance(field.value, DescFieldValueMap):
        return None
    if not isinstance(value, Members):
        return DecodeError(path, f"expected an object, got {_shown(value)}")
    key = field.value.key
    bad = next((name for name, _ in value.pairs if not _is_key(key, name)), None)
    return None if bad is None else DecodeError(path, f"expected keys to be {expectation(key)}, got {_shown(bad)}")


def _of_elements(field: DescField, value: Document, registry: Registry, path: str) -> Iterator[DecodeError]:
    repeated = isinstance(field.value, DescFieldValueList | DescFieldValueMap)
    for element, item, where in elements(field, value, path):
        if item is None and not repeated:
            continue
        if (fault := _of_element(element, item, registry, where)) is not None:
            yield fault


def _of_element(element: Element, value: Document, registry: Registry, path: str) -> DecodeError | None:
    if isinstance(element, DescMessage):
        if value is None and element.type_name != "google.protobuf.Value":
            return _unexpected(element, value, path)
        return first_fault(element, value, registry, path)
    if isinstance(element, DescEnum):
        return None if _is_enum_value(element, value) else _unexpected(element, value, path)
    if _fits_plainly(element, value) or (value is not None and _is_well_formed(_WRAPPERS[element], value, registry)):
        return None
    return _unexpected(element, value, path)


def _fits_plainly(element: ScalarType, value: Document) -> bool:
    """Whether a value surely fits, as most do: asking the decoder about each would take seconds for a large body."""
    if isinstance(value, str):
        return element is ScalarType.STRING
    if isinstance(value, bool):
        return element is ScalarType.BOOL
    return isinstance(value, int) and 0 <= value < 2**31 and element not in _NOT_NUMBERS


def _is_enum_value(enum: DescEnum, value: Document) -> bool:
    if isinstance(value, str):
        return any(value == known.name for known in enum.values)
    if value is None:
        return enum.type_name == "google.protobuf.NullValue"
    return type(value) is int and -(2**31) <= value < 2**31


def _is_key(key: ScalarType, name: str) -> bool:
    if key is ScalarType.BOOL:
        return name in ("true", "false")
    if key is ScalarType.STRING:
        return True
    return _INTEGER_KEY.fullmatch(name) is not None and _is_well_formed(_WRAPPERS[key], name, None)


def _is_extension(name: str, registry: Registry) -> bool:
    return name.startswith("[") and name.endswith("]") and registry.extension(name[1:-1]) is not None


def _is_well_formed(message_type: type[Message], value: Document, registry: Registry | None) -> bool:
    """Whether a value is a message of a well-known type, which then has a JSON form again."""
    if isinstance(value, str) and message_type.desc().type_name in _INTEGERS and not _DIGITS.fullmatch(value):
        return False
    try:
        message_type.from_json(json.dumps(plain(value)), registry=registry).to_json(registry=registry)
    except DECODER_ERRORS:
        return False
    return True


def _unexpected(element: Element, value: Document, path: str) -> DecodeError:
    return DecodeError(path, f"expected {expectation(element)}, got {_shown(value)}")


def _unknown(message: DescMessage, name: str, path: str) -> DecodeError:
    known = [field.json_name for field in message.fields]
    close = get_close_matches(name, known, n=1)
    return DecodeError(path, f"unknown field; did you mean {close[0]}?" if close else "unknown field")


def _shown(value: Document) -> str:
    text = json.dumps(plain(value), ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
