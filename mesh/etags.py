"""Version tags in two parts, `<edit>.<version>` (AIP-154). Pure, so that domains may use it.

`version` rises with every change of anything that is shown, so that caches and watchers see it; `edit` only with those
changes that a careful writer wants to know of before he writes. Only the first part is compared.
"""

from mesh.errors import EtagMismatch


def etag_of(edit: int, version: int) -> str:
    """The tag."""
    return f"{edit}.{version}"


def expect_edit(etag: str, edit: int) -> None:
    """Raises EtagMismatch when an edit was made since `etag` was read; an empty etag expects nothing."""
    if etag and etag.partition(".")[0] != str(edit):
        raise EtagMismatch(field="etag")
