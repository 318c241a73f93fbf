"""Descriptors as the library below takes them. Where an enum has several names for a number, that library writes the
last, and every other protobuf JSON the first: the first is put last here."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    EnumValueDescriptorProto,
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
    return RegistrySource.from_binary(files.SerializeToString()).to_registry()


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
