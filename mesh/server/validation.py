"""Checks requests against the `buf.validate` constraints of their messages."""

import json
from collections.abc import Iterable
from typing import Any

import protovalidate
from google.protobuf.message import Message

from mesh.errors import InvalidArgument

# A status travels in HTTP/2 trailers, which peers limit to 8 KiB.
_MOST_VIOLATIONS = 16
_LONGEST_TEXT = 200


class RequestValidator:
    """Validates messages; rules are compiled once per message type (milliseconds) and kept."""

    def __init__(self) -> None:
        self._validator = protovalidate.Validator()

    def prepare(self, types: Iterable[type[Message]]) -> None:
        """Compiles the rules of the types, so that no call waits for it. Raises protovalidate.CompilationError."""
        for message in types:
            self._validator.collect_violations(message())

    def check(self, message: Message) -> None:
        """Raises InvalidArgument with a violation per field path, such as `event.title` or `items[0].name`."""
        if violations := self._validator.collect_violations(message):
            raise _refusal([violation.proto for violation in violations[:_MOST_VIOLATIONS]])


def _refusal(violations: list[Any]) -> InvalidArgument:  # protovalidate's own message, typed in a private module
    texts: dict[str, str] = {}
    for violation in violations:
        path = _path_of(violation)[:_LONGEST_TEXT]
        text = (violation.message or violation.rule_id)[:_LONGEST_TEXT]
        texts[path] = f"{texts[path]}; {text}" if path in texts else text
    first_path, first_text = next(iter(texts.items()))
    return InvalidArgument(f"{first_path}: {first_text}" if first_path else first_text, violations=texts)


def _path_of(violation: Any) -> str:
    elements: list[Any] = violation.field.elements if violation.field else []
    return ".".join(element.field_name + _subscript_of(element) for element in elements)


def _subscript_of(element: Any) -> str:
    return "" if element.subscript is None else f"[{json.dumps(element.subscript.value)}]"
