"""A cookie in which browsers bring their bearer token.

Browsers send it along with whatever any page asks for, so a request that may change something must come from a page
that is known. The `__Host-` prefix keeps other hosts of the domain from setting it (RFC 6265bis section 4.1.3.2).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from gateway.errors import InvalidRequest
from gateway.headers import HeaderError
from gateway.origins import Origins

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750 section 2.1."""


class TokenCookie:
    """The cookie of that name becomes the Authorization header, unless the request has one."""

    def __init__(self, name: str, origins: Origins, forwarded_headers: Collection[str]) -> None:
        """Raises HeaderError when nothing would forward the token."""
        if "authorization" not in forwarded_headers:
            raise HeaderError("an auth cookie needs authorization among the forwarded headers")
        self._name = name.encode()
        self._origins = origins

    def authorization(self, scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> bytes | None:
        """The value of the Authorization header that the cookie makes; None when it does not count. `scope` is
        ASGI's. Raises InvalidRequest, and OriginRefused when the page may not do this."""
        if b"authorization" in headers or b"cookie" not in headers:
            return None
        values = {value for name, value in _cookies(scope) if name == self._name and value}
        if not values:
            return None
        if len(values) > 1 or _TOKEN.fullmatch(token := values.pop()) is None:
            name = self._name.decode()
            raise InvalidRequest(f"cookie {name}: must be one token", reason="INVALID_COOKIE", field="cookie")
        if scope["type"] == "websocket" or scope["method"] not in _SAFE_METHODS:
            self._origins.require_known(headers)
        return b"Bearer " + token


def _cookies(scope: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    for name, value in scope["headers"]:
        if name == b"cookie":
            for pair in value.split(b";"):
                key, _, text = pair.strip().partition(b"=")
                yield key, text
