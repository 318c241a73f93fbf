"""JSON <-> protobuf by ProtoJSON, for any message of a descriptor set. The JSON itself is read and written in Rust.

Stricter than the library below it, which takes these silently: a field given twice (in either of its names), two
members of one oneof, an enum number beyond 32 bits. Refusals name the field as the client wrote it
(mesh/codec/faults.py).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError

from protobuf import (
    DescEnum,
    DescField,
    DescFieldValueEnum,
    DescFieldValueList,
    DescFieldValueMap,
    DescFieldValueSingular,
    DescMessage,
    Message,
    Registry,
)

from mesh.codec.document import ANY, Document, MalformedJsonError, field_named, is_deeper_than, parse_document
from mesh.codec.duplicates import first_duplicate
from mesh.codec.faults import DECODER_ERRORS, DecodeError, expectation, first_fault, is_well_known
from mesh.codec.registry import registry_of

__all__ = ["Codec", "DecodeError", "expectation", "field_named", "is_well_known", "registry_of"]

MAX_DEPTH = 100
"""How deeply a body may nest, as in protobuf's own parsers. The Rust decoder has no such limit: a body of some 20,000
brackets overflows the stack, which ends the process."""

_LONG_NUMBER = re.compile(rb"[:,\[][ \t\r\n]*-?[0-9]{10}")
_KEY = re.compile(rb'"([^"\\]*)"[ \t\r\n]*:')


class Codec:
    """Encodes and decodes the messages of one registry. Types are prepared on first use and kept."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._types: dict[str, _Type] = {}

    @classmethod
    def of_descriptor_set(cls, descriptor_set: bytes) -> "Codec":
        """A codec for a serialised FileDescriptorSet, which must hold its imports."""
        return cls(registry_of(descriptor_set))

    def message_type(self, full_name: str) -> type[Message]:
        """The class of a message. Raises KeyError for a name that the registry does not have."""
        return self._type(full_name).message_type

    def encode_json(self, full_name: str, wire: bytes) -> bytes:
        """Wire bytes to JSON: lowerCamelCase, int64 as strings, enums by name, defaults left out.

        Raises ValueError on bytes that are not such a message, and on an Any of a type unknown here."""
        return self.to_json(self._type(full_name).message_type.from_binary(wire))

    def to_json(self, message: Message) -> bytes:
        """A message to JSON, as encode_json does. Raises ValueError on an Any of a type unknown here."""
        return message.to_json(registry=self._registry).encode()

    def decode_json(self, full_name: str, body: bytes) -> Message:
        """A JSON object to a message; either name of a field is taken, null is unset. Raises DecodeError."""
        kind = self._type(full_name)
        if is_deeper_than(MAX_DEPTH, body):
            raise DecodeError("", f"nested more than {MAX_DEPTH} levels deep")
        try:
            message = kind.message_type.from_json(body, registry=self._registry)
        except JSONDecodeError as error:
            raise DecodeError("", f"malformed JSON: {error}") from None
        except DECODER_ERRORS as error:
            raise self._fault(kind, body) or DecodeError("", str(error)) from None
        if kind.may_hide_a_fault(body) and (fault := self._fault(kind, body)):
            raise fault
        if kind.may_repeat(body) and (fault := first_duplicate(kind.descriptor, _document(body), self._registry)):
            raise fault
        return message

    def _type(self, full_name: str) -> "_Type":
        if (known := self._types.get(full_name)) is None:
            descriptor = self._registry.message(full_name)
            if descriptor is None:
                raise KeyError(full_name)
            known = self._types[full_name] = _Type.of(descriptor)
        return known

    def _fault(self, kind: "_Type", body: bytes) -> DecodeError | None:
        return first_fault(kind.descriptor, _document(body), self._registry)


@dataclass(frozen=True, slots=True)
class _Type:
    """A message type, and which keys of a body could make it give one field twice.

    `alternates` are proto names that differ from the JSON name, `members` the names of oneof members, anywhere in
    the message and the messages it can hold."""

    descriptor: DescMessage
    message_type: type[Message]
    alternates: frozenset[bytes]
    members: frozenset[bytes]
    has_enums: bool
    has_any: bool

    @classmethod
    def of(cls, descriptor: DescMessage) -> "_Type":
        fields = [field for message in _reachable(descriptor) for field in message.fields]
        alternates = frozenset(field.name.encode() for field in fields if field.name != field.json_name)
        members = frozenset(field.json_name.encode() for field in fields if _in_oneof(field))
        has_any = any((held := _held(field)) is not None and held.type_name == ANY for field in fields)
        return cls(descriptor, descriptor.type, alternates, members, any(map(_holds_enum, fields)), has_any)

    def may_hide_a_fault(self, body: bytes) -> bool:
        """Whether the decoder may have taken what it should not. True costs a second parse; False is sure and cheap."""
        return self._may_hold_any(body) or (self.has_enums and _LONG_NUMBER.search(body) is not None)

    def may_repeat(self, body: bytes) -> bool:
        """Whether a duplicate is possible. True costs a second parse; False is sure and cheap."""
        if b"\\" in body or self._may_hold_any(body):
            return True
        keys = _KEY.findall(body)
        distinct = set(keys)
        if len(distinct) != len(keys) or not self.alternates.isdisjoint(distinct):
            return True
        return len(self.members) > 1 and len(self.members & distinct) > 1

    def _may_hold_any(self, body: bytes) -> bool:
        """An Any can hold every type, whatever this one can."""
        return self.has_any and (b"@type" in body or b"\\" in body)


def _document(body: bytes) -> Document:
    try:
        return parse_document(body)
    except MalformedJsonError as error:
        raise DecodeError("", f"malformed JSON: {error}") from None


def _reachable(descriptor: DescMessage) -> Iterator[DescMessage]:
    """The message and every message it can hold, each once."""
    seen = {descriptor.type_name}
    waiting = [descriptor]
    while waiting:
        message = waiting.pop()
        yield message
        for held in filter(None, map(_held, message.fields)):
            if held.type_name not in seen:
                seen.add(held.type_name)
                waiting.append(held)


def _held(field: DescField) -> DescMessage | None:
    value = field.value
    if isinstance(value, DescFieldValueList):
        value = value.element
    elif isinstance(value, DescFieldValueMap):
        value = value.value
    else:
        value = getattr(value, "message", None)
    return value if isinstance(value, DescMessage) else None


def _holds_enum(field: DescField) -> bool:
    value = field.value
    if isinstance(value, DescFieldValueList):
        return isinstance(value.element, DescEnum)
    if isinstance(value, DescFieldValueMap):
        return isinstance(value.value, DescEnum)
    return isinstance(value, DescFieldValueEnum)


def _in_oneof(field: DescField) -> bool:
    return isinstance(field.value, DescFieldValueSingular) and field.value.oneof is not None
