"""Examples of messages that satisfy their constraints, made up from names and types. The same on every start."""

from collections.abc import Collection
from typing import Any

from protobuf import DescEnum, DescField, DescFieldValueList, DescFieldValueMap, DescMessage, ScalarType

from gateway.contract import Contract
from gateway.openapi.constraints import excluded_enum_numbers, keywords_of
from gateway.openapi.schemas import full_name_of
from gateway.texts import Element
from mesh.codec import element_of

Json = Any
"""Any JSON."""

UUID = "01980f2e-7d10-7000-8000-000000000001"
_ONCE = frozenset({"etag", "request_id"})
"""Fields of requests of which every example is wrong: it is not current, or was used before."""

_MAX_DEPTH = 3
_INT64 = frozenset({ScalarType.INT64, ScalarType.UINT64, ScalarType.SINT64, ScalarType.FIXED64, ScalarType.SFIXED64})
_WELL_KNOWN: dict[str, Json] = {
    "google.protobuf.Timestamp": "2099-12-31T18:00:00Z",  # of the times in requests, most lie in the future
    "google.protobuf.Duration": "1.500s",
    "google.protobuf.FieldMask": "",
    "google.protobuf.Any": {"@type": "type.googleapis.com/google.protobuf.Empty"},
    "google.protobuf.BoolValue": True,
    "google.protobuf.StringValue": "text",
    "google.protobuf.BytesValue": "AAEC",
    "google.protobuf.DoubleValue": 1.5,
    "google.protobuf.FloatValue": 1.5,
    "google.protobuf.Int32Value": 1,
    "google.protobuf.UInt32Value": 1,
    "google.protobuf.Int64Value": "1",
    "google.protobuf.UInt64Value": "1",
    "google.protobuf.Struct": {"key": "text"},
    "google.protobuf.Value": "text",
    "google.protobuf.ListValue": ["text"],
}


class Examples:
    """Makes examples for the messages of a contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def of_message(self, message: DescMessage, *, request: bool, without: Collection[str] = (), depth: int = 0) -> Json:
        """An example; in a request without the fields that only the server sets. At most one member of a oneof."""
        if message.type_name in _WELL_KNOWN:
            return _WELL_KNOWN[message.type_name]
        if depth >= _MAX_DEPTH:
            return {}
        example: dict[str, Json] = {}
        oneofs: set[str] = set()
        for field in message.fields:
            oneof = getattr(field.value, "oneof", None)
            hidden = request and (field.name in _ONCE or self._contract.is_output_only(full_name_of(field)))
            if field.name in without or hidden or (oneof is not None and oneof.name in oneofs):
                continue
            if oneof is not None:
                oneofs.add(oneof.name)
            example[field.json_name] = self.of_field(field, request=request, depth=depth)
        return example

    def of_field(self, field: DescField, *, request: bool = True, depth: int = 0) -> Json:
        """An example of one field's value."""
        rules = self._contract.rules(full_name_of(field))
        value = self._of_element(field, element_of(field), excluded_enum_numbers(rules), request, depth)
        if isinstance(field.value, DescFieldValueList):
            return [value]
        return {_key(field.value.key): value} if isinstance(field.value, DescFieldValueMap) else value

    def _of_element(
        self, field: DescField, element: Element, excluded: Collection[int], request: bool, depth: int
    ) -> Json:
        if isinstance(element, DescMessage):
            return self.of_message(element, request=request, depth=depth + 1)
        if isinstance(element, DescEnum):
            names = [value.name for value in element.values if value.number and value.number not in excluded]
            return names[0] if names else element.values[0].name
        keywords = keywords_of(self._contract.rules(full_name_of(field)))
        if element is ScalarType.STRING:
            return _text(field.name, keywords)
        if element is ScalarType.BOOL:
            return True
        if element is ScalarType.BYTES:
            return "AAEC"
        number = _number(keywords)
        return str(int(number)) if element in _INT64 else number


def _text(name: str, keywords: dict[str, Any]) -> str:
    if keywords.get("format") == "uuid" or name.endswith(("_id", "uuid")):
        return UUID
    formats = {"email": "a@example.com", "hostname": "example.com", "uri": "https://example.com/", "ipv4": "192.0.2.1"}
    text = formats.get(keywords.get("format", ""), name.replace("_", " "))
    choices = keywords.get("enum")
    return choices[0] if choices else text[: keywords.get("maxLength", len(text))]


def _key(kind: ScalarType) -> str:
    return {ScalarType.STRING: "key", ScalarType.BOOL: "true"}.get(kind, "1")


def _number(keywords: dict[str, Any]) -> Json:
    return keywords.get("const", keywords.get("maximum", keywords.get("minimum", 1)))
