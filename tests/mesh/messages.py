"""Hypothesis strategies for the messages of any descriptor: valid ones, and now and then one that has no JSON form."""

from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Value
from google.protobuf.wrappers_pb2 import BoolValue
from hypothesis import strategies as st

# Messages whose type is known at run time only have no static type.
Message = Any

_MAX_DEPTH = 2
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_FLOAT32 = st.floats(width=32, allow_nan=False)
_INT32, _INT64 = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
_UINT32, _UINT64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_STRING: _TEXT,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=8),
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False),
    FieldDescriptor.TYPE_FLOAT: _FLOAT32,
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_SINT32: _INT32,
    FieldDescriptor.TYPE_SFIXED32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_SINT64: _INT64,
    FieldDescriptor.TYPE_SFIXED64: _INT64,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_FIXED32: _UINT32,
    FieldDescriptor.TYPE_UINT64: _UINT64,
    FieldDescriptor.TYPE_FIXED64: _UINT64,
}
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXT, inner, max_size=2),
    max_leaves=4,
)
_NANOS = st.sampled_from([0, 1, 1_000, 1_000_000, 500_000_000, 999_999_999])
_FIRST_TIME, _LAST_TIME, _LONGEST = -62_135_596_800, 253_402_300_799, 315_576_000_000
# One beyond each end of a range, which no JSON can say.
_TIMES = st.integers(_FIRST_TIME, _LAST_TIME) | st.sampled_from([_FIRST_TIME - 1, _LAST_TIME + 1])
_DURATIONS = st.integers(-_LONGEST, _LONGEST) | st.sampled_from([-_LONGEST - 1, _LONGEST + 1])
_MASK_PATH = st.from_regex(r"[a-z]+(_[a-z]+){0,2}(\.[a-z]+)?", fullmatch=True)
_SILENT_PATHS = st.sampled_from(["line_1", "a__b", "a_", "aB"])


@cache
def messages(descriptor: Descriptor, depth: int = 0) -> st.SearchStrategy[Message]:
    """Messages of google's class, with any of their fields set."""
    if (well_known := _WELL_KNOWN.get(descriptor.full_name)) is not None:
        return well_known(descriptor)
    fields = [field for field in descriptor.fields if depth < _MAX_DEPTH or field.message_type is None]
    values = {field.name: _values(field, depth) for field in fields}
    names = st.lists(st.sampled_from(sorted(values)), unique=True, max_size=6) if values else st.just([])

    @st.composite
    def filled(draw: st.DrawFn) -> Message:
        return _filled(descriptor, {name: draw(values[name]) for name in draw(names)})

    return filled()


def _filled(descriptor: Descriptor, given: dict[str, Any]) -> Message:
    message: Message = GetMessageClass(descriptor)()
    for name, value in given.items():
        field = descriptor.fields_by_name[name]
        if (entry := _entry(field)) is not None:
            _fill_map(getattr(message, name), entry, value)
        elif field.is_repeated:
            getattr(message, name).extend(value)
        elif field.message_type is not None:
            getattr(message, name).CopyFrom(value)
        else:
            setattr(message, name, value)
    return message


def _entry(field: FieldDescriptor) -> Descriptor | None:
    """The message of a map's entries; None for what is no map."""
    held = field.message_type
    return held if held is not None and held.GetOptions().map_entry else None


def _fill_map(target: Any, entry: Descriptor, value: dict[Any, Any]) -> None:
    for key, item in value.items():
        if entry.fields_by_name["value"].message_type is None:
            target[key] = item
        else:
            target[key].CopyFrom(item)


def _values(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if (entry := _entry(field)) is not None:
        key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
        return st.dictionaries(_one(key, depth), _one(value, depth + 1), max_size=2)
    one = _one(field, depth)
    return st.lists(one, max_size=3) if field.is_repeated else one


def _one(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return messages(field.message_type, depth + 1)
    if field.enum_type is not None:
        if field.enum_type.full_name == "google.protobuf.NullValue":
            return st.just(0)
        return st.sampled_from([value.number for value in field.enum_type.values]) | st.integers(1000, 2**31 - 1)
    return _SCALARS[field.type]


def _of(descriptor: Descriptor, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Message]:
    return st.fixed_dictionaries(fields).map(lambda given: _filled(descriptor, given))


def _timestamp(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    return _of(descriptor, seconds=_TIMES, nanos=_NANOS)


def _duration(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    return st.tuples(_DURATIONS, _NANOS).map(
        lambda pair: _filled(descriptor, {"seconds": pair[0], "nanos": pair[1] if pair[0] > 0 else -pair[1]})
    )


def _mask(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    said = _of(descriptor, paths=st.lists(_MASK_PATH, max_size=3))
    return st.one_of(said, said, said, _of(descriptor, paths=st.lists(_SILENT_PATHS, min_size=1, max_size=1)))


def _struct(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    def filled(document: dict[str, Any]) -> Message:
        message: Message = GetMessageClass(descriptor)()
        message.update(document)
        return message

    return st.dictionaries(_TEXT, _JSON, max_size=3).map(filled)


def _list(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    def filled(document: list[Any]) -> Message:
        message: Message = GetMessageClass(descriptor)()
        message.extend(document)
        return message

    return st.lists(_JSON, max_size=3).map(filled)


def _value(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    """A Value that is something: an empty one has no JSON form."""
    simple = st.one_of(
        st.fixed_dictionaries({"null_value": st.just(0)}),
        st.fixed_dictionaries({"bool_value": st.booleans()}),
        st.fixed_dictionaries({"string_value": _TEXT}),
        st.fixed_dictionaries({"number_value": st.floats(allow_nan=False, allow_infinity=False)}),
    )
    return simple.map(lambda given: _filled(descriptor, given))


def _any(descriptor: Descriptor) -> st.SearchStrategy[Message]:
    def packed(message: Message) -> Message:
        result: Message = GetMessageClass(descriptor)()
        result.Pack(message)
        return result

    known = [Duration.DESCRIPTOR, BoolValue.DESCRIPTOR, Value.DESCRIPTOR, Empty.DESCRIPTOR]
    unknown = _of(descriptor, type_url=st.sampled_from(["a/b", "test.None"]), value=st.binary(max_size=2))
    return st.one_of(*(messages(held).map(packed) for held in known), unknown)


_WELL_KNOWN: dict[str, Callable[[Descriptor], st.SearchStrategy[Message]]] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
    "google.protobuf.FieldMask": _mask,
    "google.protobuf.Struct": _struct,
    "google.protobuf.ListValue": _list,
    "google.protobuf.Value": _value,
    "google.protobuf.Any": _any,
}
