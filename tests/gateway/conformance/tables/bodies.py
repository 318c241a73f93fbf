"""Bodies: what a rule's `body` makes of them, and which media types are taken."""

from tests.gateway.conformance.cases import Case, refuses, request, send, takes

TYPE, EMPTY, FRAMING = "gateway.md: settled 4", "http.proto: body", "RFC 9112: body length"
FIELD, SHAPE = "http.proto: body of any type", "gateway.md: settled 3"
NOTES = "/v1/messages:notes"


def typed(content_type: str, target: str = "/json") -> bytes:
    """A JSON body that is called something else."""
    return request("POST", target, {"content-type": content_type}, b'{"text":"a"}')


CASES: tuple[Case, ...] = (
    takes("JSON", TYPE, typed("application/json"), 'Echo(text: "a")'),
    takes("JSON in UTF-8", TYPE, typed("application/json; charset=utf-8"), 'Echo(text: "a")'),
    takes("in any case, and quoted", TYPE, typed('Application/JSON;charset="UTF-8"'), 'Echo(text: "a")'),
    takes("JSON by its suffix", "RFC 6839: +json", typed("application/merge-patch+json"), 'Echo(text: "a")'),
    takes("of no type", TYPE, request("POST", "/json", {}, b'{"text":"a"}'), 'Echo(text: "a")'),
    refuses("text", TYPE, typed("text/plain"), "UNSUPPORTED_MEDIA_TYPE", "content-type", status=415),
    refuses(
        "a form",
        TYPE,
        request("POST", "/json", {"content-type": "application/x-www-form-urlencoded"}, b"text=a"),
        "UNSUPPORTED_MEDIA_TYPE",
        "content-type",
        status=415,
    ),
    refuses("protobuf", TYPE, typed("application/x-protobuf"), "UNSUPPORTED_MEDIA_TYPE", "content-type", status=415),
    refuses(
        "JSON in Latin-1",
        "RFC 8259: UTF-8",
        typed("application/json; charset=iso-8859-1"),
        "UNSUPPORTED_MEDIA_TYPE",
        "content-type",
        status=415,
    ),
    refuses(
        "a type that does not end as JSON",
        TYPE,
        typed("application/jsonx"),
        "UNSUPPORTED_MEDIA_TYPE",
        "content-type",
        status=415,
    ),
    takes("no body is no field", EMPTY, request("POST", "/json"), "Echo()"),
    takes("nor is an empty one", EMPTY, request("POST", "/json", {}, b""), "Echo()"),
    takes("of whatever type", EMPTY, request("POST", "/json", {"content-type": "text/plain"}, b""), "Echo()"),
    takes("an empty object", EMPTY, send("POST", "/json", "{}"), "Echo()"),
    takes(
        "no body leaves a message unset", EMPTY, request("PATCH", "/v1/messages/1"), 'UpdateMessage(message_id: "1")'
    ),
    takes("{} sets it", EMPTY, send("PATCH", "/v1/messages/1", "{}"), 'UpdateMessage(message_id: "1" message {})'),
    takes(
        "a chunked body",
        FRAMING,
        request("POST", "/json", {"transfer-encoding": "chunked"}, b'7\r\n{"text"\r\n5\r\n:"a"}\r\n0\r\n\r\n'),
        'Echo(text: "a")',
    ),
    takes(
        "a chunk with an extension, and trailers",
        FRAMING,
        request("POST", "/json", {"transfer-encoding": "chunked"}, b'c;x=y\r\n{"text":"a"}\r\n0\r\nx-sum: 1\r\n\r\n'),
        'Echo(text: "a")',
    ),
    takes("a list", FIELD, send("POST", "/v1/messages:texts", '["a","b"]'), 'SendMessage(texts: "a" texts: "b")'),
    takes("an integer", FIELD, send("POST", "/v1/messages:count", "5"), "SendMessage(count: 5)"),
    takes("an enum", FIELD, send("POST", "/v1/messages:tone", "2"), "SendMessage(tone: LOUD)"),
    takes("a map", FIELD, send("POST", NOTES, '{"a":"b"}'), 'SendMessage(notes { key: "a" value: "b" })'),
    takes("null is unset", "ProtoJSON: null", send("POST", "/v1/messages:count", "null"), "SendMessage()"),
    refuses("a list is no object", SHAPE, send("POST", "/json", "[]"), "INVALID_BODY", "body"),
    refuses("nor is a text", SHAPE, send("POST", "/json", '"{}"'), "INVALID_BODY", "body"),
    refuses("nor a number", SHAPE, send("POST", "/json", "1"), "INVALID_BODY", "body"),
    refuses("nor null", SHAPE, send("POST", "/json", "null"), "INVALID_BODY", "body"),
    refuses("a list is no message", SHAPE, send("PATCH", "/v1/messages/1", "[]"), "INVALID_BODY", "message"),
    refuses("an object is no list", SHAPE, send("POST", "/v1/messages:texts", "{}"), "INVALID_BODY", "texts"),
    refuses("an object is no integer", SHAPE, send("POST", "/v1/messages:count", "{}"), "INVALID_BODY", "count"),
    refuses("an item", FIELD, send("POST", "/v1/messages:texts", '["a",1]'), "INVALID_BODY", "texts[1]"),
    refuses(
        "below the body's field", FIELD, send("PATCH", "/v1/messages/1", '{"text":1}'), "INVALID_BODY", "message.text"
    ),
    refuses(
        "nothing is smuggled in beside a value",
        FIELD,
        send("POST", "/v1/messages:texts", '["a"],"count":5'),
        "INVALID_BODY",
        "body",
    ),
)
