"""HEAD, OPTIONS, and a method that no header changes."""

from tests.gateway.conformance.cases import Case, Fails, finds_nothing, get, refuses, request

HEAD, OPTIONS, OVERRIDE = "gateway.md: settled 6", "RFC 9110: OPTIONS", "gateway.md: method override"
VOLUME = "/v1/publishers/p/volumes/v"


def allows(id: str, target: str, allow: str) -> Case:
    """What a path has."""
    return Case(id, OPTIONS, request("OPTIONS", target), 204, "", body=b"", headers={"allow": allow})


def overrides(id: str, header: str) -> Case:
    """A header by which other gateways change a method, past whoever guards it."""
    return refuses(id, OVERRIDE, request("POST", VOLUME, {header: "DELETE"}), "METHOD_NOT_ALLOWED", status=405)


CASES: tuple[Case, ...] = (
    Case(
        "HEAD is GET without its body",
        HEAD,
        request("HEAD", "/t/one/abc"),
        200,
        'One(name: "abc")',
        b"",
        headers={"content-type": "application/json", "content-length": "14"},
    ),
    Case(
        "the same in GET",
        HEAD,
        get("/t/one/abc"),
        200,
        'One(name: "abc")',
        b'{"name":"abc"}',
        headers={"content-type": "application/json", "content-length": "14"},
    ),
    Case(
        "of what is not there",
        HEAD,
        request("HEAD", "/t/one/abc"),
        404,
        body=b"",
        fails=Fails("NOT_FOUND"),
        headers={"content-type": "application/json"},
    ),
    Case("of what has no GET", HEAD, request("HEAD", "/v1/messages:none"), 405, "", headers={"allow": "OPTIONS, POST"}),
    allows("several methods", VOLUME, "DELETE, GET, HEAD, OPTIONS, PATCH"),
    allows("a verb", f"{VOLUME}:archive", "OPTIONS, POST"),
    allows("a method of its own", "/v1/messages", "OPTIONS, POST, PURGE"),
    finds_nothing("nothing", OPTIONS, request("OPTIONS", "/nowhere")),
    overrides("X-HTTP-Method-Override", "x-http-method-override"),
    overrides("X-HTTP-Method", "x-http-method"),
    overrides("X-Method-Override", "x-method-override"),
    refuses("_method", OVERRIDE, request("POST", f"{VOLUME}?_method=DELETE"), "METHOD_NOT_ALLOWED", status=405),
    finds_nothing("nothing below", OPTIONS, request("OPTIONS", f"{VOLUME}/x")),
)
