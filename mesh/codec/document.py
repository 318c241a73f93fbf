"""A JSON text as a tree that keeps what json.loads forgets: duplicate members. Read beside a message's descriptor."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import NoReturn

from protobuf import (
    DescEnum,
    DescField,
    DescFieldValueEnum,
    DescFieldValueList,
    DescFieldValueMap,
    DescFieldValueMessage,
    DescMessage,
    Registry,
    ScalarType,
)

Element = ScalarType | DescEnum | DescMessage
ANY = "google.protobuf.Any"

_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - set(_STEPS))


@dataclass(frozen=True, slots=True)
class Members:
    """A JSON object: its members in order, duplicates included."""

    pairs: tuple[tuple[str, "Document"], ...]


Document = Members | list["Document"] | str | int | float | bool | None


class MalformedJsonError(Exception):
    """A text is not JSON."""


def parse_document(text: bytes) -> Document:
    """Raises MalformedJsonError, also for NaN and Infinity, which are no JSON."""
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_refuse_constant)
    except RecursionError:
        raise MalformedJsonError("nested too deeply") from None
    except ValueError as error:
        raise MalformedJsonError(str(error)) from None


def is_deeper_than(limit: int, text: bytes) -> bool:
    """Whether the lists and objects of a JSON text nest more than `limit` deep. Takes any bytes: where the text is not
    JSON, a parser fails before it gets deeper than what is found here."""
    if text.count(b"[") + text.count(b"{") <= limit:
        return False
    outside_strings = b"".join(_ESCAPE.sub(b"", text).split(b'"')[::2])
    return max(accumulate(map(_STEPS.__getitem__, outside_strings.translate(None, _NO_BRACKETS))), default=0) > limit


def plain(document: Document) -> object:
    """The document as json.loads would have it: the last duplicate wins."""
    if isinstance(document, Members):
        return {name: plain(value) for name, value in document.pairs}
    return [plain(item) for item in document] if isinstance(document, list) else document


def field_named(message: DescMessage, name: str) -> DescField | None:
    """The field that a JSON member sets: by its JSON name or its proto name."""
    return next((field for field in message.fields if name in (field.json_name, field.name)), None)


def below(path: str, name: str) -> str:
    """The path of a member of what is at `path`."""
    return f"{path}.{name}" if path else name


def elements(field: DescField, value: Document, path: str) -> Iterator[tuple[Element, Document, str]]:
    """The values that a member gives its field: one, or those of a list or a map; none when the shape is wrong."""
    kind = field.value
    if isinstance(kind, DescFieldValueMessage):
        yield kind.message, value, path
    elif isinstance(kind, DescFieldValueEnum):
        yield kind.enum, value, path
    elif isinstance(kind, DescFieldValueList):
        for index, item in enumerate(value if isinstance(value, list) else ()):
            yield kind.element, item, f"{path}[{index}]"
    elif isinstance(kind, DescFieldValueMap):
        for key, item in value.pairs if isinstance(value, Members) else ():
            yield kind.value, item, f"{path}[{key}]"
    else:
        yield kind.scalar, value, path


def held_in_any(value: Document, registry: Registry) -> tuple[DescMessage, Members] | None:
    """The type that an Any names, and its members but that name; None when it names none that is known."""
    if not isinstance(value, Members):
        return None
    names = [member for name, member in value.pairs if name == "@type"]
    held = registry.message(names[0].rpartition("/")[2]) if names and isinstance(names[0], str) else None
    return None if held is None else (held, Members(tuple(pair for pair in value.pairs if pair[0] != "@type")))


def _members(pairs: list[tuple[str, Document]]) -> Members:
    return Members(tuple(pairs))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
