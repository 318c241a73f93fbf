"""Update masks (AIP-134): which fields of a resource a request changes. What may change is the domain's business."""

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from mesh.errors import UpdateMaskInvalid


def masked(resource: Message, mask: FieldMask) -> frozenset[str]:
    """The fields to change. Without a mask, those that are set; output-only fields are there to be ignored (AIP-203).

    Raises UpdateMaskInvalid for a path that is no field of the resource.
    """
    fields = frozenset(field.name for field in resource.DESCRIPTOR.fields)
    paths = frozenset(mask.paths) or frozenset(field.name for field, _ in resource.ListFields())
    if "*" in paths:
        return fields
    if unknown := paths - fields:
        raise UpdateMaskInvalid(f"There is no field {min(unknown)}.", field="update_mask")
    return paths
