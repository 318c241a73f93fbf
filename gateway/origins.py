"""Which web pages may use the gateway from a browser: those of its own origin, and those of an allow-list."""

from collections.abc import Collection, Mapping

from gateway.errors import OriginRefused

ANY = "*"


class Origins:
    """The allow-list, of `scheme://host[:port]`, or `*` for every origin."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(origin.rstrip("/").lower().encode() for origin in allowed)
        self._any = ANY in allowed

    def allows(self, origin: bytes) -> bool:
        """Whether the list has an origin."""
        return self._any or origin.lower() in self._allowed

    def require(self, headers: Mapping[bytes, bytes]) -> None:
        """Browsers let any page open a WebSocket anywhere, and send its Origin: the check is the server's. A client
        without Origin is no browser. Raises OriginRefused."""
        origin = headers.get(b"origin")
        if origin is None or self.allows(origin):
            return
        if origin.partition(b"://")[2].lower() != headers.get(b"host", b"").lower():
            raise OriginRefused(reason="ORIGIN_NOT_ALLOWED", field="origin")
