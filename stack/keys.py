"""The signing keys of a stack: one private key per principal that signs, and the public JWK Set that all verify with.

Each private key has a directory of its own, so that a container can be given one without the others.
"""

from collections.abc import Iterable
from pathlib import Path

from mesh.identity import Jwk, generate_key, load_key, public_jwks
from stack.directory import write_private

USERS = "users"


def key_path(keys: Path, name: str) -> Path:
    """The private key of a service, or of the issuer of users' tokens (USERS)."""
    return keys / name / "private.jwk"


def jwks_path(keys: Path) -> Path:
    """The public keys of all."""
    return keys / "public" / "jwks.json"


def ensure_keys(keys: Path, services: Iterable[str]) -> None:
    """Makes the keys that are missing, keeps those that are there, and writes the JWK Set of all."""
    found = [_ensure_key(keys, name) for name in (USERS, *services)]
    public = jwks_path(keys)
    public.parent.mkdir(parents=True, exist_ok=True)
    write_private(public, public_jwks(found))
    public.chmod(0o644)


def _ensure_key(keys: Path, name: str) -> Jwk:
    path = key_path(keys, name)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, generate_key(USERS if name == USERS else f"service:{name}"))
    return load_key(path)
