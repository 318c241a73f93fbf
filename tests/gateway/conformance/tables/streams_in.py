"""Client streams, and bidi streams over HTTP: NDJSON or a JSON array."""

from tests.gateway.conformance.cases import Case, refuses, request

NDJSON, ARRAY, BOUND = "NDJSON: lines", "gateway.md: JSON array", "gateway.md: a path-bound field cannot be overridden"
BIDI = "gateway.md: bidi streams"
RECORD = "/f/gauges/g:record"
BOTH = 'Record(gauge: "g" reading { version: 1 })\nRecord(gauge: "g" reading { version: 2 })'


def lines(target: str, *texts: str, media: str = "application/x-ndjson", end: str = "\n") -> bytes:
    """A body of JSON lines."""
    return request("POST", target, {"content-type": media}, "".join(f"{text}{end}" for text in texts).encode())


def array(target: str, text: str) -> bytes:
    """A body of one JSON array."""
    return request("POST", target, {"content-type": "application/json"}, text.encode())


def records(id: str, source: str, sends: bytes, received: str) -> Case:
    """A stream of readings that is counted."""
    return Case(id, source, sends, 200, received, b'{"count":2}', answers=("count: 2",))


def breaks(id: str, source: str, sends: bytes, field: str, message: str) -> Case:
    """A stream with a message that is none."""
    return Case(id, source, sends, 400, None, reason="INVALID_BODY", fields=(field,), message=message)


CASES: tuple[Case, ...] = (
    records("lines", NDJSON, lines(RECORD, '{"version":1}', '{"version":2}'), BOTH),
    records("lines that end as on Windows", NDJSON, lines(RECORD, '{"version":1}', '{"version":2}', end="\r\n"), BOTH),
    records("empty lines are nothing", NDJSON, lines(RECORD, "", '{"version":1}', "  ", '{"version":2}'), BOTH),
    records("the last line needs no end", NDJSON, lines(RECORD, '{"version":1}\n{"version":2}', end=""), BOTH),
    records(
        "by another name", NDJSON, lines(RECORD, '{"version":1}', '{"version":2}', media="application/jsonl"), BOTH
    ),
    records("an array", ARRAY, array(RECORD, '[{"version":1},{"version":2}]'), BOTH),
    records("with white space", ARRAY, array(RECORD, ' [ {"version" : 1 }\n,\t{"version":2} ] '), BOTH),
    records(
        "in chunks that cut its messages",
        ARRAY,
        request(
            "POST",
            RECORD,
            {"transfer-encoding": "chunked"},
            b'9\r\n[{"versio\r\n12\r\nn":1},{"version":2\r\n2\r\n}]\r\n0\r\n\r\n',
        ),
        BOTH,
    ),
    records(
        "path and query are of every message",
        BOUND,
        lines(f"{RECORD}?note=n", "{}", "{}"),
        'Record(gauge: "g" reading {} note: "n")\nRecord(gauge: "g" reading {} note: "n")',
    ),
    records(
        "whatever a message says",
        BOUND,
        lines("/f/gauges/g:recordWhole", '{"gauge":"other"}', '{"note":"n"}'),
        'Record(gauge: "g")\nRecord(gauge: "g" note: "n")',
    ),
    Case("no body is no message", NDJSON, request("POST", RECORD), 200, "", b"{}"),
    Case("an empty array is none", ARRAY, array(RECORD, "[]"), 200, "", b"{}"),
    breaks("the second line", NDJSON, lines(RECORD, "{}", '{"versoin":1}'), "reading.versoin", "message 2: "),
    breaks("a line that is no JSON", NDJSON, lines(RECORD, "{"), "reading", "message 1: "),
    breaks("a line that is no object", NDJSON, lines(RECORD, "[]"), "reading", "message 1: "),
    breaks("no array", ARRAY, array(RECORD, '{"version":1}'), "body", "an array"),
    breaks("an array that is cut off", ARRAY, array(RECORD, '[{"version":1},'), "body", "cut off"),
    breaks("something after the array", ARRAY, array(RECORD, "[] []"), "body", "follows the array"),
    breaks("a missing element", ARRAY, array(RECORD, "[{},,{}]"), "body", "missing"),
    refuses(
        "another media type",
        "gateway.md: settled 4",
        lines(RECORD, "{}", media="text/csv"),
        "UNSUPPORTED_MEDIA_TYPE",
        "content-type",
        status=415,
    ),
    Case(
        "answers follow requests",
        BIDI,
        lines("/f/talks/s", '{"text":"a"}', '{"text":"b"}'),
        200,
        'Talk(speaker: "s" text: "a")\nTalk(speaker: "s" text: "b")',
        b'{"speaker":"s","text":"a"}\n{"speaker":"s","text":"b"}\n',
    ),
    Case(
        "an array in and events out",
        BIDI,
        request("POST", "/f/talks/s", {"accept": "text/event-stream"}, b'[{"text":"a"}]'),
        200,
        'Talk(speaker: "s" text: "a")',
        b'data: {"speaker":"s","text":"a"}\n\n',
    ),
)
