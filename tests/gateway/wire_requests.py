"""Requests that are HTTP by their grammar and whatever they like in all else, for the fuzz test of the socket."""

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.gateway.contracts import library_message
from tests.mesh.mutations import mutated_texts

_ROUTES = """
GET /v1/echo|GET /v1/echo/{}|GET /v1/echo/{}:loud|GET /v1/deep/{}/{}/{}|GET /v1/deep/{}:verb|GET /v1/shelves/{}/books/{}
GET /v1/nested/{}/{}|GET /v1/numbers/{}|GET /v1/colors/{}|GET /v1/any/{}/tail|GET /v1/echo/literal|LINK /v1/every-method
POST /v1/echo|POST /v1/echo|POST /v1/echo/{}:all|PUT /v1/inner/{}|PUT /v1/inner/{}/own|PUT /v1/tags|PUT /v1/text
POST /v1/no-body|POST /v1/inner-only|POST /v1/tags-only|GET /v1/files/{}|PUT /v1/files/{}|GET /v1/files/{}:download
POST /v1/files/{}:upload|POST /v1/shelves/{}:collect|POST /v1/titles:collect|POST /v1/talks/{}|POST /v1/talks/{}:inner
POST /v1/tell|GET /v1/listen/{}|GET /v1/books/{}|PATCH /v1/books/{}|DELETE /v1/books/{}|GET /v1/books/{}:watch
POST /v1/books|POST /book/|POST /api/book|GET /docs|GET /openapi.json|GET /healthz|GET /metrics|GET /|GET /{}|GET /{}/{}
"""
_SEGMENTS = """
b1 1 -1 007 2147483648 BLUE PINK blue %20 %2F %2f a%2Fb %25 %252F %C3%A9 %c3%a9 %ff %E0%80%80 %ED%A0%80 %00 %0d%0a %zz %
. .. ... : :: :watch a:watch a:b:c :loud %3Aloud * ** $ ; ;a=b a,b ~ ! @ ' ( ) + = & {text} [ ] | \\ ^ ` " < >
"""
_NAMES = """
text anInt32 an_int32 aDouble aBool someBytes color colors tags inner inner.text inner.inner.number inners labels
labels[a] labels[] labels[[ inners_by_number[1] colorsByTruth[true] maybeText left right middle.text time duration mask
stringValue int64_value struct value list otherName bookId book_id book.title pages etag updateMask update_mask shelf
after_version nope $alt alt access_token __proto__ inner. .inner inner..text text[ text] [text] content.data name note
"""
_VALUES = """
1 -1 0 1.5 NaN Infinity 1e999 true false True null BLUE 1 2 99999999999 9223372036854775808 AA== A %F0%9F%98%80 %ff %00
1s 1.5s -1s 2026-01-01T00:00:00Z now a,b fooBar foo_1 * , %2C a.b %41 + %2B {} [] "x"
"""
_HEADERS: dict[str, str] = {
    "content-type": "application/json|application/json; charset=utf-8|application/json;charset=latin-1|text/plain|"
    "application/x-ndjson|application/merge-patch+json|multipart/form-data; boundary=x|application/grpc|;|/|,|*/*|",
    "content-encoding": "identity|gzip|br|zstd|deflate|gzip, gzip|nope|",
    "accept": "*/*|application/json|text/event-stream|application/x-ndjson|text/html;q=0.9,*/*;q=0.1|;q=|a/b;q=nan|,,|",
    "accept-encoding": "gzip|br|zstd|identity;q=0|*;q=0|gzip;q=2|gzip;q=-1|br;q=nan, zstd;q=inf|;|,|",
    "if-match": '"1.2"|W/"1"|*|"a", "b"|"|""|a"b|',
    "if-none-match": '"1.2"|W/"1.2"|*|"a", "1.2"|"|,|',
    "if-modified-since": "Sat, 21 Nov 2026 00:00:00 GMT|x",
    "idempotency-key": '"k"|k|01980f2e-7d10-7000-8000-000000000001|"|""|',
    "last-event-id": "1|-1|x|99999999999999999999|",
    "grpc-timeout": "9S|99999999H|S|9|9s|-1S|1.5S|999999999S|",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01|00-0-0-0|x|ff-0af7651916cd43dd8448eb211c803"
    "19c-b7ad6b7169203331-01|",
    "tracestate": "a=b|,|",
    "authorization": "Bearer x|Bearer|Basic eA==|Bearer  x  y|x|",
    "cookie": "a=b|__Host-token=x|__Host-token=|=|;;;|a|__Host-token=x; __Host-token=y",
    "origin": "http://test|https://evil.example|null|x|",
    "access-control-request-method": "GET|POST|x|",
    "access-control-request-headers": "authorization|a, b|,|",
    "sec-fetch-site": "cross-site|same-origin|x",
    "x-forwarded-for": "1.2.3.4|::1, 5.6.7.8|,|x|",
    "x-forwarded-host": "a.example|:|",
    "x-forwarded-proto": "https|http|javascript|",
    "x-request-id": "x|",
    "accept-language": "de|*|",
    "x-data-bin": "AAEC|A|!|AAEC,AAEC|",
    "grpc-encoding": "gzip",
    "grpc-status": "0",
    "x-http-method-override": "DELETE|PATCH",
    "range": "bytes=0-1|bytes=|x",
    "expect": "100-continue|x",
    "te": "trailers|x",
    "keep-alive": "timeout=5",
    "upgrade": "h2c|x",
    "http2-settings": "AAMAAABkAAQAAP__",
    "user-agent": "x|",
}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PURGE", "TRACE", "M-SEARCH", "LINK"]
_TOKENS = st.from_regex(r"[a-z][a-z0-9-]{0,11}", fullmatch=True)
_FIELD_TEXT = st.binary(max_size=12).map(lambda raw: bytes(b for b in raw if b >= 0x20 and b != 0x7F))
_PATH_TEXT = st.binary(max_size=12).map(lambda raw: bytes(b for b in raw if 0x20 < b < 0x7F and b not in b"?#"))
BODIES = st.one_of(
    st.just(b""),
    st.just(b"{}"),
    st.sampled_from([b"null", b"[]", b"[{}]", b"{}\n{}\n", b"[{},{}]", b'"a"', b"1", b"{", b"\x1f\x8b\x08", b"\0"]),
    mutated_texts(library_message("Everything").DESCRIPTOR),
    mutated_texts(library_message("Book").DESCRIPTOR),
    st.lists(mutated_texts(library_message("Inner").DESCRIPTOR), max_size=3).map(b"\n".join),
    st.lists(mutated_texts(library_message("Inner").DESCRIPTOR), max_size=3).map(
        lambda many: b"[" + b",".join(many) + b"]"
    ),
    st.binary(max_size=40),
)


