"""The option to ignore what the contract does not have; the gateway of these cases has it."""

from tests.gateway.conformance.cases import Case, get, refuses, send, takes

IGNORED = "gateway.md: option to ignore unknown names"
SETTINGS = {"ignore_unknown": True}


def reads(id: str, json: str, received: str) -> Case:
    """A body of which some is ignored."""
    return takes(id, IGNORED, send("POST", "/json", json), f"Echo({received})")


CASES: tuple[Case, ...] = (
    takes("a parameter", IGNORED, get("/query?nope=1&text=a"), 'Echo(text: "a")'),
    takes("a parameter below a message", IGNORED, get("/query?held.nope=1"), "Echo()"),
    takes("an entry of no map", IGNORED, get("/query?nope[a]=1"), "Echo()"),
    takes("a parameter beside a whole body", IGNORED, send("POST", "/json?nope=1", "{}"), "Echo()"),
    takes(
        "a parameter for what the path binds",
        IGNORED,
        get("/v1/messages/1?message_id=2"),
        'GetMessage(message_id: "1")',
    ),
    refuses("no parameter's value", IGNORED, get("/query?an_int32=x"), "INVALID_PARAMETER", "an_int32"),
    reads("a field", '{"nope":1,"text":"a"}', 'text: "a"'),
    reads("a field of any shape", '{"nope":{"a":[1,{"b":null}]},"text":"a"}', 'text: "a"'),
    reads(
        "below messages, lists and maps",
        '{"held":{"nope":1},"helds":[{"nope":1}],"heldsByName":{"a":{"nope":1}}}',
        'held {} helds {} helds_by_name { key: "a" value {} }',
    ),
    reads(
        "and free JSON keeps all",
        '{"nope":1,"struct":{"nope":"b"}}',
        'struct { fields { key: "nope" value { string_value: "b" } } }',
    ),
    takes(
        "and an update's mask does not have it",
        IGNORED,
        send("PATCH", "/v1/publishers/p/volumes/v", '{"nope":1,"title":"T"}'),
        'UpdateVolume(volume { name: "publishers/p/volumes/v" title: "T" } update_mask { paths: "title" })',
    ),
    refuses(
        "no unknown name of an enum",
        IGNORED,
        send("POST", "/json", '{"nope":1,"shade":"PINK"}'),
        "INVALID_BODY",
        "shade",
    ),
    refuses(
        "no value of another kind",
        IGNORED,
        send("POST", "/json", '{"nope":1,"anInt32":"x"}'),
        "INVALID_BODY",
        "anInt32",
    ),
    refuses("no broken JSON", IGNORED, send("POST", "/json", '{"nope":}'), "INVALID_BODY", "body"),
)
