"""HTTP headers -> gRPC metadata by an allow-list. Hop-by-hop headers can never be on it."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import grpc

from gateway.errors import InvalidRequest
from mesh.telemetry import continued_traceparent

MetadataItem = tuple[str, str | bytes]
RequestHeaders = Mapping[bytes, bytes]

HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade", "host", "content-length", "content-type", "expect", "http2-settings"),
    }
)
"""RFC 9110 section 7.6.1, and what describes the HTTP message rather than the request."""

_NEVER = HOP_BY_HOP | {"cookie"}
"""A site's cookies are for others too; the one that is meant for a service is configured by its name."""

_OWN = frozenset(("traceparent", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"))
_PRINTABLE = re.compile(rb"[\x20-\x7e]*")
_NAME = re.compile(r"[a-z0-9_.-]+")
_TIMEOUT = re.compile(rb"([0-9]{1,8})([HMSmun])")
_SECONDS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}

_LONGEST_TIMEOUT = 365 * 24 * 3600.0
"""Beyond some centuries gRPC's clock overflows, and the call would fail at once."""


class CallMetadata(grpc.aio.Metadata):
    """The items of a call, as grpc wants them in the end. Its own class first sorts them by name, which is a tenth of
    what a call costs."""

    def __init__(self, items: Sequence[MetadataItem]) -> None:
        super().__init__()
        self._items = items

    def __iter__(self) -> Iterator[MetadataItem]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


class HeaderError(Exception):
    """A header may not be on the allow-list."""


class HeaderForwarding:
    """Makes the metadata of calls: the allowed headers, the trace, and where the request came from."""

    def __init__(self, allowed: Sequence[str]) -> None:
        """Takes lower-case names of headers. Raises HeaderError for one that may never be forwarded."""
        for name in allowed:
            if name in _NEVER or name.startswith("grpc-") or not _NAME.fullmatch(name):
                raise HeaderError(f"header {name!r} cannot be forwarded")
        self._allowed = tuple((name.encode(), name, name.endswith("-bin")) for name in allowed if name not in _OWN)

    def metadata(self, headers: RequestHeaders, scope: Mapping[str, Any], traceparent: str) -> list[MetadataItem]:
        """`scope` is ASGI's, whose values have no common type. Raises InvalidRequest for a value that metadata
        cannot carry."""
        items: list[MetadataItem] = [("traceparent", traceparent)]
        for key, name, binary in self._allowed:
            if (value := headers.get(key)) is not None:
                items.append((name, _binary(name, value) if binary else _text(name, value)))
        client = scope.get("client")
        came_from = _text("x-forwarded-for", headers.get(b"x-forwarded-for", b""))
        peer = client[0] if client else ""
        items.append(("x-forwarded-for", f"{came_from}, {peer}" if came_from and peer else came_from or peer))
        host = headers.get(b"x-forwarded-host") or headers.get(b"host", b"")
        items.append(("x-forwarded-host", _text("host", host)))
        proto = headers.get(b"x-forwarded-proto")
        items.append(("x-forwarded-proto", _text("x-forwarded-proto", proto) if proto else scope["scheme"]))
        return items


def trace_of(headers: RequestHeaders) -> str:
    """The traceparent to continue: the client's when it is a valid one, else a new one."""
    received = headers.get(b"traceparent")
    return continued_traceparent(received.decode("latin-1") if received is not None else None)


def timeout_of(headers: RequestHeaders, default: float | None) -> float | None:
    """Seconds until the call's deadline: `Grpc-Timeout` (the gRPC protocol's own format), else the default.

    Raises InvalidRequest."""
    value = headers.get(b"grpc-timeout")
    if value is None:
        return default
    match = _TIMEOUT.fullmatch(value)
    if match is None:
        raise InvalidRequest("grpc-timeout: must be like 500m or 3S", reason="INVALID_HEADER", field="grpc-timeout")
    return min(int(match[1]) * _SECONDS[match[2]], _LONGEST_TIMEOUT)


def _text(name: str, value: bytes) -> str:
    if _PRINTABLE.fullmatch(value) is None:
        raise InvalidRequest(f"{name}: only printable ASCII can be forwarded", reason="INVALID_HEADER", field=name)
    return value.decode("ascii")


def _binary(name: str, value: bytes) -> bytes:
    try:
        return base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        raise InvalidRequest(f"{name}: a -bin header is base64", reason="INVALID_HEADER", field=name) from None
