"""Update masks of PATCH requests, from the keys that the body has (AIP-134)."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from protobuf import DescField, DescFieldValueMessage, DescMessage, Message

from gateway.contract import Contract, HttpBinding
from gateway.fields import set_field
from mesh.codec import field_named, is_well_known


@dataclass(frozen=True, slots=True)
class MaskBinder:
    """Fills the update mask of a PATCH from the body's own keys, unless one was given (AIP-134)."""

    mask: DescField
    mask_type: type[Message]
    resource: DescMessage
    skipped: frozenset[str]

    def bind(self, message: Message, body: bytes) -> None:
        """Takes a body that has been decoded before. An empty mask is left unset: the service's default."""
        if self.mask in message or not body:
            return
        document: dict[str, object] = json.loads(body)
        if paths := mask_paths(self.resource, document, self.skipped):
            typeless: Any = self.mask_type
            set_field(message, self.mask, typeless(paths=paths))


def mask_binder(contract: Contract, request: DescMessage, rule: HttpBinding, bound: set[str]) -> MaskBinder | None:
    """The mask of a route: of a PATCH whose body is one field, when the request has an `update_mask`."""
    mask, body = field_named(request, "update_mask"), field_named(request, rule.body)
    if rule.verb != "PATCH" or mask is None or body is None:
        return None
    mask_value, resource = mask.value, body.value
    if not isinstance(mask_value, DescFieldValueMessage) or not isinstance(resource, DescFieldValueMessage):
        return None
    if mask_value.message.type_name != "google.protobuf.FieldMask":
        return None
    prefix = f"{body.name}."
    skipped = {path.removeprefix(prefix) for path in bound if path.startswith(prefix)}
    fields = resource.message.fields
    skipped |= {field.name for field in fields if contract.is_output_only(f"{field.parent.type_name}.{field.name}")}
    return MaskBinder(mask, mask_value.message.type, resource.message, frozenset(skipped))


def mask_paths(
    message: DescMessage, body: Mapping[str, object], skipped: Collection[str], prefix: str = ""
) -> list[str]:
    """The field mask that a PATCH body's own keys say: every key, and below a key that holds a message its keys.
    Lists, maps, nulls and empty objects are named whole. `skipped` are paths that the client cannot change."""
    paths: list[str] = []
    for name, value in body.items():
        field = field_named(message, name)
        if field is None or (path := prefix + field.name) in skipped:
            continue
        held = field.value.message if isinstance(field.value, DescFieldValueMessage) else None
        if held is not None and not is_well_known(held) and isinstance(value, dict) and value:
            paths += mask_paths(held, value, skipped, f"{path}.")  # pyright: ignore[reportUnknownArgumentType]
        else:
            paths.append(path)
    return paths
