"""Limits of one request. How a gateway fares under many is for tests of their own."""

from tests.gateway.conformance.cases import Case, get, refuses, request, takes

SIZE, PARAMETERS = "RFC 9110: 413", "gateway.md: request-size limits"
MEGABYTE = 1024 * 1024


def chunked(body: bytes) -> bytes:
    """The same in two chunks, so that its length is not said."""
    half = len(body) // 2
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:])) + b"0\r\n\r\n"


def posts(body: bytes, **headers: str) -> bytes:
    """A body of some size."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request("POST", "/json", {"content-type": "application/json", **named}, body)


CASES: tuple[Case, ...] = (
    takes("the largest body", SIZE, posts(b'{"text":"a"}'.ljust(MEGABYTE)), 'Echo(text: "a")'),
    refuses("one byte more", SIZE, posts(b" " * (MEGABYTE + 1)), "BODY_TOO_LARGE", "body", status=413),
    refuses(
        "one byte more, in chunks",
        SIZE,
        posts(chunked(b" " * (MEGABYTE + 1)), transfer_encoding="chunked"),
        "BODY_TOO_LARGE",
        "body",
        status=413,
    ),
    refuses(
        "a length that is only said",
        SIZE,
        b"POST /json HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n",
        "BODY_TOO_LARGE",
        "body",
        status=413,
    ),
    refuses(
        "a message of a stream",
        SIZE,
        request("POST", "/f/talks/s", {"content-type": "application/x-ndjson"}, b" " * (MEGABYTE + 1)),
        "BODY_TOO_LARGE",
        "body",
        status=413,
    ),
    refuses(
        "a thousand and one parameters",
        PARAMETERS,
        request("GET", "/query?" + "&".join(["texts=a"] * 1001)),
        "MALFORMED_QUERY",
    ),
    refuses(
        "a parameter fifty messages deep",
        PARAMETERS,
        request("GET", "/query?" + "held." * 50 + "text=a"),
        "UNKNOWN_PARAMETER",
        "held." * 50 + "text",
    ),
    refuses(
        "a target of ten thousand characters",
        "RFC 9110: 414",
        get("/t/one/" + "a" * 40_000),
        "TARGET_TOO_LONG",
        status=414,
    ),
    refuses(
        "headers of forty thousand characters",
        "RFC 6585: 431",
        get("/t/one/a", x_a="a" * 40_000),
        "HEADERS_TOO_LARGE",
        status=431,
    ),
    refuses(
        "a hundred and one headers",
        "RFC 6585: 431",
        request("GET", "/t/one/a", {f"x-{number}": "a" for number in range(101)}),
        "TOO_MANY_HEADERS",
        status=431,
    ),
    refuses(
        "two readings of a body's length",
        "RFC 9112: request smuggling",
        request("POST", "/json", {"transfer-encoding": "chunked", "content-length": "2"}, b"0\r\n\r\n"),
        "MALFORMED_REQUEST",
    ),
    refuses(
        "another version",
        "RFC 9110: 505",
        b"GET / HTTP/2.0\r\nhost: x\r\n\r\n",
        "HTTP_VERSION_NOT_SUPPORTED",
        status=505,
    ),
    refuses("no request", "RFC 9112: request line", b"nonsense\r\n\r\n", "MALFORMED_REQUEST"),
    refuses("methods have a case", "RFC 9112: request line", request("get", "/t/one/a"), "MALFORMED_REQUEST"),
)
