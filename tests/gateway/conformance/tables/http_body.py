"""google.api.HttpBody, in and out, whole and in parts: the comments of google/api/httpbody.proto."""

from tests.gateway.conformance.cases import Case, Fails, get, refuses, request, takes

OUT, IN, PARTS = "httpbody.proto: response", "httpbody.proto: request", "httpbody.proto: streaming"
OCTETS, SAFE = "RFC 9110: Content-Type", "gateway.md: HttpBody"
PNG = ('content_type: "image/png" data: "\\211PNG\\r\\n"',)


def sends(method: str, target: str, body: bytes, content_type: str | None = "image/png") -> bytes:
    """A request with bytes of some type."""
    return request(method, target, {"content-type": content_type} if content_type is not None else {}, body)


CASES: tuple[Case, ...] = (
    Case(
        "bytes and their type",
        OUT,
        get("/f/files/a"),
        200,
        'Read(name: "a")',
        b"\x89PNG\r\n",
        answers=PNG,
        headers={"content-type": "image/png", "content-length": "6", "x-content-type-options": "nosniff"},
    ),
    Case(
        "JSON is bytes too",
        OUT,
        get("/f/files/a"),
        200,
        body=b'{"x": 1 }',
        headers={"content-type": "application/json"},
        answers=('content_type: "application/json" data: "{\\"x\\": 1 }"',),
    ),
    Case(
        "of no type",
        OCTETS,
        get("/f/files/a"),
        200,
        body=b"a",
        answers=('data: "a"',),
        headers={"content-type": "application/octet-stream"},
    ),
    Case(
        "of a type that is none",
        OCTETS,
        get("/f/files/a"),
        200,
        body=b"a",
        answers=('content_type: "a/b\\r\\nx-evil: 1" data: "a"',),
        headers={"content-type": "application/octet-stream", "x-evil": None},
    ),
    Case("of nothing", OUT, get("/f/files/a"), 200, body=b"", answers=("",)),
    Case(
        "HEAD",
        "gateway.md: settled 6",
        request("HEAD", "/f/files/a"),
        200,
        body=b"",
        answers=PNG,
        headers={"content-type": "image/png", "content-length": "6"},
    ),
    Case(
        "a field of the response",
        "http.proto: response_body",
        get("/f/covers/a"),
        200,
        body=b"c",
        answers=('name: "a" content { content_type: "image/gif" data: "c" }',),
        headers={"content-type": "image/gif"},
    ),
    Case("a field that is unset", "http.proto: response_body", get("/f/covers/a"), 200, body=b"", answers=("",)),
    takes("path and query beside it", OUT, get("/f/files/a/b?revision=2"), 'Read(name: "a/b" revision: "2")'),
    takes(
        "a field of the request",
        IN,
        sends("PUT", "/f/files/a?overwrite=true", b"\x00\xff"),
        'Write(name: "a" content { content_type: "image/png" data: "\\000\\377" } overwrite: true)',
    ),
    Case(
        "the request and the response",
        IN,
        sends("POST", "/f/files:swap", b"\xff", 'text/x; a="b"'),
        200,
        r'Swap(content_type: "text/x; a=\"b\"" data: "\377")',
        b"\xff",
        headers={"content-type": 'text/x; a="b"'},
    ),
    takes(
        "JSON is not looked into",
        IN,
        sends("PUT", "/f/files/a", b"{nonsense", "application/json"),
        'Write(name: "a" content { content_type: "application/json" data: "{nonsense" })',
    ),
    takes("no type", IN, sends("PUT", "/f/files/a", b"x", None), 'Write(name: "a" content { data: "x" })'),
    takes("no body", IN, request("PUT", "/f/files/a"), 'Write(name: "a" content {})'),
    takes(
        "a chunked body",
        IN,
        request("PUT", "/f/files/a", {"transfer-encoding": "chunked"}, b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"),
        'Write(name: "a" content { data: "abc" })',
    ),
    refuses(
        "but not by the query",
        "gateway.md: a path-bound field cannot be overridden",
        sends("PUT", "/f/files/a?content.content_type=x/y", b"x"),
        "UNKNOWN_PARAMETER",
        "content.content_type",
    ),
    Case(
        "a download is its parts",
        PARTS,
        get("/f/files/a:download"),
        200,
        'Download(name: "a")',
        b"a,b\n1,2\n",
        headers={"content-type": "text/csv", "transfer-encoding": "chunked"},
        answers=('content_type: "text/csv" data: "a,b\\n"', 'data: "1,2\\n"'),
    ),
    Case(
        "whatever is accepted",
        PARTS,
        get("/f/files/a:download", accept="text/event-stream"),
        200,
        body=b"a",
        headers={"content-type": "text/csv"},
        answers=('content_type: "text/csv" data: "a"',),
    ),
    Case(
        "a download that does not begin",
        PARTS,
        get("/f/files/a:download"),
        404,
        answers=(),
        fails=Fails("NOT_FOUND", "no file"),
        has=(b'"no file"',),
    ),
    takes(
        "an upload is a stream",
        PARTS,
        sends("POST", "/f/files/a:upload", b"abc", "text/csv"),
        'Upload(name: "a" content { content_type: "text/csv" data: "abc" })',
    ),
)
