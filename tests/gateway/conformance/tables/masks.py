"""Field masks of updates: AIP-134, with the mask of a PATCH taken from the body's own keys."""

from tests.gateway.conformance.cases import Case, refuses, request, send, takes

KEYS, EXPLICIT, SKIPPED = "gateway.md: mask from the body's keys", "AIP-134: update_mask", "AIP-203: OUTPUT_ONLY"
VOLUME = "/v1/publishers/p/volumes/v"


def changes(id: str, source: str, json: str, volume: str, *paths: str) -> Case:
    """A PATCH whose mask is made of its body."""
    mask = "update_mask { " + " ".join(f'paths: "{path}"' for path in paths) + " }" if paths else ""
    received = f'UpdateVolume(volume {{ name: "publishers/p/volumes/v" {volume} }} {mask})'
    return takes(id, source, send("PATCH", VOLUME, json), received)


def masked(id: str, source: str, query: str, *paths: str) -> Case:
    """A PATCH of a title that says its mask itself."""
    mask = " ".join(f'paths: "{path}"' for path in paths)
    received = f'UpdateVolume(volume {{ name: "publishers/p/volumes/v" title: "T" }} update_mask {{ {mask} }})'
    return takes(id, source, send("PATCH", f"{VOLUME}?{query}", '{"title":"T"}'), received)


CASES: tuple[Case, ...] = (
    changes("a key", KEYS, '{"title":"T"}', 'title: "T"', "title"),
    changes(
        "two keys, in their order",
        KEYS,
        '{"pageCount":5,"title":"T"}',
        'title: "T" page_count: 5',
        "page_count",
        "title",
    ),
    changes("a key in its original name", KEYS, '{"page_count":5}', "page_count: 5", "page_count"),
    changes("a default is a change", KEYS, '{"pageCount":0}', "", "page_count"),
    changes("null clears", KEYS, '{"title":null}', "", "title"),
    changes("null clears a message", KEYS, '{"writer":null}', "", "writer"),
    changes(
        "below a message, its keys",
        KEYS,
        '{"writer":{"displayName":"J"}}',
        'writer { display_name: "J" }',
        "writer.display_name",
    ),
    changes(
        "at any depth",
        KEYS,
        '{"writer":{"origin":{"country":"C"}}}',
        'writer { origin { country: "C" } }',
        "writer.origin.country",
    ),
    changes("an empty message is whole", KEYS, '{"writer":{}}', "writer {}", "writer"),
    changes(
        "a list is whole",
        "AIP-161: repeated fields",
        '{"subjects":["a","b"]}',
        'subjects: "a" subjects: "b"',
        "subjects",
    ),
    changes("a map is whole", "AIP-161: map fields", '{"facts":{"a":"b"}}', 'facts { key: "a" value: "b" }', "facts"),
    changes(
        "a well-known type is whole",
        KEYS,
        '{"printTime":"1970-01-01T00:00:01Z"}',
        "print_time { seconds: 1 }",
        "print_time",
    ),
    changes(
        "the name in the path is no change",
        KEYS,
        '{"name":"publishers/p/volumes/v","title":"T"}',
        'title: "T"',
        "title",
    ),
    changes(
        "what only the service sets is no change",
        SKIPPED,
        '{"createTime":"1970-01-01T00:00:01Z","title":"T"}',
        'title: "T" create_time { seconds: 1 }',
        "title",
    ),
    changes("no key, no mask", KEYS, "{}", ""),
    takes(
        "no body, no mask", KEYS, request("PATCH", VOLUME), 'UpdateVolume(volume { name: "publishers/p/volumes/v" })'
    ),
    masked("an explicit mask wins", EXPLICIT, "update_mask=page_count", "page_count"),
    masked(
        "in camelCase",
        "ProtoJSON: FieldMask",
        "updateMask=pageCount,writer.displayName",
        "page_count",
        "writer.display_name",
    ),
    masked("* replaces all", EXPLICIT, "update_mask=*", "*"),
    takes(
        "beside other parameters",
        "AIP-134: allow_missing",
        send("PATCH", f"{VOLUME}?allow_missing=true", '{"title":"T"}'),
        'UpdateVolume(volume { name: "publishers/p/volumes/v" title: "T" } update_mask { paths: "title" } '
        "allow_missing: true)",
    ),
    takes(
        "a PATCH without a mask in its contract has none",
        "AIP-134: update_mask",
        send("PATCH", "/v1/messages/1", '{"text":"a"}'),
        'UpdateMessage(message_id: "1" message { text: "a" })',
    ),
    refuses(
        "what is no path",
        EXPLICIT,
        send("PATCH", f"{VOLUME}?update_mask=a-b", "{}"),
        "INVALID_PARAMETER",
        "update_mask",
    ),
    refuses(
        "a path with a hole",
        EXPLICIT,
        send("PATCH", f"{VOLUME}?update_mask=title,,pages", "{}"),
        "INVALID_PARAMETER",
        "update_mask",
    ),
    refuses(
        "a key that is no field",
        "gateway.md: unknown JSON fields",
        send("PATCH", VOLUME, '{"titel":"T"}'),
        "INVALID_BODY",
        "volume.titel",
    ),
    takes(
        "with no key, and an etag",
        KEYS,
        send("PATCH", f"{VOLUME}?etag=5", "{}"),
        'UpdateVolume(volume { name: "publishers/p/volumes/v" } etag: "5")',
    ),
    changes(
        "all keys below a message",
        KEYS,
        '{"writer":{"display_name":"J","origin":{}}}',
        'writer { display_name: "J" origin {} }',
        "writer.display_name",
        "writer.origin",
    ),
)
