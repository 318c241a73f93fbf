"""The examples of google/api/http.proto, and the rules that its comments draw from them."""

from tests.gateway.conformance.cases import Case, get, refuses, request, send, takes

PATH, QUERY, BODY, WHOLE = "http.proto: path", "http.proto: query", "http.proto: body", "http.proto: body *"
ADDITIONAL, NO_BODY, CUSTOM = "http.proto: additional_bindings", "http.proto: body omitted", "http.proto: custom"
RESPONSE = "http.proto: response_body"
OVERRIDE = "gateway.md: a path-bound field cannot be overridden"

CASES: tuple[Case, ...] = (
    takes("GET /v1/{name=messages/*}", PATH, get("/v2/messages/123456"), 'GetNamedMessage(name: "messages/123456")'),
    takes(
        "GET /v1/messages/{message_id} and a query",
        QUERY,
        get("/v1/messages/123456?revision=2&sub.subfield=foo"),
        'GetMessage(message_id: "123456" revision: 2 sub { subfield: "foo" })',
    ),
    takes(
        "a nested field in the path of a service config",
        PATH,
        get("/v1/messages/123456/foo"),
        'GetMessage(message_id: "123456" sub { subfield: "foo" })',
    ),
    takes(
        'PATCH with body: "message"',
        BODY,
        send("PATCH", "/v1/messages/123456", '{ "text": "Hi!" }'),
        'UpdateMessage(message_id: "123456" message { text: "Hi!" })',
    ),
    takes(
        "all other fields are the query's",
        BODY,
        send("PATCH", "/v1/messages/123456?notify=true", '{"text":"Hi!"}'),
        'UpdateMessage(message_id: "123456" message { text: "Hi!" } notify: true)',
    ),
    refuses(
        "but not what the body has",
        BODY,
        send("PATCH", "/v1/messages/1?message.text=x", "{}"),
        "UNKNOWN_PARAMETER",
        "message.text",
    ),
    takes(
        'PATCH with body: "*"',
        WHOLE,
        send("PATCH", "/v2/messages/123456", '{ "text": "Hi!" }'),
        'UpdateWholeMessage(message_id: "123456" text: "Hi!")',
        b'{"messageId":"123456","text":"Hi!"}',
    ),
    refuses(
        'no query beside body: "*"', WHOLE, send("PATCH", "/v2/messages/1?text=x", "{}"), "UNKNOWN_PARAMETER", "text"
    ),
    takes("the first binding", ADDITIONAL, get("/v1/messages/123456"), 'GetMessage(message_id: "123456")'),
    takes(
        "the additional one",
        ADDITIONAL,
        get("/v1/users/me/messages/123456"),
        'GetMessage(user_id: "me" message_id: "123456")',
    ),
    takes(
        "what a binding has in its path is a parameter of another",
        ADDITIONAL,
        get("/v1/messages/123456?user_id=me"),
        'GetMessage(user_id: "me" message_id: "123456")',
    ),
    refuses("and not of its own", OVERRIDE, get("/v1/users/me/messages/1?user_id=you"), "UNKNOWN_PARAMETER", "user_id"),
    refuses("by the query", OVERRIDE, get("/v1/messages/1?message_id=2"), "UNKNOWN_PARAMETER", "message_id"),
    refuses("in either spelling", OVERRIDE, get("/v1/messages/1?messageId=2"), "UNKNOWN_PARAMETER", "messageId"),
    refuses(
        "nor a nested one", OVERRIDE, get("/v1/messages/1/foo?sub.subfield=x"), "UNKNOWN_PARAMETER", "sub.subfield"
    ),
    takes(
        "by the body",
        OVERRIDE,
        send("PATCH", "/v2/messages/123456", '{"messageId":"other","text":"Hi!"}'),
        'UpdateWholeMessage(message_id: "123456" text: "Hi!")',
    ),
    takes(
        "by the body's own field",
        OVERRIDE,
        send("PATCH", "/v1/publishers/p/volumes/v?update_mask=title", '{"name":"publishers/x/volumes/y","title":"T"}'),
        'UpdateVolume(volume { name: "publishers/p/volumes/v" title: "T" } update_mask { paths: "title" })',
    ),
    refuses(
        "a body without a rule for one",
        "gateway.md: settled 4",
        send("POST", "/v1/messages:none", "{}"),
        "UNEXPECTED_BODY",
        "body",
    ),
    refuses("a body of a GET", "gateway.md: settled 4", send("GET", "/v1/messages/1", "{}"), "UNEXPECTED_BODY", "body"),
    refuses(
        "a body of a DELETE",
        "gateway.md: settled 4",
        send("DELETE", "/v1/publishers/p/volumes/v", "{}"),
        "UNEXPECTED_BODY",
        "body",
    ),
    takes(
        "all fields are the path's and the query's",
        NO_BODY,
        request("POST", "/v1/messages:none?message.text=a&texts=b&texts=c&count=5&tone=LOUD&notes[k]=v"),
        'SendMessage(message { text: "a" } texts: "b" texts: "c" count: 5 tone: LOUD notes { key: "k" value: "v" })',
    ),
    takes("a length of 0 is no body", NO_BODY, request("POST", "/v1/messages:none", {}, b""), "SendMessage()"),
    takes("PUT", "http.proto: put", send("PUT", "/v1/messages:put", '{"count":1}'), "SendMessage(count: 1)"),
    takes("DELETE", "http.proto: delete", request("DELETE", "/v1/messages:delete?count=1"), "SendMessage(count: 1)"),
    takes("a kind of its own", CUSTOM, request("PURGE", "/v1/messages?count=1"), "SendMessage(count: 1)"),
    takes("HEAD alone", CUSTOM, request("HEAD", "/v1/messages:head?count=1"), "SendMessage(count: 1)"),
    refuses("and GET is not there then", CUSTOM, get("/v1/messages:head"), "METHOD_NOT_ALLOWED", status=405),
    takes("* is any method", CUSTOM, send("LOCK", "/v1/messages:any", '{"count":1}'), "SendMessage(count: 1)"),
    takes("but for one that has a rule", CUSTOM, get("/v1/messages:any?count=2"), "SendMessage(count: 2)"),
    Case(
        "a message",
        RESPONSE,
        send("POST", "/v1/messages:whole", '{"text":"a"}'),
        received='SendMessage(message { text: "a" })',
        answers=('message { text: "b" } count: 1',),
        body=b'{"text":"b"}',
    ),
    Case(
        "a list",
        RESPONSE,
        send("POST", "/v1/messages:texts", '["a","b"]'),
        received='SendMessage(texts: "a" texts: "b")',
        answers=('texts: "c" count: 1',),
        body=b'["c"]',
    ),
    Case(
        "an empty list",
        RESPONSE,
        send("POST", "/v1/messages:texts", "[]"),
        received="SendMessage()",
        body=b"[]",
    ),
    Case(
        "an integer of 64 bits",
        RESPONSE,
        send("POST", "/v1/messages:count", '"5"'),
        received="SendMessage(count: 5)",
        answers=("count: 9007199254740993",),
        body=b'"9007199254740993"',
    ),
    Case(
        "an enum",
        RESPONSE,
        send("POST", "/v1/messages:tone", '"LOUD"'),
        received="SendMessage(tone: LOUD)",
        answers=("tone: CALM",),
        body=b'"CALM"',
    ),
    Case(
        "a map",
        RESPONSE,
        send("POST", "/v1/messages:notes", '{"a":"b"}'),
        received='SendMessage(notes { key: "a" value: "b" })',
        answers=('notes { key: "c" value: "d" }',),
        body=b'{"c":"d"}',
    ),
    Case(
        "messages",
        "http.proto: JSON array",
        send("POST", "/v1/messages:history", '[{"text":"a"},{}]'),
        received='SendMessage(history { text: "a" } history {})',
        answers=('history { text: "b" } history {}',),
        body=b'[{"text":"b"},{}]',
    ),
    refuses(
        "no map below the body",
        BODY,
        send("POST", "/v1/publishers/p/volumes?volume.facts[a]=b", "{}"),
        "UNKNOWN_PARAMETER",
        "volume.facts[a]",
    ),
    refuses(
        "nor what is nested",
        WHOLE,
        send("POST", "/v1/messages?message.text=x", "{}"),
        "UNKNOWN_PARAMETER",
        "message.text",
    ),
    takes(
        "a query beside a path in one message",
        QUERY,
        get("/t/nested/n/7?part.number=3&part.part.name=x"),
        'Nested(part { name: "n" number: 3 part { name: "x" number: 7 } })',
    ),
    Case(
        "a message that is unset",
        RESPONSE,
        send("POST", "/v1/messages:whole", "{}"),
        received="SendMessage(message {})",
        body=b"null",
    ),
    Case("a number that is unset", RESPONSE, send("POST", "/v1/messages:count", "0"), body=b'"0"'),
    Case("an enum that is unset", RESPONSE, send("POST", "/v1/messages:tone", "null"), body=b'"TONE_UNSPECIFIED"'),
)
