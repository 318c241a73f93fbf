"""Finds fields that a JSON object gives twice, which the decoder takes silently: the last one would win.

Two spellings of one field, and two members of one oneof, are duplicates too (the ProtoJSON conformance tests).
"""

from protobuf import DescField, DescFieldValueMap, DescMessage, Registry

from mesh.codec.document import ANY, Document, Members, below, elements, field_named, held_in_any
from mesh.codec.faults import DecodeError, is_well_known


def first_duplicate(message: DescMessage, value: Document, registry: Registry, path: str = "") -> DecodeError | None:
    """The first duplicate at any depth; None without one."""
    if message.type_name == ANY and (found := held_in_any(value, registry)) is not None:
        return _first_repeated_name(value, path) or _first_in_any(*found, registry, path)
    if is_well_known(message):
        return _first_repeated_key(value, path)
    if not isinstance(value, Members):
        return None
    given: dict[str, str] = {}
    for name, member in value.pairs:
        field = field_named(message, name)
        where = below(path, name)
        for slot in _slots(field, name, member):
            if (other := given.get(slot)) is not None:
                return DecodeError(where, "is given twice" if other == name else f"may not be given beside {other}")
            given[slot] = name
        if field is not None and (fault := _first_within(field, member, registry, where)) is not None:
            return fault
    return None


def _first_in_any(held: DescMessage, rest: Members, registry: Registry, path: str) -> DecodeError | None:
    """A well-known type has its JSON in a member of its own."""
    if not is_well_known(held):
        return first_duplicate(held, rest, registry, path)
    return first_duplicate(held, dict(rest.pairs).get("value"), registry, below(path, "value"))


def _slots(field: DescField | None, name: str, value: Document) -> tuple[str, ...]:
    """What a member fills: its field, and its field's oneof unless it is null, which leaves the oneof alone."""
    if field is None:
        return (name,)
    oneof = getattr(field.value, "oneof", None)
    return (field.name,) if oneof is None or value is None else (field.name, f"oneof {oneof.name}")


def _first_within(field: DescField, value: Document, registry: Registry, path: str) -> DecodeError | None:
    if isinstance(field.value, DescFieldValueMap) and (fault := _first_repeated_name(value, path)) is not None:
        return fault
    for element, item, where in elements(field, value, path):
        if isinstance(element, DescMessage) and (fault := first_duplicate(element, item, registry, where)):
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
