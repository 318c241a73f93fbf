"""Which web pages may use the gateway from a browser: those of its own origin, and those of an allow-list."""

from collections.abc import Collection, Mapping

from gateway.errors import OriginRefused

ANY = "*"


class Origins:
    """The allow-list, of `scheme://host[:port]`, or `*` for every origin."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._listed = frozenset(origin.rstrip("/").lower().encode() for origin in allowed)
        self.allows_any = ANY in allowed

    def lists(self, origin: bytes) -> bool:
        """Whether the list names an origin."""
        return origin.lower() in self._listed

    def require(self, headers: Mapping[bytes, bytes]) -> None:
        """Browsers let any page open a WebSocket anywhere, and send its Origin: the check is the server's. A client
        without Origin is no browser. Raises OriginRefused."""
        if b"origin" in headers and not self.allows_any:
            self.require_known(headers)

    def require_known(self, headers: Mapping[bytes, bytes]) -> None:
        """Browsers send cookies with what any page asks for, so that `*` is no permission here, and no Origin is none
        either. Raises OriginRefused."""
        origin = headers.get(b"origin", b"")
        if not self.lists(origin) and not _is_own(origin, headers):
            raise OriginRefused(reason="ORIGIN_NOT_ALLOWED", field="origin")


def _is_own(origin: bytes, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a page comes from the host that the client asked. Whoever sits on the network can forge pages of the
    plain form of a host that is reached by TLS: they are not its own."""
    scheme, _, host = origin.lower().partition(b"://")
    if scheme == b"http" and headers.get(b"x-forwarded-proto", b"").startswith(b"https"):
        return False
    return bool(host) and host == headers.get(b"host", b"").lower()
