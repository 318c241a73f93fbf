"""Which fields a request changes."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from sagamesh.mesh.v1.saga_pb2 import Saga

from mesh.errors import UpdateMaskInvalid
from mesh.masks import masked

RESOURCE = Saga(name="rate", owner="user:alice")


def test_without_a_mask_they_are_those_that_are_set() -> None:
    assert masked(RESOURCE, FieldMask()) == {"name", "owner"}


def test_a_mask_names_them_set_or_not() -> None:
    assert masked(RESOURCE, FieldMask(paths=["name", "saga_id"])) == {"name", "saga_id"}


def test_a_star_is_all_of_them() -> None:
    assert masked(RESOURCE, FieldMask(paths=["*"])) == set(Saga.DESCRIPTOR.fields_by_name)


@pytest.mark.parametrize("path", ["colour", "name.first", "", "Name"])
def test_what_is_no_field_is_refused(path: str) -> None:
    with pytest.raises(UpdateMaskInvalid) as refused:
        masked(RESOURCE, FieldMask(paths=["name", path]))
    assert refused.value.field == "update_mask"
