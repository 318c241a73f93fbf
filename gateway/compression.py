"""Content codings (RFC 9110 section 8.4): whole responses in the one that a client prefers, request bodies in gzip.

Streams are sent as they are, in every format: a compressor would hold messages back, or keep a window of its own for
each client. starlette-compress is not used because it ignores how clients weigh codings, and blocks the loop.
"""

import asyncio
import re
import sys
import zlib
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any

import brotli
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Page

from gateway.accepting import qualities
from gateway.body import too_large
from gateway.errors import Headers, InvalidRequest, UnsupportedMediaType

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_VARY = (b"vary", b"accept-encoding")

_INLINE = 32 * 1024
"""Bytes that every coding compresses in less than half a millisecond; what is larger goes to a thread, since none of
the libraries holds the GIL."""

_GZIP = 31
"""zlib's way of saying: the format of gzip, with the largest window."""

_COMPRESSIBLE = re.compile(
    rb"(text/[^;]+|application/(json|javascript|x-ndjson|xml|yaml)|[a-z]+/[^;]+\+(json|xml|yaml)) *(;.*)?",
    re.IGNORECASE,
)
"""Media types of texts. What an HttpBody holds besides (images, archives) is mostly compressed already."""

_brotli: Any = brotli  # which has no types
_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstd.compress(body, 3),
    "br": lambda body: _brotli.compress(body, quality=4),
    "gzip": lambda body: zlib.compress(body, 4, _GZIP),
}


class Compression:
    """How whole responses are compressed. Bodies of less than `minimum` bytes need not be given to it."""

    def __init__(self, codings: tuple[str, ...], minimum: int) -> None:
        """The first of `codings` wins among those that a client likes equally; none: nothing is compressed."""
        self._codings = codings
        self.minimum = minimum if codings else sys.maxsize
        self.not_modified: Headers = [_VARY] if codings else []
        """What a 304 says as the 200 would have."""

    async def apply(self, accept_encoding: bytes, headers: Headers, body: bytes) -> bytes:
        """The body as it is sent. Adds to `headers` what goes with it. An ETag becomes a weak one: the bytes are no
        longer the same, what they say is."""
        if len(body) < self.minimum or not _is_text(headers):
            return body
        headers.append(_VARY)
        coding = preferred(accept_encoding, self._codings)
        if coding is None:
            return body
        encode = _ENCODERS[coding]
        encoded = encode(body) if len(body) <= _INLINE else await asyncio.to_thread(encode, body)
        headers[:] = [(name, b"W/" + value if name == b"etag" else value) for name, value in headers]
        headers.append((b"content-encoding", coding.encode()))
        return encoded


def _is_text(headers: Headers) -> bool:
    for name, value in headers:
        if name == b"content-type":
            return value == b"application/json" or _COMPRESSIBLE.fullmatch(value) is not None
    return False


def compressed_page(page: Page, compression: Compression) -> Page:
    """The same page, one of the gateway's own."""
    show: Callable[[Request], Awaitable[Response]] = page.endpoint

    async def send(request: Request) -> Response:
        plain = await show(request)
        accept = request.headers.get("accept-encoding", "").encode("latin-1")
        headers = [header for header in plain.raw_headers if header[0] != b"content-length"]
        response = Response(await compression.apply(accept, headers, bytes(plain.body)), plain.status_code)
        response.raw_headers += headers
        return response

    return Page(page.path, send)


@lru_cache(maxsize=256)
def preferred(accept_encoding: bytes, codings: tuple[str, ...]) -> str | None:
    """The coding that Accept-Encoding prefers; None when it prefers none of `codings` to the plain form."""
    taken = {name.removeprefix("x-"): quality for name, quality in qualities(accept_encoding).items()}
    others = taken.get("*", 0.0)
    best = max(codings, key=lambda coding: taken.get(coding, others))
    quality = taken.get(best, others)
    return best if quality > 0 and quality >= taken.get("identity", 0.0) else None


async def decompressed(headers: Mapping[bytes, bytes], body: bytes, limit: int) -> bytes:
    """A request body without its content coding, of at most `limit` bytes.

    Raises UnsupportedMediaType, InvalidRequest, BodyTooLarge."""
    coding = headers.get(b"content-encoding", b"identity").strip().lower()
    if coding == b"identity":
        return body
    if coding not in (b"gzip", b"x-gzip"):
        raise UnsupportedMediaType(
            "A compressed body must be gzip.",
            reason="UNSUPPORTED_CONTENT_ENCODING",
            field="content-encoding",
            headers=[(b"accept-encoding", b"gzip")],
        )
    return await asyncio.to_thread(_gunzipped, body, limit)


def _gunzipped(body: bytes, limit: int) -> bytes:
    decoder = zlib.decompressobj(_GZIP)
    try:
        plain = decoder.decompress(body, limit + 1)
    except zlib.error:
        raise _not_gzip() from None
    if len(plain) > limit:
        raise too_large(limit)
    if not decoder.eof or decoder.unused_data:
        raise _not_gzip()
    return plain


def _not_gzip() -> InvalidRequest:
    return InvalidRequest("body: is not gzip", reason="INVALID_BODY", field="body")
