"""Etags of two parts, of which the first is compared."""

import pytest

from mesh.errors import EtagMismatch
from mesh.etags import etag_of, expect_edit


@pytest.mark.parametrize("etag", ["", "7.1", "7.999", "7", etag_of(7, 9)])
def test_the_edit_is_what_counts(etag: str) -> None:
    expect_edit(etag, 7)


@pytest.mark.parametrize("etag", ["6.9", "77.9", "07.9", ".7", "x", "*", etag_of(8, 7)])
def test_any_other_edit_is_refused(etag: str) -> None:
    with pytest.raises(EtagMismatch) as refused:
        expect_edit(etag, 7)
    assert refused.value.field == "etag"
