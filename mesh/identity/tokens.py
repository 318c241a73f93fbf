"""Makes tokens, and names what can be wrong with one. A token's text never appears in an error."""

from collections.abc import Iterable
from pathlib import Path
from time import time

import jwt

from mesh.errors import Unauthenticated
from mesh.identity.keys import Jwk, KeysUnavailable, load_key

AUDIENCE = "sagamesh"
_LIFETIME = 300.0
_RENEW_BEFORE = 60.0


class TokenMissing(Unauthenticated):
    """This needs a bearer token."""

    reason = "TOKEN_MISSING"


class TokenExpired(Unauthenticated):
    """The bearer token has expired."""

    reason = "TOKEN_EXPIRED"


class TokenInvalid(Unauthenticated):
    """The bearer token is not valid."""

    reason = "TOKEN_INVALID"


def mint(key: Jwk, subject: str, roles: Iterable[str] = (), ttl: float = 3600.0) -> str:
    """A signed token for `subject` (a user's id, or `service:<name>`) that lasts `ttl` seconds."""
    now = int(time())
    claims = {"sub": subject, "aud": AUDIENCE, "iat": now, "exp": now + int(ttl), "roles": sorted(roles)}
    private = jwt.PyJWK(dict(key))
    return jwt.encode(claims, private.key, algorithm=private.algorithm_name, headers={"kid": key["kid"]})


class ServiceTokens:
    """The tokens by which this service identifies itself to others: cached, and renewed before they expire."""

    def __init__(self, key_file: Path | str, *, lifetime: float = _LIFETIME) -> None:
        """Reads the private JWK, whose kid names the service. Raises KeysUnavailable."""
        self._key = load_key(key_file)
        if not self._key["kid"].startswith("service:"):
            raise KeysUnavailable(f"the key file {key_file} is not the key of a service")
        self._lifetime = lifetime
        self._authorization = ""
        self._renew_at = 0.0

    @property
    def principal_id(self) -> str:
        """`service:<name>`."""
        return self._key["kid"]

    def authorization(self) -> str:
        """The value of the `authorization` metadata: `Bearer <token>`."""
        if time() >= self._renew_at:
            self._authorization = f"Bearer {mint(self._key, self.principal_id, ttl=self._lifetime)}"
            self._renew_at = time() + max(0.0, self._lifetime - _RENEW_BEFORE)
        return self._authorization
