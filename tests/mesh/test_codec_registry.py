"""Descriptors that leave to a rule what descriptor sets say."""

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from mesh.codec.registry import json_name, registry_of
from tests.gateway.contracts import compiled

NAMES = ("a", "a_b", "_a", "a__b", "a_", "a_1", "a_1b", "A_b", "ab_C", "aB_c", "_", "__", "_A")


@pytest.mark.parametrize("name", NAMES)
def test_the_json_name_of_a_field_is_the_one_that_protoc_says(name: str) -> None:
    text = f'syntax = "proto3"; message Named {{ int32 {name} = 1; }}'
    said = FileDescriptorSet.FromString(compiled(text, "named.proto")).file[-1].message_type[0].field[0].json_name

    assert json_name(name) == said


def test_fields_at_any_depth_have_json_names_and_those_that_are_said_stay() -> None:
    text = """syntax = "proto3"; package test.names.v1;
        message Outer {
            message Inner { int32 in_side = 1; }
            Inner an_inner = 1;
            int32 other = 2 [json_name = "its-own"];
        }
    """
    files = FileDescriptorSet.FromString(compiled(text, "names.proto"))
    for message in (outer := files.file[-1].message_type[0], *outer.nested_type):
        for field in message.field:
            if field.name != "other":
                field.ClearField("json_name")

    registry = registry_of(files.SerializeToString())

    names = {
        kind: [field.json_name for field in found.fields]
        for kind in ("Outer", "Outer.Inner")
        if (found := registry.message(f"test.names.v1.{kind}")) is not None
    }
    assert names == {"Outer": ["anInner", "its-own"], "Outer.Inner": ["inSide"]}
