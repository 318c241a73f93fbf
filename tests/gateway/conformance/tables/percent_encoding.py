"""Percent-encoding: single segments are decoded whole, several keep %2F (http.proto, gateway.md settled 1)."""

from tests.gateway.conformance.cases import Case, get, refuses, request, takes

ONE, MANY, QUERY = "http.proto: single segment decoding", "http.proto: multi segment decoding", "WHATWG URL: query"
SETTLED = "gateway.md: settled 1"

CASES: tuple[Case, ...] = (
    takes("a space", ONE, get("/t/one/a%20b"), 'One(name: "a b")'),
    takes("a slash", ONE, get("/t/one/a%2Fb"), 'One(name: "a/b")'),
    takes("a slash in small letters", ONE, get("/t/one/a%2fb"), 'One(name: "a/b")'),
    takes("a percent sign, once", ONE, get("/t/one/100%25"), 'One(name: "100%")'),
    takes("what looks encoded after that stays", ONE, get("/t/one/a%252Fb"), 'One(name: "a%2Fb")'),
    takes("UTF-8", ONE, get("/t/one/%C3%BC%E2%82%AC"), 'One(name: "ü€")'),
    takes("a question mark and a hash", ONE, get("/t/one/a%3Fb%23c"), 'One(name: "a?b#c")'),
    takes("a plus is a plus in a path", "RFC 3986: 3.3", get("/t/one/a+b"), 'One(name: "a+b")'),
    takes("sub-delims need no encoding", "RFC 3986: 3.3", get("/t/one/a!$&'()*,;=@b"), 'One(name: "a!$&\'()*,;=@b")'),
    takes("{var=*} decodes like {var}", ONE, get("/t/explicit/a%2Fb"), 'One(name: "a/b")'),
    takes(
        "a nested field of one segment",
        ONE,
        get("/t/nested/a%2Fb/1"),
        'Nested(part { name: "a/b" part { number: 1 } })',
    ),
    takes("** keeps %2F", SETTLED, get("/t/rest/a%2Fb/c"), 'Rest(name: "a%2Fb/c")'),
    takes("and %2f", SETTLED, get("/t/rest/a%2fb/c"), 'Rest(name: "a%2fb/c")'),
    takes("and decodes all else", SETTLED, get("/t/rest/a%20b%3F/%C3%BC%25"), 'Rest(name: "a b?/ü%")'),
    takes("even when it takes one segment", SETTLED, get("/t/rest/a%2Fb"), 'Rest(name: "a%2Fb")'),
    takes("reserved characters too", SETTLED, get("/t/rest/a%3Ab%40c%2Cd"), 'Rest(name: "a:b@c,d")'),
    takes(
        "a variable of several segments does the same",
        MANY,
        get("/t/shelves/a%2Fb%20c"),
        'Shelf(name: "shelves/a%2Fb c")',
    ),
    takes(
        "an encoded slash separates nothing",
        MANY,
        get("/t/shelves/a/books/b%2Fc"),
        'Book(name: "shelves/a/books/b%2Fc")',
    ),
    refuses("no UTF-8 in a path", ONE, get("/t/one/%FF"), "MALFORMED_PATH"),
    refuses("no UTF-8 in several segments", MANY, get("/t/rest/a/%C3%28"), "MALFORMED_PATH"),
    takes("%20 in a query", QUERY, get("/t/things?name=a%20b"), 'Batch(name: "a b")'),
    takes("a plus is a space in a query", QUERY, get("/t/things?name=a+b"), 'Batch(name: "a b")'),
    takes("an encoded plus is a plus", QUERY, get("/t/things?name=a%2Bb"), 'Batch(name: "a+b")'),
    takes("encoded separators separate nothing", QUERY, get("/t/things?name=a%26b%3Dc"), 'Batch(name: "a&b=c")'),
    takes("an equals sign in a value", QUERY, get("/t/things?name=a=b"), 'Batch(name: "a=b")'),
    takes("an encoded name", QUERY, get("/t/things?%6Eame=a"), 'Batch(name: "a")'),
    takes("empty pairs are nothing", QUERY, get("/t/things?&name=a&&"), 'Batch(name: "a")'),
    takes("a semicolon is a character", QUERY, get("/t/things?name=a;b"), 'Batch(name: "a;b")'),
    refuses("no UTF-8 in a value", QUERY, get("/t/things?name=%FF"), "MALFORMED_QUERY"),
    refuses("no UTF-8 in a name", QUERY, get("/t/things?%FF=a"), "MALFORMED_QUERY"),
    takes(
        "the absolute form of a target",
        "RFC 9112: 3.2.2",
        request("GET", "http://api.example.com/t/one/a?other=b"),
        'One(name: "a" other: "b")',
    ),
)
