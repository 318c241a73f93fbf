"""Fixtures of the mesh's tests."""

from pathlib import Path

import pytest

from tests.mesh.echo import Keys


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Signing keys, and the JWK Set that servers of this test trust."""
    return Keys(tmp_path)
