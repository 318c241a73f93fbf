"""Finds fields that a JSON object gives twice, which the decoder takes silently: the last one would win.

Two spellings of one field, and two members of one oneof, are duplicates too (the ProtoJSON conformance tests).
"""

from protobuf import DescField, DescFieldValueMap, DescMessage

from mesh.codec.document import Document, Members, below, elements, field_named
from mesh.codec.faults import DecodeError, is_well_known


def first_duplicate(message: DescMessage, value: Document, path: str = "") -> DecodeError | None:
    """The first duplicate at any depth; None without one."""
    if is_well_known(message):
        return _first_repeated_key(value, path)
    if not isinstance(value, Members):
        return None
    given: dict[str, str] = {}
    for name, member in value.pairs:
        field = field_named(message, name)
        where, slot = below(path, name), _slot(field, name, member)
        if slot in given:
            return DecodeError(
                where, "is given twice" if given[slot] == name else f"may not be given beside {given[slot]}"
            )
        given[slot] = name
        if field is not None and (fault := _first_within(field, member, where)) is not None:
            return fault
    return None


def _slot(field: DescField | None, name: str, value: Document) -> str:
    """What a member fills: its field, or its field's oneof unless it is null, which leaves the oneof alone."""
    if field is None:
        return name
    oneof = getattr(field.value, "oneof", None)
    return field.name if oneof is None or value is None else f"oneof {oneof.name}"


def _first_within(field: DescField, value: Document, path: str) -> DecodeError | None:
    if isinstance(field.value, DescFieldValueMap) and (fault := _first_repeated_name(value, path)) is not None:
        return fault
    for element, item, where in elements(field, value, path):
        if isinstance(element, DescMessage) and (fault := first_duplicate(element, item, where)) is not None:
            return fault
    return None


def _first_repeated_name(value: Document, path: str) -> DecodeError | None:
    seen: set[str] = set()
    for name, _ in value.pairs if isinstance(value, Members) else ():
        if name in seen:
            return DecodeError(f"{path}[{name}]", "is given twice")
        seen.add(name)
    return None


def _first_repeated_key(value: Document, path: str) -> DecodeError | None:
    """The same in free JSON: Struct, Value, Any."""
    if (fault := _first_repeated_name(value, path)) is not None:
        return fault
    items = (
        value if isinstance(value, list) else [item for _, item in value.pairs] if isinstance(value, Members) else []
    )
    return next((fault for item in items if (fault := _first_repeated_key(item, path)) is not None), None)
