"""Server streams: the form by Accept, ids, and errors before and after the first message."""

from tests.gateway.conformance.cases import Case, Fails, get, refuses, request, send, takes

ACCEPT, SSE, NDJSON, ARRAY = "RFC 9110: Accept", "WHATWG HTML: event stream", "NDJSON: lines", "gateway.md: JSON array"
IN_BAND, RESUME = "gateway.md: errors in-band", "WHATWG HTML: Last-Event-ID"
WATCH = "/f/gauges/g:watch"
TWO = ("version: 1 value: 0.5", "version: 2")
EVENTS = b'id: 1\ndata: {"version":"1","value":0.5}\n\nid: 2\ndata: {"version":"2"}\n\n'
LINES = b'{"version":"1","value":0.5}\n{"version":"2"}\n'
LIST = b'[{"version":"1","value":0.5},{"version":"2"}]'
BURNT = Fails("DATA_LOSS", "burnt")
ERROR = b'{"error": {"code": 500, "status": "DATA_LOSS", "message": "burnt", "details": []}}'


def streams(id: str, source: str, accept: str | None, media: str, body: bytes) -> Case:
    """Two readings in the form that the client accepts."""
    sends = get(WATCH, accept=accept) if accept is not None else get(WATCH)
    headers = {"content-type": media, "transfer-encoding": "chunked", "content-length": None}
    return Case(id, source, sends, 200, 'Watch(gauge: "g")', body, headers=headers, answers=TWO)


def breaks(id: str, accept: str, body: bytes) -> Case:
    """A stream that fails after its first message."""
    answers = ("version: 1",)
    return Case(id, IN_BAND, get(WATCH, accept=accept), 200, body=body, answers=answers, fails=BURNT)


CASES: tuple[Case, ...] = (
    streams("events", SSE, "text/event-stream", "text/event-stream", EVENTS),
    streams("lines", NDJSON, "application/x-ndjson", "application/x-ndjson", LINES),
    streams("an array", ARRAY, "application/json", "application/json", LIST),
    streams("lines when anything is accepted", ACCEPT, "*/*", "application/x-ndjson", LINES),
    streams("lines when nothing is said", ACCEPT, None, "application/x-ndjson", LINES),
    streams("the best by quality", ACCEPT, "application/json;q=0.5, text/event-stream", "text/event-stream", EVENTS),
    streams("the first of equals", ACCEPT, "application/json, text/event-stream", "application/json", LIST),
    streams(
        "what has quality 0 is refused",
        ACCEPT,
        "text/event-stream;q=0, application/json;q=0.1",
        "application/json",
        LIST,
    ),
    streams("in any case", ACCEPT, "Text/Event-Stream", "text/event-stream", EVENTS),
    Case(
        "events are not to be cached or transformed",
        SSE,
        get(WATCH, accept="text/event-stream"),
        answers=TWO,
        headers={"cache-control": "no-cache", "vary": "accept"},
    ),
    Case("no event", SSE, get(WATCH, accept="text/event-stream"), body=b"", answers=()),
    Case("no line", NDJSON, get(WATCH), body=b"", answers=()),
    Case("an empty array", ARRAY, get(WATCH, accept="application/json"), body=b"[]", answers=()),
    takes(
        "resumes after an event",
        RESUME,
        get(WATCH, accept="text/event-stream", last_event_id="7"),
        'Watch(gauge: "g" after_version: 7)',
    ),
    takes("a cursor in the query", RESUME, get(f"{WATCH}?afterVersion=7"), 'Watch(gauge: "g" after_version: 7)'),
    refuses("an event that never was", RESUME, get(WATCH, last_event_id="x"), "INVALID_HEADER", "last-event-id"),
    Case(
        "an event without a version has no id",
        SSE,
        get(WATCH, accept="text/event-stream"),
        body=b'data: {"value":0.5}\n\n',
        answers=("value: 0.5",),
    ),
    Case(
        "text that has line feeds stays in its event",
        SSE,
        send("POST", "/f/lines:recite", r'{"text":"a\nb"}', accept="text/event-stream"),
        body=b'data: {"text":"a\\nb"}\n\n',
        answers=('text: "a\\nb"',),
    ),
    Case(
        "a field of each message",
        "http.proto: response_body",
        get("/f/gauges/g:watchValue"),
        body=b"0.5\n0.0\n",
        answers=TWO,
    ),
    Case(
        "of a POST",
        NDJSON,
        send("POST", "/f/lines:recite", '{"text":"a"}'),
        200,
        'Recite(text: "a")',
        b'{"text":"a"}\n',
    ),
    Case(
        "before the first message it has its status",
        IN_BAND,
        get(WATCH),
        404,
        fails=Fails("NOT_FOUND", "no gauge"),
        answers=(),
        has=(b'"no gauge"',),
        headers={"content-type": "application/json"},
    ),
    breaks(
        "as an event named error",
        "text/event-stream",
        b'id: 1\ndata: {"version":"1"}\n\nevent: error\ndata: ' + ERROR + b"\n\n",
    ),
    breaks("as a line", "application/x-ndjson", b'{"version":"1"}\n' + ERROR + b"\n"),
    breaks("as an element", "application/json", b'[{"version":"1"},' + ERROR + b"]"),
    Case(
        "a deadline that passes in mid-stream",
        IN_BAND,
        get(WATCH, grpc_timeout="500m"),
        200,
        waits=True,
        answers=("version: 1",),
        has=(b'{"version":"1"}\n', b'"DEADLINE_EXCEEDED"'),
    ),
    Case(
        "HEAD has the headers alone",
        "gateway.md: settled 6",
        request("HEAD", WATCH, {"accept": "text/event-stream"}),
        answers=TWO,
        body=b"",
        headers={"content-type": "text/event-stream"},
    ),
    Case("a client that goes away ends it", "gateway.md: disconnect cancels", get(WATCH), hangs_up=True),
)
