"""Entity tags: AIP-154, RFC 9110 for their headers, and gateway.md settled 7 for their two parts."""

from tests.gateway.conformance.cases import Case, Fails, get, refuses, request, send, takes

IF_MATCH, IF_NONE_MATCH, TAG = "AIP-154: If-Match", "RFC 9110: If-None-Match", "AIP-154: etag"
CONFLICT, PARTS = "gateway.md: 409 on mismatch", "gateway.md: settled 7"
VOLUME = "/v1/publishers/p/volumes/v"
TAGGED = ('title: "T" etag: "1.2"',)


def matches(id: str, source: str, value: str, etag: str) -> Case:
    """A write with If-Match, and the etag that the service is asked to compare."""
    received = f'DeleteVolume(name: "publishers/p/volumes/v" {etag})'
    return Case(id, source, request("DELETE", VOLUME, {"if-match": value}), 204, received)


def unchanged(id: str, source: str, value: str, tag: str = '"1.2"', method: str = "GET") -> Case:
    """A read whose client has this version; its tag comes back as it knows it."""
    sends = request(method, VOLUME, {"if-none-match": value})
    return Case(
        id,
        source,
        sends,
        304,
        answers=TAGGED,
        body=b"",
        headers={"etag": tag, "content-type": None, "content-length": None},
    )


def changed(id: str, source: str, value: str) -> Case:
    """A read whose client has another version."""
    return Case(
        id,
        source,
        get(VOLUME, if_none_match=value),
        answers=TAGGED,
        body=b'{"title":"T","etag":"1.2"}',
        headers={"etag": '"1.2"'},
    )


CASES: tuple[Case, ...] = (
    Case(
        "is in the answer and in its header",
        TAG,
        get(VOLUME),
        answers=TAGGED,
        headers={"etag": '"1.2"'},
        body=b'{"title":"T","etag":"1.2"}',
    ),
    Case("of nothing is no header", TAG, get(VOLUME), answers=('title: "T"',), headers={"etag": None}),
    Case("of what a write leaves", TAG, send("PATCH", VOLUME, "{}"), answers=TAGGED, headers={"etag": '"1.2"'}),
    matches("in quotes", IF_MATCH, '"1.2"', 'etag: "1.2"'),
    matches("without them", IF_MATCH, "1.2", 'etag: "1.2"'),
    matches("a weak one", IF_MATCH, 'W/"1.2"', 'etag: "1.2"'),
    matches("* is any version", IF_MATCH, "*", ""),
    matches("both parts reach the service, which compares the first", PARTS, '"7.9"', 'etag: "7.9"'),
    takes(
        "of an update",
        IF_MATCH,
        send("PATCH", VOLUME, '{"title":"T"}', if_match='"1"'),
        'UpdateVolume(volume { name: "publishers/p/volumes/v" title: "T" } update_mask { paths: "title" } etag: "1")',
    ),
    Case(
        "the request's own wins",
        IF_MATCH,
        request("DELETE", f"{VOLUME}?etag=own", {"if-match": '"1"'}),
        204,
        'DeleteVolume(name: "publishers/p/volumes/v" etag: "own")',
    ),
    refuses("none", IF_MATCH, request("DELETE", VOLUME, {"if-match": '""'}), "INVALID_HEADER", "if-match"),
    refuses(
        "none beside the request's own",
        IF_MATCH,
        request("DELETE", f"{VOLUME}?etag=own", {"if-match": ""}),
        "INVALID_HEADER",
        "if-match",
    ),
    refuses("several", IF_MATCH, request("DELETE", VOLUME, {"if-match": '"1", "2"'}), "INVALID_HEADER", "if-match"),
    refuses(
        "of a write that compares none",
        IF_MATCH,
        send("POST", f"{VOLUME}:archive", "{}", if_match='"1"'),
        "UNSUPPORTED_PRECONDITION",
        "if-match",
    ),
    Case(
        "a version that is not the present one",
        CONFLICT,
        request("DELETE", VOLUME, {"if-match": '"0"'}),
        409,
        fails=Fails(
            "ABORTED",
            "changed meanwhile",
            ('[type.googleapis.com/google.rpc.ErrorInfo] { reason: "STALE" domain: "d" }',),
        ),
        reason="STALE",
        message="changed meanwhile",
    ),
    unchanged("the present version", IF_NONE_MATCH, '"1.2"'),
    unchanged("as a weak one", IF_NONE_MATCH, 'W/"1.2"', 'W/"1.2"'),
    unchanged("among others", IF_NONE_MATCH, '"0.1", "1.2"'),
    unchanged("any", IF_NONE_MATCH, "*"),
    unchanged("of a HEAD", IF_NONE_MATCH, '"1.2"', method="HEAD"),
    changed("another version", IF_NONE_MATCH, '"1.3"'),
    changed("the first part alone", PARTS, '"1"'),
    changed("another first part", PARTS, '"2.2"'),
    Case(
        "a write is never 304", IF_NONE_MATCH, send("PATCH", VOLUME, "{}", if_none_match='"1.2"'), 200, answers=TAGGED
    ),
    matches("with spaces around", IF_MATCH, ' "1.2" ', 'etag: "1.2"'),
    Case("of a read is nothing", IF_MATCH, get("/t/things", if_match='"1"'), received="Batch()"),
    changed("without quotes", IF_NONE_MATCH, "1.2"),
    changed("the second part alone", PARTS, '"2"'),
    changed("nothing", IF_NONE_MATCH, ""),
    Case("of nothing is never known", IF_NONE_MATCH, get(VOLUME, if_none_match="*"), headers={"etag": None}),
)
