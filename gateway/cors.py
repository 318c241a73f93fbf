"""What browsers are told about pages of other origins: which may read answers, and which requests they may make.

Starlette's CORSMiddleware is not used because it knows one list of methods; here every path has its own.
"""

from collections.abc import Collection, Mapping

from gateway.errors import Headers
from gateway.origins import Origins
from gateway.trie import ANY_METHOD

UNDERSTOOD = (
    *("accept", "authorization", "content-encoding", "content-type", "grpc-timeout", "idempotency-key", "if-match"),
    *("if-none-match", "last-event-id", "traceparent"),
)
"""The request headers that mean something to the gateway itself."""

_EXPOSED = (b"access-control-expose-headers", b"allow, etag, location, retry-after, www-authenticate")
_VARY = (b"vary", b"origin")


class Cors:
    """Cross-origin requests (the Fetch standard). Credentials are for origins that are named, never for `*`."""

    def __init__(self, origins: Origins, forwarded_headers: Collection[str], max_age: int) -> None:
        """`forwarded_headers` become metadata, so pages may send them; browsers remember preflights for `max_age`
        seconds."""
        self._origins = origins
        allowed_headers = sorted({*UNDERSTOOD, *forwarded_headers})
        self._allowed: Headers = [
            (b"access-control-allow-headers", ", ".join(allowed_headers).encode()),
            (b"access-control-max-age", b"%d" % max_age),
        ]

    def headers(self, origin: bytes | None) -> Headers:
        """What every response says, whatever its status; without Origin too, since caches keep it for others."""
        if self._origins.allows_any:
            return [(b"access-control-allow-origin", b"*"), _EXPOSED]
        if origin is None or not self._origins.lists(origin):
            return [_VARY]
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
            _EXPOSED,
            _VARY,
        ]

    def preflight(self, methods: Collection[str], headers: Mapping[bytes, bytes]) -> Headers:
        """What the answer to a preflight says besides, about a path that has `methods`."""
        requested = headers[b"access-control-request-method"]
        allowed = requested if ANY_METHOD in methods else ", ".join(sorted(methods)).encode()
        if not self._origins.allows_any and not self._origins.lists(headers[b"origin"]):
            return [(b"allow", allowed)]
        return [(b"allow", allowed), (b"access-control-allow-methods", allowed), *self._allowed]
