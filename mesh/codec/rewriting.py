"""JSON documents made anew beside their message's descriptor: some members dropped, some values replaced."""

from collections.abc import Callable

from protobuf import DescField, DescFieldValueList, DescFieldValueMap, DescMessage

from mesh.codec.document import Document, Element, Members, field_named
from mesh.codec.faults import is_well_known
from mesh.codec.types import element_of

Replacement = Callable[[Element, Document], Document]
"""The new value of an element that is no message of members: a scalar, an enum, a well-known type."""


def without_unknown(message: DescMessage, value: Document) -> Document:
    """The document without the members that its messages do not have. An Any stays as it is."""
    return rewritten(message, value, lambda element, item: item, drops_unknown=True)


def rewritten(message: DescMessage, value: Document, replace: Replacement, *, drops_unknown: bool = False) -> Document:
    """The document with every value replaced, at any depth."""
    if is_well_known(message) or not isinstance(value, Members):
        return replace(message, value)
    fields = [(name, field_named(message, name), held) for name, held in value.pairs]

    def of_element(element: Element, item: Document) -> Document:
        if isinstance(element, DescMessage):
            return rewritten(element, item, replace, drops_unknown=drops_unknown)
        return replace(element, item)

    return Members(
        tuple(
            (name, held if field is None else _of_field(field, held, of_element))
            for name, field, held in fields
            if field is not None or not drops_unknown
        )
    )


def _of_field(field: DescField, value: Document, of_element: Replacement) -> Document:
    element = element_of(field)
    if isinstance(field.value, DescFieldValueList) and isinstance(value, list):
        return [of_element(element, item) for item in value]
    if isinstance(field.value, DescFieldValueMap) and isinstance(value, Members):
        return Members(tuple((key, of_element(element, item)) for key, item in value.pairs))
    return of_element(element, value)
