"""Signing keys as JSON Web Keys, and the set of public keys that a verifier trusts."""

import asyncio
import json
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, cast

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

Jwk = Mapping[str, str]

# Which JWK may sign with which algorithm: the key decides, never the token's header. Symmetric keys have no entry.
_ALGORITHMS = {("OKP", "Ed25519"): "EdDSA", ("RSA", None): "RS256", ("EC", "P-256"): "ES256"}
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})
_FETCH_TIMEOUT = 5.0


class KeysUnavailable(Exception):
    """The JWK Set cannot be read."""


def generate_key(kid: str) -> dict[str, str]:
    """A new private Ed25519 JWK. `users` signs users' tokens, `service:<name>` those of that service."""
    key: dict[str, str] = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": key["x"], "d": key["d"]}


def public_jwks(keys: Iterable[Jwk]) -> dict[str, list[dict[str, str]]]:
    """The JWK Set of the public halves of the keys."""
    return {"keys": [{name: key[name] for name in key if name not in _PRIVATE_MEMBERS} for key in keys]}


def load_key(path: Path | str) -> Jwk:
    """Reads a private JWK from a file. Raises KeysUnavailable with a sentence that shows no content."""
    try:
        key: Any = json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise KeysUnavailable(f"the key file {path} cannot be read ({type(error).__name__})") from None
    if not isinstance(key, dict) or not {"kid", "kty", "d"} <= set(cast("Jwk", key)):
        raise KeysUnavailable(f"the key file {path} does not hold a private JWK with a kid")
    return cast("Jwk", key)


class KeySet:
    """The public keys of a JWK Set, kept current.

    A file is read again when it changes (looked at once in `file_interval` seconds); a URL once in `url_interval`.
    A kid that is not in the set causes an early look, at most once in `miss_interval`: an attacker who invents kids
    must not turn this service against its key server. When a reading fails, the keys read before stay.
    """

    def __init__(
        self, source: str, *, file_interval: float = 1.0, url_interval: float = 300.0, miss_interval: float = 5.0
    ) -> None:
        self._source = source
        self._remote = source.startswith(("http://", "https://"))
        self._interval = url_interval if self._remote else file_interval
        self._miss_interval = miss_interval if self._remote else 0.0
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._seen: object = None
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()
        self.generation = 0  # rises when the keys change, so that what was verified with older ones is forgotten

    @property
    def due(self) -> bool:
        """Whether it is time to look again for changes."""
        return bool(self._keys) and monotonic() - self._looked_at >= self._interval

    async def key(self, kid: str) -> jwt.PyJWK | None:
        """The key of that id, looked for again if it is unknown. Raises KeysUnavailable if none was ever read."""
        if kid not in self._keys:
            asked_at = monotonic()
            async with self._looking:
                if self._may_look(asked_at):
                    await self._look()
        return self._keys.get(kid)

    async def refresh(self) -> None:
        """Reads the set if it has changed. Raises KeysUnavailable."""
        async with self._looking:
            await self._look()

    def _may_look(self, asked_at: float) -> bool:
        if self._looked_at >= asked_at:  # whoever held the lock before has looked since
            return False
        return not self._keys or asked_at - self._looked_at >= self._miss_interval

    async def _look(self) -> None:
        self._looked_at = monotonic()
        # urllib and slow disks block, so they get a thread.
        read = _fetch if self._remote else _read
        found = await asyncio.to_thread(read, self._source, self._seen)
        self._looked_at = monotonic()
        if found is not None:
            seen, content = found
            self._keys = _parse(content, self._source)
            self._seen = seen
            self.generation += 1


def _fetch(source: str, seen: object) -> tuple[object, bytes] | None:
    try:
        with urllib.request.urlopen(source, timeout=_FETCH_TIMEOUT) as response:  # noqa: S310 the scheme was checked
            content: bytes = response.read()
    except (OSError, ValueError) as error:
        raise KeysUnavailable(f"the JWK Set at {source} cannot be read ({type(error).__name__})") from None
    return None if content == seen else (content, content)


def _read(source: str, seen: object) -> tuple[object, bytes] | None:
    try:
        status = Path(source).stat()
        version = (status.st_mtime_ns, status.st_size, status.st_ino)
        return None if version == seen else (version, Path(source).read_bytes())
    except OSError as error:
        raise KeysUnavailable(f"the JWK Set {source} cannot be read ({type(error).__name__})") from None


def _parse(content: bytes, source: str) -> dict[str, jwt.PyJWK]:
    try:
        keys: list[dict[str, Any]] = json.loads(content)["keys"]
        usable = [(key, _ALGORITHMS.get((key["kty"], key.get("crv")))) for key in keys if key.get("kid")]
        return {key["kid"]: jwt.PyJWK(key, algorithm) for key, algorithm in usable if algorithm}
    except (ValueError, LookupError, TypeError, AttributeError, jwt.PyJWTError):
        raise KeysUnavailable(f"{source} is not a JWK Set") from None
