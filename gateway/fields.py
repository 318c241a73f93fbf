"""Fields that are set from text: those of paths, query parameters and headers. Compiled once, then only called."""

import json
from dataclasses import dataclass

from protobuf import (
    DescField,
    DescFieldValueEnum,
    DescFieldValueList,
    DescFieldValueMap,
    DescFieldValueMessage,
    DescFieldValueScalar,
    DescMessage,
    Message,
    Oneof,
)

from gateway.texts import Element, Parser, parser_of
from mesh.codec import expectation, field_named

_SHOWN_CHARACTERS = 40


class UnbindableField(Exception):
    """A field path does not lead to a field that text can set."""


@dataclass(frozen=True, slots=True)
class TextField:
    """A field that text sets. `path` is in proto names; parents that are unset are made on the way."""

    path: str
    repeated: bool
    parents: tuple[tuple[DescField, DescMessage], ...]
    field: DescField
    element: Element
    parse: Parser

    def assign(self, message: Message, text: str) -> None:
        """Sets the field, or appends to it when it is repeated. Raises ValueError that says what was expected."""
        try:
            value = self.parse(text)
        except ValueError:
            shown = json.dumps(text[:_SHOWN_CHARACTERS], ensure_ascii=False)
            raise ValueError(f"expected {expectation(self.element)}, got {shown}") from None
        for parent, parent_type in self.parents:
            message = _opened(message, parent, parent_type)
        if self.repeated:
            message[self.field].append(value)
        else:
            set_field(message, self.field, value)


def text_field(message: DescMessage, path: str) -> TextField:
    """Compiles a dotted path of proto names or JSON names. Raises UnbindableField."""
    chain = field_chain(message, path)
    element = element_of(chain[-1])
    parse = parser_of(element)
    if parse is None or isinstance(chain[-1].value, DescFieldValueMap):
        raise UnbindableField(f"{path} of {message.type_name} has no text form")
    names = ".".join(field.name for field in chain)
    repeated = isinstance(chain[-1].value, DescFieldValueList)
    parents = tuple((field, field.value.message) for field in chain if isinstance(field.value, DescFieldValueMessage))
    return TextField(names, repeated, parents[: len(chain) - 1], chain[-1], element, parse)


def field_chain(message: DescMessage, path: str) -> list[DescField]:
    """The fields that a dotted path names, each but the last a single message. Raises UnbindableField."""
    chain: list[DescField] = []
    holder: DescMessage | None = message
    for name in path.split("."):
        field = field_named(holder, name) if holder is not None else None
        if field is None:
            raise UnbindableField(f"{message.type_name} has no field {path}")
        chain.append(field)
        holder = field.value.message if isinstance(field.value, DescFieldValueMessage) else None
    return chain


def set_field(message: Message, field: DescField, value: object) -> None:
    """Sets a singular field, also when it is a member of a oneof."""
    oneof = getattr(field.value, "oneof", None)
    if oneof is None:
        setattr(message, field.local_name, value)
    else:
        setattr(message, oneof.local_name, Oneof(field.name, value))


def element_of(field: DescField) -> Element:
    """The type of a field's value, of its items, or of its map's values."""
    value = field.value
    if isinstance(value, DescFieldValueScalar):
        return value.scalar
    if isinstance(value, DescFieldValueEnum):
        return value.enum
    if isinstance(value, DescFieldValueMessage):
        return value.message
    return value.value if isinstance(value, DescFieldValueMap) else value.element


def _opened(message: Message, field: DescField, held_type: DescMessage) -> Message:
    """The message that a field holds, made when it is unset."""
    held: Message | None = message[field]
    if held is None:
        held = held_type.type()
        set_field(message, field, held)
    return held
