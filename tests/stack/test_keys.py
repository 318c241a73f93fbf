"""Signing keys: made once, private, and published together."""

import json
from pathlib import Path

from mesh.identity import load_key
from stack.keys import USERS, ensure_keys, jwks_path, key_path


def test_each_has_its_own_key_and_the_set_has_the_public_halves(tmp_path: Path):
    ensure_keys(tmp_path, ["line_provider"])
    assert load_key(key_path(tmp_path, USERS))["kid"] == "users"
    assert load_key(key_path(tmp_path, "line_provider"))["kid"] == "service:line_provider"
    published = json.loads(jwks_path(tmp_path).read_text())["keys"]
    assert [key["kid"] for key in published] == ["users", "service:line_provider"]
    assert not any("d" in key for key in published)


def test_a_second_run_keeps_the_keys_and_adds_the_missing(tmp_path: Path):
    ensure_keys(tmp_path, ["line_provider"])
    before = load_key(key_path(tmp_path, USERS))
    ensure_keys(tmp_path, ["line_provider", "score_maker"])
    assert load_key(key_path(tmp_path, USERS)) == before
    assert len(json.loads(jwks_path(tmp_path).read_text())["keys"]) == 3


def test_private_keys_are_ours_alone_and_the_set_is_everybodys(tmp_path: Path):
    ensure_keys(tmp_path, [])
    assert key_path(tmp_path, USERS).stat().st_mode & 0o777 == 0o600
    assert jwks_path(tmp_path).stat().st_mode & 0o777 == 0o644
