"""Descriptors as the library below takes them.

It wants every field's JSON name to be said, as protoc does in descriptor sets; the descriptors inside Python's stubs,
which reflection tells, leave it to the rule. Where an enum has several names for a number, it writes the last, and
every other protobuf JSON the first: the first is put last here.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    EnumValueDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
)
from protobuf import Registry
from protobuf.wkt import FileDescriptorSet as RegistrySource


def registry_of(descriptor_set: bytes) -> Registry:
    """The registry of a serialised FileDescriptorSet, which must hold its imports."""
    files = FileDescriptorSet.FromString(descriptor_set)
    for file in files.file:
        for enum in _enums(file.enum_type, file.message_type):
            if enum.options.allow_alias:
                values = _first_names_last([*enum.value])
                del enum.value[:]
                enum.value.extend(values)
        for field in _fields(file.extension, file.message_type):
            if not field.json_name:
                field.json_name = json_name(field.name)
    return RegistrySource.from_binary(files.SerializeToString()).to_registry()


def json_name(name: str) -> str:
    """The JSON name of a field that says none (the ProtoJSON mapping): lowerCamelCase."""
    return re.sub("_+(.?)", lambda found: found[1].upper(), name)


def _fields(
    extensions: Iterable[FieldDescriptorProto], messages: Iterable[DescriptorProto]
) -> Iterator[FieldDescriptorProto]:
    yield from extensions
    for message in messages:
        yield from message.field
        yield from _fields(message.extension, message.nested_type)


def _enums(enums: Iterable[EnumDescriptorProto], messages: Iterable[DescriptorProto]) -> Iterator[EnumDescriptorProto]:
    yield from enums
    for message in messages:
        yield from _enums(message.enum_type, message.nested_type)


def _first_names_last(values: Iterable[EnumValueDescriptorProto]) -> list[EnumValueDescriptorProto]:
    """The numbers stay in their order, which says the default of an enum."""
    numbers = [value.number for value in values]
    same: defaultdict[int, list[EnumValueDescriptorProto]] = defaultdict(list)
    for value in values:
        same[value.number].append(value)
    rotated = {number: iter([*held[1:], held[0]]) for number, held in same.items()}
    return [next(rotated[number]) for number in numbers]
