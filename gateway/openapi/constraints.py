"""buf.validate rules -> keywords of JSON Schema. A rule that JSON Schema cannot say is left to the service."""

from typing import Any

from buf.validate import validate_pb2
from google.protobuf.message import Message

Keywords = dict[str, Any]
"""Keywords of JSON Schema, whose values are any JSON."""

_RENAMED = {
    "min_len": "minLength",
    "max_len": "maxLength",
    "pattern": "pattern",
    "gt": "exclusiveMinimum",
    "gte": "minimum",
    "lt": "exclusiveMaximum",
    "lte": "maximum",
    "min_items": "minItems",
    "max_items": "maxItems",
    "unique": "uniqueItems",
    "min_pairs": "minProperties",
    "max_pairs": "maxProperties",
    "const": "const",
}
_FORMATS = {
    "email": "email",
    "hostname": "hostname",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "uri": "uri",
    "uri_ref": "uri-reference",
    "uuid": "uuid",
}
_JSON_STRINGS = frozenset({"int64", "uint64", "sint64", "fixed64", "sfixed64"})
"""Types that JSON carries as strings, to which numeric keywords would not apply."""


def keywords_of(rules: validate_pb2.FieldRules | None) -> Keywords:
    """The keywords for a field's own value; those of its items are `item_keywords`."""
    kind = rules.WhichOneof("type") if rules is not None else None
    if rules is None or kind is None or kind in ("enum", "bytes", "duration", "timestamp", "any", "field_mask"):
        return {}
    typed: Message = getattr(rules, kind)
    return _bounds_in_words(typed) if kind in _JSON_STRINGS else _keywords(typed)


def item_keywords(rules: validate_pb2.FieldRules | None) -> Keywords:
    """The keywords for the items of a list or the values of a map."""
    if rules is None:
        return {}
    if rules.WhichOneof("type") == "repeated":
        return keywords_of(rules.repeated.items)
    return keywords_of(rules.map.values) if rules.WhichOneof("type") == "map" else {}


def is_required(rules: validate_pb2.FieldRules | None) -> bool:
    """Whether the field must be set."""
    return rules is not None and rules.required


def sentences_of(rules: validate_pb2.FieldRules | None) -> list[str]:
    """What the field's CEL rules say in words."""
    return [rule.message for rule in rules.cel if rule.message] if rules is not None else []


def excluded_enum_numbers(rules: validate_pb2.FieldRules | None) -> frozenset[int]:
    """Numbers that an enum field may not have."""
    return frozenset(rules.enum.not_in) if rules is not None else frozenset()


def _keywords(rules: Message) -> Keywords:
    keywords: Keywords = {}
    for field, value in rules.ListFields():
        if field.name in _RENAMED:
            keywords[_RENAMED[field.name]] = value
        elif field.name in _FORMATS:
            keywords["format"] = _FORMATS[field.name]
        elif field.name == "len":
            keywords |= {"minLength": value, "maxLength": value}
        elif field.name == "in":
            keywords["enum"] = list(value)
    return keywords


def _bounds_in_words(rules: Message) -> Keywords:
    signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "const": "="}
    bounds = {field.name: value for field, value in rules.ListFields() if field.name in signs}
    natural = {"pattern": "^[0-9]+$"} if max(bounds.get("gt", -1), bounds.get("gte", -1)) >= 0 else {}
    words = ", ".join(f"{signs[name]} {value}" for name, value in bounds.items())
    return {"x-constraint": words, **natural} if bounds else {}
