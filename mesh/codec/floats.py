"""Floats of 32 bits, which the JSON library below treats as those of 64: it refuses the shortest text of the largest
one, and writes 0.1 with the digits of its neighbour among the doubles."""

import re
import struct
from collections.abc import Callable
from typing import Any

from protobuf import DescField, DescFieldValueList, DescFieldValueMap, DescMessage, Message, ScalarType

from mesh.codec.document import Document, Element
from mesh.codec.rewriting import rewritten
from mesh.codec.types import MessageType, element_of

LARGEST = (2 - 2**-23) * 2.0**127
BEYOND_FLOATS = (2 - 2**-24) * 2.0**127
"""What is as large is nearer to infinity than to the largest; what is smaller rounds to it (IEEE 754)."""

_WRAPPER = "google.protobuf.FloatValue"
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_FLOAT = struct.Struct("<f")
_FEWEST_DIGITS, _MOST_DIGITS = 6, 9


def with_largest(message: DescMessage, value: Document) -> Document:
    """The document with the exact value of the largest float, where a text that rounds to it sets a float."""
    return rewritten(message, value, _rounded)


def _rounded(element: Element, value: Document) -> Document:
    if element is not ScalarType.FLOAT and getattr(element, "type_name", "") != _WRAPPER:
        return value
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER.fullmatch(value)):
        return value
    try:
        number = float(value) if isinstance(value, str | int | float) else 0.0
    except OverflowError:  # an integer beyond a double
        return value
    return (LARGEST if number > 0 else -LARGEST) if LARGEST < abs(number) < BEYOND_FLOATS else value


class FloatShortener:
    """Gives the floats of a message their shortest values that are still those floats. Made once for a registry."""

    def __init__(self) -> None:
        self._types: dict[str, tuple[tuple[DescField, Callable[[Any], Any]], ...]] = {}

    def shorten(self, message: Message) -> None:
        """Changes the message, at any depth; not what an Any holds, which is bytes."""
        for field, shortened in self._fields_of(message.desc()):
            if field not in message:
                continue
            held: Any = message[field]
            if isinstance(field.value, DescFieldValueList):
                held[:] = map(shortened, held)
            elif isinstance(field.value, DescFieldValueMap):
                held.update({key: shortened(item) for key, item in held.items()})
            else:
                message[field] = shortened(held)

    def _fields_of(self, descriptor: DescMessage) -> tuple[tuple[DescField, Callable[[Any], Any]], ...]:
        if (known := self._types.get(descriptor.type_name)) is None:
            ways = ((field, self._way_of(element_of(field))) for field in descriptor.fields)
            known = tuple((field, way) for field, way in ways if way is not None)
            self._types[descriptor.type_name] = known
        return known

    def _way_of(self, element: Element) -> Callable[[Any], Any] | None:
        if element is ScalarType.FLOAT:
            return shortest
        if isinstance(element, DescMessage) and MessageType.of(element).has_floats:
            return self._shortened
        return None

    def _shortened(self, message: Message) -> Message:
        self.shorten(message)
        return message


def shortest(value: float) -> float:
    """The number of fewest digits, six or more, that is the same float of 32 bits; NaN and infinities as they are."""
    for digits in range(_FEWEST_DIGITS, _MOST_DIGITS):
        short = float(f"{value:.{digits}g}")
        if abs(short) <= LARGEST and _FLOAT.unpack(_FLOAT.pack(short))[0] == value:
            return short
    return value
