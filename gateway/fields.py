"""Fields that are set from text: those of paths, query parameters and headers. Compiled once, then only called."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from protobuf import (
    DescField,
    DescFieldValueList,
    DescFieldValueMap,
    DescFieldValueMessage,
    DescMessage,
    Message,
    Oneof,
)

from gateway.texts import Element, Parser, parser_of
from mesh.codec import element_of, expectation, field_named

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
        value = self.value_of(text)
        message = self.holder_in(message)
        if self.repeated:
            message[self.field].append(value)
        else:
            set_field(message, self.field, value)

    def value_of(self, text: str) -> object:
        """The value of a text. Raises ValueError that says what was expected."""
        return parsed_as(self.element, self.parse, text)

    def holder_in(self, message: Message) -> Message:
        """The message that has the field."""
        for parent, parent_type in self.parents:
            message = _opened(message, parent, parent_type)
        return message


@dataclass(frozen=True, slots=True)
class EntryField:
    """One entry of a map that text sets: `labels[en]`. The key is part of the name, so that an entry is set once."""

    holder: TextField
    path: str
    key: Any
    repeated = False

    def assign(self, message: Message, text: str) -> None:
        """Sets the entry. Raises ValueError that says what was expected."""
        value = self.holder.value_of(text)
        self.holder.holder_in(message)[self.holder.field][self.key] = value


def entry_field(message: DescMessage, path: str, key: str) -> EntryField:
    """Compiles a dotted path to a map, and a key in text form. Raises UnbindableField; ValueError for the key."""
    chain = field_chain(message, path)
    kind, parse = chain[-1].value, parser_of(element_of(chain[-1]))
    if not isinstance(kind, DescFieldValueMap) or parse is None:
        raise UnbindableField(f"{path} of {message.type_name} is no map of values with a text form")
    holder = TextField(
        path=_names(chain),
        repeated=False,
        parents=_parents(chain),
        field=chain[-1],
        element=element_of(chain[-1]),
        parse=parse,
    )
    key_parser = parser_of(kind.key)
    parsed = parsed_as(kind.key, key_parser, key) if key_parser is not None else key
    return EntryField(holder, f"{holder.path}[{parsed}]", parsed)


def text_field(message: DescMessage, path: str) -> TextField:
    """Compiles a dotted path of proto names or JSON names. Raises UnbindableField."""
    chain = field_chain(message, path)
    element = element_of(chain[-1])
    parse = parser_of(element)
    if parse is None or isinstance(chain[-1].value, DescFieldValueMap):
        raise UnbindableField(f"{path} of {message.type_name} has no text form")
    repeated = isinstance(chain[-1].value, DescFieldValueList)
    return TextField(_names(chain), repeated, _parents(chain), chain[-1], element, parse)


def parsed_as(element: Element, parse: Parser, text: str) -> object:
    """The value of a text. Raises ValueError that says what was expected."""
    try:
        return parse(text)
    except ValueError:
        shown = json.dumps(text[:_SHOWN_CHARACTERS], ensure_ascii=False)
        raise ValueError(f"expected {expectation(element)}, got {shown}") from None


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


def _names(chain: Sequence[DescField]) -> str:
    return ".".join(field.name for field in chain)


def _parents(chain: Sequence[DescField]) -> tuple[tuple[DescField, DescMessage], ...]:
    return tuple((field, field.value.message) for field in chain[:-1] if isinstance(field.value, DescFieldValueMessage))


def _opened(message: Message, field: DescField, held_type: DescMessage) -> Message:
    """The message that a field holds, made when it is unset."""
    held: Message | None = message[field]
    if held is None:
        held = held_type.type()
        set_field(message, field, held)
    return held