@dataclass(frozen=True)
class WireRequest:
    """A request in its parts; `raw` is what goes over the wire."""

    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes | None
    chunks: int
    """How many chunks the body is sent in; 0: none, with a content-length."""

    @property
    def raw(self) -> bytes:
        lines = [self.method.encode() + b" " + self.target + b" HTTP/1.1", b"host: test"]
        lines += [name + b": " + value for name, value in self.headers]
        if self.body is None:
            return b"\r\n".join([*lines, b"", b""])
        if not self.chunks:
            return b"\r\n".join([*lines, b"content-length: %d" % len(self.body), b"", self.body])
        return b"\r\n".join([*lines, b"transfer-encoding: chunked", b"", self._chunked(self.body)])

    def _chunked(self, body: bytes) -> bytes:
        size = max(1, len(body) // self.chunks)
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _odd(words: str) -> st.SearchStrategy[bytes]:
    return st.sampled_from([word.encode() for word in words.split()])


def _filled(template: str, segments: list[bytes]) -> bytes:
    parts = template.encode().split(b"{}")
    return b"".join(part + segment for part, segment in zip(parts, [*segments, b""], strict=True))


SEGMENTS = _odd(_SEGMENTS) | _PATH_TEXT
PAIRS = st.builds(b"%b=%b".__mod__, st.tuples(_odd(_NAMES) | _PATH_TEXT, _odd(_VALUES) | _PATH_TEXT))
_QUERIES = st.one_of(
    st.just(b""),
    st.lists(PAIRS, min_size=1, max_size=4).map(lambda pairs: b"?" + b"&".join(pairs)),
    _PATH_TEXT.map(lambda text: b"?" + text),
    st.just(b"?" + b"&".join([b"tags=a"] * 1001)),
)
_HEADER = st.one_of(
    *(
        st.tuples(st.just(name.encode()), st.sampled_from(values.split("|")).map(str.encode))
        for name, values in _HEADERS.items()
    ),
    st.tuples(st.sampled_from(sorted(_HEADERS)).map(str.encode), _FIELD_TEXT),
    st.tuples(_TOKENS.map(str.encode).filter(lambda name: name not in _FRAMING), _FIELD_TEXT),
    st.tuples(st.sampled_from([b"authorization", b"x-forwarded-for", b"x-data-bin"]), st.just(b"x" * 9000)),
)
_SOME_HEADERS = st.lists(_HEADER, max_size=4)
_ROUTE = st.sampled_from(_ROUTES.strip().replace("\n", "|").split("|"))
_FRAMING = {b"host", b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"trailer"}


@st.composite
def wire_requests(draw: st.DrawFn) -> WireRequest:
    """Most are of a route, with its method; what they say there is anything."""
    method, _, template = draw(_ROUTE).partition(" ")
    if draw(st.integers(0, 4)) == 4:
        method = draw(st.sampled_from(_METHODS))
    path = _filled(template, [draw(SEGMENTS) for _ in range(template.count("{}"))])
    body = draw(BODIES) if method in ("POST", "PUT", "PATCH") or draw(st.integers(0, 4)) == 4 else None
    return WireRequest(method, path + draw(_QUERIES), tuple(draw(_SOME_HEADERS)), body, draw(st.integers(0, 3)))


def frame_lists() -> st.SearchStrategy[list[str | bytes]]:
    """WebSocket frames: right, nearly right and any."""
    texts = mutated_texts(library_message("Inner").DESCRIPTOR).map(lambda raw: raw.decode("utf-8", "replace"))
    return st.lists(st.one_of(texts, texts, st.text(max_size=20), st.binary(max_size=20)), max_size=4)
