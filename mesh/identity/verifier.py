"""Verifies bearer tokens against the keys of a KeySet, and remembers what it verified."""

import asyncio
import logging
from collections import OrderedDict
from time import time
from typing import Any, cast

import jwt

from mesh.call import Principal
from mesh.errors import Unavailable
from mesh.identity.keys import KeySet, KeysUnavailable
from mesh.identity.tokens import AUDIENCE, TokenExpired, TokenInvalid

log = logging.getLogger(__name__)

_SERVICE = "service:"
_LONGEST_SUBJECT = 255  # OpenID Connect's own bound; rows and their indexes hold it
_LONGEST_TOKEN = 8192
# `iat` is not checked: a clock a second ahead would refuse good tokens, and `exp` is what limits a token.
_OPTIONS: Any = {"require": ["exp", "sub", "aud"], "verify_iat": False}  # PyJWT's own type for it is private


class TokenVerifier:
    """Turns tokens into principals. Verifying costs 40-80 us, so tokens are remembered until they expire."""

    def __init__(self, keys: KeySet, *, cache_size: int = 10_000) -> None:
        self._keys = keys
        self._cache_size = cache_size
        self._verified: OrderedDict[str, tuple[float, Principal]] = OrderedDict()
        self._generation = keys.generation
        self._refreshing: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Reads the keys, so that a wrong setting shows at start. Raises KeysUnavailable."""
        await self._keys.refresh()

    def remembered(self, token: str) -> Principal | None:
        """The principal of a token that was verified before and still holds; None says nothing about the token."""
        if self._keys.due:
            self._refresh_soon()
        self._forget_outdated()
        known = self._verified.get(token)
        if known is None or known[0] <= time():
            return None
        self._verified.move_to_end(token)
        return known[1]

    async def verify(self, token: str) -> Principal:
        """The principal of a token. Raises TokenExpired, TokenInvalid, or Unavailable when there are no keys."""
        if (principal := self.remembered(token)) is not None:
            return principal
        kid = _kid_of(token)
        try:
            key = await self._keys.key(kid)
        except KeysUnavailable:
            log.exception("no keys to verify tokens with")
            raise Unavailable("The keys that verify tokens cannot be read; try later.") from None
        if key is None:
            raise TokenInvalid("The bearer token is signed by an unknown key.")
        claims = _claims_of(token, key)
        principal = _principal_of(kid, claims)
        self._remember(token, float(claims["exp"]), principal)
        return principal

    def _forget_outdated(self) -> None:
        if self._generation != self._keys.generation:
            self._verified.clear()
            self._generation = self._keys.generation

    def _remember(self, token: str, expires_at: float, principal: Principal) -> None:
        self._forget_outdated()
        self._verified[token] = (expires_at, principal)
        self._verified.move_to_end(token)
        while len(self._verified) > self._cache_size:
            self._verified.popitem(last=False)

    def _refresh_soon(self) -> None:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        try:
            await self._keys.refresh()
        except KeysUnavailable as error:
            log.warning("keeping the keys read before: %s", error)


def _kid_of(token: str) -> str:
    if len(token) > _LONGEST_TOKEN:
        raise TokenInvalid("The bearer token is too long.")
    try:
        kid: object = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, ValueError):
        raise TokenInvalid("The bearer token is malformed.") from None
    if not isinstance(kid, str) or not kid:
        raise TokenInvalid("The bearer token names no key.")
    return kid


def _claims_of(token: str, key: jwt.PyJWK) -> dict[str, Any]:
    try:
        # The algorithm is the key's own, so neither `none` nor a symmetric one can be smuggled in by the header.
        return jwt.decode(token, key.key, algorithms=[key.algorithm_name], audience=AUDIENCE, options=_OPTIONS)
    except jwt.ExpiredSignatureError:
        raise TokenExpired from None
    except jwt.InvalidAudienceError:
        raise TokenInvalid("The bearer token is meant for another audience.") from None
    except jwt.MissingRequiredClaimError as error:
        raise TokenInvalid(f"The bearer token lacks the claim {error.claim}.") from None
    except (jwt.PyJWTError, ValueError, TypeError):
        raise TokenInvalid from None


def _principal_of(kid: str, claims: dict[str, Any]) -> Principal:
    subject: str = claims["sub"]
    # Half a surrogate pair is no text for protobuf, a NUL is none for PostgreSQL; neither is printable.
    if not subject or not subject.isprintable() or len(subject) > _LONGEST_SUBJECT:
        raise TokenInvalid("The bearer token's subject is empty, too long, or has characters that cannot be shown.")
    if kid.startswith(_SERVICE) or subject.startswith(_SERVICE):
        # A service's key speaks for that service only, and nobody else's key speaks for a service.
        if subject != kid or kid == _SERVICE:
            raise TokenInvalid("The bearer token's key may not sign for its subject.")
        return Principal(kid)
    return Principal(f"user:{subject}", _roles_of(claims))


def _roles_of(claims: dict[str, Any]) -> frozenset[str]:
    roles: object = claims.get("roles", [])
    names = cast("list[object]", roles) if isinstance(roles, list) else [None]
    if not all(isinstance(name, str) for name in names):
        raise TokenInvalid("The bearer token's roles are not a list of names.")
    return frozenset(str(name) for name in names)
