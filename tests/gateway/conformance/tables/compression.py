"""Compression, of answers as the client accepts it, and of requests."""

import gzip

from tests.gateway.conformance.cases import Case, get, refuses, request, send, takes

OUT, IN = "RFC 9110: Accept-Encoding", "RFC 9110: Content-Encoding"
LARGE = (f'text: "{"x" * 5000}"',)
_JSON = {"content-type": "application/json"}


def codes(id: str, accept: str, coding: str | None) -> Case:
    """A large answer, in the coding that the client prefers."""
    return Case(id, OUT, get("/query", accept_encoding=accept), answers=LARGE, headers={"content-encoding": coding})


CASES: tuple[Case, ...] = (
    codes("gzip", "gzip", "gzip"),
    codes("brotli", "br", "br"),
    codes("zstd", "zstd", "zstd"),
    codes("the preferred one", "gzip;q=0.5, br;q=0.9", "br"),
    codes("none of what is refused", "gzip;q=0", None),
    codes("none that nobody knows", "compress", None),
    Case("nothing small", OUT, get("/query", accept_encoding="gzip"), body=b"{}", headers={"content-encoding": None}),
    Case(
        "nothing when nothing is said",
        OUT,
        get("/query"),
        answers=LARGE,
        body=b'{"text":"' + b"x" * 5000 + b'"}',
        headers={"content-encoding": None, "content-length": "5011"},
    ),
    takes(
        "a request in gzip",
        IN,
        request("POST", "/json", {**_JSON, "content-encoding": "gzip"}, gzip.compress(b'{"text":"a"}', mtime=0)),
        'Echo(text: "a")',
    ),
    refuses(
        "one that becomes too large",
        IN,
        request("POST", "/json", {**_JSON, "content-encoding": "gzip"}, gzip.compress(bytes(2_000_000), mtime=0)),
        "BODY_TOO_LARGE",
        "body",
        status=413,
    ),
    refuses(
        "an unknown coding",
        IN,
        send("POST", "/json", "{}", content_encoding="br"),
        "UNSUPPORTED_CONTENT_ENCODING",
        "content-encoding",
        status=415,
    ),
)
