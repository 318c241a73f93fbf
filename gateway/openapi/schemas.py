"""Messages as JSON Schemas, by the ProtoJSON mapping. A message is a component; every component is reached by name."""

from collections.abc import Collection
from typing import Any

from google.api import field_behavior_pb2
from protobuf import DescEnum, DescField, DescFieldValueList, DescFieldValueMap, DescMessage, ScalarType

from gateway.contract import Contract
from gateway.openapi.constraints import (
    excluded_enum_numbers,
    is_required,
    item_keywords,
    keywords_of,
    sentences_of,
)
from gateway.texts import Element
from mesh.codec import element_of

Schema = dict[str, Any]
"""A JSON Schema, whose values are any JSON."""

_INT64 = {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
_UINT64 = {"type": "string", "format": "uint64", "pattern": "^[0-9]+$"}
_INT32 = {"type": "integer", "format": "int32"}
_UINT32 = {"type": "integer", "format": "uint32", "minimum": 0}
_SCALARS: dict[ScalarType, Schema] = {
    ScalarType.BOOL: {"type": "boolean"},
    ScalarType.STRING: {"type": "string"},
    ScalarType.BYTES: {"type": "string", "contentEncoding": "base64"},
    ScalarType.DOUBLE: {"type": "number", "format": "double"},
    ScalarType.FLOAT: {"type": "number", "format": "float"},
    ScalarType.INT32: _INT32,
    ScalarType.SINT32: _INT32,
    ScalarType.SFIXED32: _INT32,
    ScalarType.UINT32: _UINT32,
    ScalarType.FIXED32: _UINT32,
    ScalarType.INT64: _INT64,
    ScalarType.SINT64: _INT64,
    ScalarType.SFIXED64: _INT64,
    ScalarType.UINT64: _UINT64,
    ScalarType.FIXED64: _UINT64,
}
_WELL_KNOWN: dict[str, Schema] = {
    "Timestamp": {"type": "string", "format": "date-time"},
    "Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "FieldMask": {"type": "string", "description": "Fields, separated by commas."},
    "Empty": {"type": "object", "additionalProperties": False},
    "Struct": {"type": "object"},
    "Value": {},
    "ListValue": {"type": "array", "items": {}},
    "Any": {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]},
    "BoolValue": {"type": ["boolean", "null"]},
    "StringValue": {"type": ["string", "null"]},
    "BytesValue": {"type": ["string", "null"], "contentEncoding": "base64"},
    "DoubleValue": {"type": ["number", "null"]},
    "FloatValue": {"type": ["number", "null"]},
    "Int32Value": {"type": ["integer", "null"]},
    "UInt32Value": {"type": ["integer", "null"], "minimum": 0},
    "Int64Value": {"type": ["string", "null"], "format": "int64"},
    "UInt64Value": {"type": ["string", "null"], "format": "uint64"},
}
_PACKAGE = "google.protobuf."


class Schemas:
    """Schemas on demand. `components` collects the messages that were referred to."""

    def __init__(self, contract: Contract) -> None:
        self.components: dict[str, Schema] = {}
        self._contract = contract
        self._names: dict[str, str] = {}

    def of_message(self, message: DescMessage) -> Schema:
        """A reference to the message's component, or the form of a well-known type."""
        if (known := _well_known(message)) is not None:
            return dict(known)
        name = self._name_of(message)
        if name not in self.components:
            self.components[name] = {}  # holds the place while a recursive message is described
            self.components[name] = self.of_fields(message)
        return {"$ref": f"#/components/schemas/{name}"}

    def of_fields(self, message: DescMessage, without: Collection[str] = ()) -> Schema:
        """The message itself, without some of its fields (proto names). Fields are never required here, since
        answers leave defaults out."""
        fields = [field for field in message.fields if field.name not in without]
        schema: Schema = {
            "type": "object",
            "properties": {field.json_name: self.of_field(field) for field in fields},
            "additionalProperties": False,
        }
        if comment := self._contract.comments.get(message.type_name):
            schema["description"] = comment
        return schema

    def of_field(self, field: DescField) -> Schema:
        """A field with its comment and constraints."""
        name = full_name_of(field)
        rules = self._contract.rules(name)
        element = element_of(field)
        schema: Schema = self._of_element(element, excluded_enum_numbers(rules))
        if isinstance(field.value, DescFieldValueList):
            schema = {"type": "array", "items": {**schema, **item_keywords(rules)}}
        elif isinstance(field.value, DescFieldValueMap):
            schema = {"type": "object", "additionalProperties": {**schema, **item_keywords(rules)}}
            schema |= _key_keywords(field.value.key)
        schema |= keywords_of(rules)
        if description := " ".join(filter(None, [self._contract.comments.get(name, ""), *sentences_of(rules)])):
            schema["description"] = description
        if self._contract.is_output_only(name):
            schema["readOnly"] = True
        if field.deprecated:
            schema["deprecated"] = True
        return schema

    def required(self, message: DescMessage, without: Collection[str] = ()) -> list[str]:
        """JSON names of the fields that a request must set."""
        return [field.json_name for field in message.fields if field.name not in without and self.is_required(field)]

    def is_required(self, field: DescField) -> bool:
        """Whether a request must set the field."""
        name = full_name_of(field)
        behaviour = self._contract.behaviour(name)
        return field_behavior_pb2.REQUIRED in behaviour or is_required(self._contract.rules(name))

    def _of_element(self, element: Element, excluded: Collection[int]) -> Schema:
        if isinstance(element, DescMessage):
            return self.of_message(element)
        if isinstance(element, DescEnum):
            if element.type_name == f"{_PACKAGE}NullValue":
                return {"type": "null"}
            return {"type": "string", "enum": [value.name for value in element.values if value.number not in excluded]}
        return dict(_SCALARS[element])

    def _name_of(self, message: DescMessage) -> str:
        """The name without its package, unless another message has taken it."""
        short = message.type_name.removeprefix(f"{message.file.proto.package}.")
        taken = self._names.setdefault(short, message.type_name)
        return short if taken == message.type_name else message.type_name


def full_name_of(field: DescField) -> str:
    """`package.Message.field`."""
    return f"{field.parent.type_name}.{field.name}"


def _well_known(message: DescMessage) -> Schema | None:
    return _WELL_KNOWN.get(message.type_name.removeprefix(_PACKAGE)) if message.type_name.startswith(_PACKAGE) else None


def _key_keywords(kind: ScalarType) -> Schema:
    """What the keys of a map must be, which JSON has as strings."""
    if kind is ScalarType.STRING:
        return {}
    if kind is ScalarType.BOOL:
        return {"propertyNames": {"enum": ["true", "false"]}}
    signed = "" if _SCALARS[kind] in (_UINT32, _UINT64) else "-?"
    return {"propertyNames": {"pattern": f"^{signed}[0-9]+$"}}
