"""What is known of a message type before its first body comes: above all, which bodies of it deserve a second look.

The decoder in Rust takes some texts that are no such message, and reads them in its own way. Each such text is told
from the type and a few bytes, so that almost every body is read once.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from protobuf import (
    DescEnum,
    DescField,
    DescFieldValueList,
    DescFieldValueMap,
    DescFieldValueMessage,
    DescFieldValueScalar,
    DescFieldValueSingular,
    DescMessage,
    Message,
    ScalarType,
)

from mesh.codec.document import ANY, Element

_KEY = re.compile(rb'"([^"\\]*)"[ \t\r\n]*:')
_LONG_NUMBER = re.compile(rb"[:,\[][ \t\r\n]*-?[0-9]{10}")
_HUGE_NUMBER = re.compile(rb"[0-9][eE]\+?[0-9]{3}|[0-9]{309}")
_ODD_INTEGER = re.compile(rb'[:,\[][ \t\r\n]*"[0-9+\-.eE]*[_\x80-\xff]')

_INTEGERS = frozenset(ScalarType) - {
    ScalarType.BOOL,
    ScalarType.STRING,
    ScalarType.BYTES,
    ScalarType.DOUBLE,
    ScalarType.FLOAT,
}
_INTEGER_WRAPPERS = frozenset(f"google.protobuf.{kind}Value" for kind in ("Int32", "Int64", "UInt32", "UInt64"))
_FREE_JSON = frozenset(("google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"))
_FLOAT_WRAPPER, _MASK = "google.protobuf.FloatValue", "google.protobuf.FieldMask"


@dataclass(frozen=True, slots=True)
class MessageType:
    """A message type, and what it can hold at any depth. `alternates` are original names of fields that differ from
    the JSON names, `members` the JSON names of oneof members, `intricate` both names of field masks and of maps with
    integer keys, of which the decoder takes too much."""

    descriptor: DescMessage
    message_type: type[Message]
    alternates: frozenset[bytes]
    members: frozenset[bytes]
    has_enums: bool
    has_integers: bool
    has_floats: bool
    has_free_json: bool
    has_any: bool
    intricate: frozenset[bytes]

    @classmethod
    def of(cls, descriptor: DescMessage) -> "MessageType":
        """Looks through the message and all that it can hold."""
        fields = [field for message in _reachable(descriptor) for field in message.fields]
        elements = [element_of(field) for field in fields]
        names = {element.type_name for element in elements if isinstance(element, DescMessage)} | {descriptor.type_name}
        return cls(
            descriptor=descriptor,
            message_type=descriptor.type,
            alternates=frozenset(field.name.encode() for field in fields if field.name != field.json_name),
            members=frozenset(field.json_name.encode() for field in fields if _in_oneof(field)),
            has_enums=any(isinstance(element, DescEnum) for element in elements),
            has_integers=not _INTEGERS.isdisjoint(elements) or not _INTEGER_WRAPPERS.isdisjoint(names),
            has_floats=ScalarType.FLOAT in elements or _FLOAT_WRAPPER in names,
            has_free_json=not _FREE_JSON.isdisjoint(names),
            has_any=ANY in names,
            intricate=frozenset((b"",) if descriptor.type_name == _MASK else _intricate_names(fields)),
        )

    def may_be_wrong(self, body: bytes) -> bool:
        """Whether what the decoder took may be no such message: an enum number beyond 32 bits; an integer in a text
        with underscores, or with digits of another script; a number beyond a double in free JSON; whatever an Any
        holds. False is sure."""
        if self._may_be_intricate(body) or self._may_hold_any(body) or (self.has_enums and _LONG_NUMBER.search(body)):
            return True
        if self.has_free_json and _HUGE_NUMBER.search(body):
            return True
        if not self.has_integers:
            return False
        return b"\\u" in body or ((b"_" in body or not body.isascii()) and _ODD_INTEGER.search(body) is not None)

    def may_repeat(self, body: bytes) -> bool:
        """Whether a field may be given twice. False is sure."""
        if b"\\" in body or self._may_hold_any(body):
            return True
        keys = _KEY.findall(body)
        distinct = set(keys)
        if len(distinct) != len(keys) or not self.alternates.isdisjoint(distinct):
            return True
        return len(self.members) > 1 and len(self.members & distinct) > 1

    def _may_be_intricate(self, body: bytes) -> bool:
        return bool(self.intricate) and (b"\\u" in body or any(name in body for name in self.intricate))

    def _may_hold_any(self, body: bytes) -> bool:
        """An Any can hold every type, whatever this one can."""
        return self.has_any and (b"@type" in body or b"\\" in body)


def element_of(field: DescField) -> Element:
    """The type of a field's value, of its items, or of its map's values."""
    value = field.value
    if isinstance(value, DescFieldValueList):
        return value.element
    if isinstance(value, DescFieldValueMap):
        return value.value
    if isinstance(value, DescFieldValueMessage):
        return value.message
    return value.scalar if isinstance(value, DescFieldValueScalar) else value.enum


def _reachable(descriptor: DescMessage) -> Iterator[DescMessage]:
    """The message and every message it can hold, each once."""
    seen = {descriptor.type_name}
    waiting = [descriptor]
    while waiting:
        message = waiting.pop()
        yield message
        for held in map(element_of, message.fields):
            if isinstance(held, DescMessage) and held.type_name not in seen:
                seen.add(held.type_name)
                waiting.append(held)


def _in_oneof(field: DescField) -> bool:
    return isinstance(field.value, DescFieldValueSingular) and field.value.oneof is not None


def _intricate_names(fields: Iterable[DescField]) -> Iterator[bytes]:
    for field in fields:
        if _is_intricate(field):
            yield from (field.name.encode(), field.json_name.encode())


def _is_intricate(field: DescField) -> bool:
    if isinstance(field.value, DescFieldValueMap) and field.value.key in _INTEGERS:
        return True
    element = element_of(field)
    return isinstance(element, DescMessage) and element.type_name == _MASK
