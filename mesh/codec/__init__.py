"""JSON <-> protobuf by ProtoJSON, for any message of a descriptor set. The JSON itself is read and written in Rust.

Stricter than the library below it, which takes these silently: a field given twice (in either of its names), two
members of one oneof, and what mesh/codec/types.py lists. Refusals name the field as the client wrote it
(mesh/codec/faults.py).
"""

import json
from json import JSONDecodeError

from protobuf import Message, Registry

from mesh.codec.document import Document, MalformedJsonError, field_named, is_deeper_than, parse_document, plain
from mesh.codec.duplicates import first_duplicate
from mesh.codec.faults import DECODER_ERRORS, DecodeError, expectation, first_fault, is_well_known
from mesh.codec.floats import BEYOND_FLOATS, FloatShortener, with_largest
from mesh.codec.registry import registry_of
from mesh.codec.rewriting import without_unknown
from mesh.codec.types import MessageType, element_of

__all__ = [
    "BEYOND_FLOATS",
    "Codec",
    "DecodeError",
    "EncodeError",
    "element_of",
    "expectation",
    "field_named",
    "is_well_known",
    "registry_of",
]

MAX_DEPTH = 100
"""How deeply a body may nest, as in protobuf's own parsers. The Rust decoder has no such limit: a body of some 20,000
brackets overflows the stack, which ends the process."""


class EncodeError(ValueError):
    """A message has no JSON form: it holds an Any of a type unknown here, or a value out of its range."""


class Codec:
    """Encodes and decodes the messages of one registry. Types are prepared on first use and kept."""

    def __init__(self, registry: Registry, *, ignores_unknown: bool = False) -> None:
        """`ignores_unknown`: fields that a message does not have are dropped from JSON; not enum names, and not what
        an Any holds."""
        self.ignores_unknown = ignores_unknown
        self._registry = registry
        self._types: dict[str, MessageType] = {}
        self._floating: dict[type[Message], bool] = {}
        self._shortener = FloatShortener()

    @classmethod
    def of_descriptor_set(cls, descriptor_set: bytes) -> "Codec":
        """A codec for a serialised FileDescriptorSet, which must hold its imports."""
        return cls(registry_of(descriptor_set))

    def message_type(self, full_name: str) -> type[Message]:
        """The class of a message. Raises KeyError for a name that the registry does not have."""
        return self._type(full_name).message_type

    def encode_json(self, full_name: str, wire: bytes) -> bytes:
        """Wire bytes to JSON: lowerCamelCase, int64 as strings, enums by name, defaults left out.

        Raises ValueError on bytes that are not such a message, and EncodeError."""
        return self.to_json(self._type(full_name).message_type.from_binary(wire))

    def to_json(self, message: Message) -> bytes:
        """A message to JSON, as encode_json does; its floats may be changed to shorter ones. Raises EncodeError."""
        if self._has_floats(message):
            self._shortener.shorten(message)
        try:
            return message.to_json(registry=self._registry).encode()
        except ValueError as error:
            raise EncodeError(str(error)) from None

    def decode_json(self, full_name: str, body: bytes) -> Message:
        """A JSON object to a message; either name of a field is taken, null is unset. Raises DecodeError."""
        kind = self._type(full_name)
        if is_deeper_than(MAX_DEPTH, body):
            raise DecodeError("", f"nested more than {MAX_DEPTH} levels deep")
        message = self._decoded(kind, body)
        if kind.may_be_wrong(body) and (fault := self._fault(kind, _document(body))):
            raise fault
        if kind.may_repeat(body) and (fault := first_duplicate(kind.descriptor, _document(body), self._registry)):
            raise fault
        return message

    def _has_floats(self, message: Message) -> bool:
        if (known := self._floating.get(type(message))) is None:
            known = self._floating[type(message)] = self._type(message.desc().type_name).has_floats
        return known

    def _decoded(self, kind: MessageType, body: bytes) -> Message:
        try:
            return kind.message_type.from_json(body, registry=self._registry)
        except JSONDecodeError as error:
            raise DecodeError("", f"malformed JSON: {error}") from None
        except DECODER_ERRORS as error:
            document = _document(body)
            if (mended := self._mended(kind, document)) != document:
                return self._decoded(kind, json.dumps(plain(mended)).encode())
            raise self._fault(kind, document) or DecodeError("", str(error)) from None

    def _type(self, full_name: str) -> MessageType:
        if (known := self._types.get(full_name)) is None:
            descriptor = self._registry.message(full_name)
            if descriptor is None:
                raise KeyError(full_name)
            known = self._types[full_name] = MessageType.of(descriptor)
        return known

    def _fault(self, kind: MessageType, document: Document) -> DecodeError | None:
        return first_fault(kind.descriptor, self._mended(kind, document), self._registry)

    def _mended(self, kind: MessageType, document: Document) -> Document:
        """The document as the decoder takes it, where it is right and the decoder is not."""
        if self.ignores_unknown:
            document = without_unknown(kind.descriptor, document)
        return with_largest(kind.descriptor, document) if kind.has_floats else document


def _document(body: bytes) -> Document:
    try:
        return parse_document(body)
    except MalformedJsonError as error:
        raise DecodeError("", f"malformed JSON: {error}") from None
