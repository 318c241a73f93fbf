"""201 with a Location where the contract says so, and 204 for what is empty."""

from tests.gateway.conformance.cases import Case, Fails, request, send

CREATED, EMPTY = "gateway.md: 201 and Location", "gateway.md: Empty is 204"
FAULTS, VOLUMES = "/v1/faults", "/v1/publishers/p/volumes"


def creates(id: str, answer: str, location: str | None, target: str = FAULTS) -> Case:
    """A creation, and where what it created is."""
    return Case(id, CREATED, send("POST", target, "{}"), 201, answers=(answer,), headers={"location": location})


CASES: tuple[Case, ...] = (
    creates("an id", 'fault_id: "f1"', "/v1/faults/f1"),
    creates("an id with reserved characters", 'fault_id: "a/b c:d"', "/v1/faults/a%2Fb%20c%3Ad"),
    creates("an id in UTF-8", 'fault_id: "ü"', "/v1/faults/%C3%BC"),
    creates("no id", 'text: "t"', None),
    creates("a name of several segments", 'name: "publishers/p/volumes/v"', "/v1/publishers/p/volumes/v", VOLUMES),
    creates("with reserved characters", 'name: "publishers/p/volumes/a b"', "/v1/publishers/p/volumes/a%20b", VOLUMES),
    Case(
        "the body is the resource",
        CREATED,
        send("POST", FAULTS, "{}"),
        201,
        answers=('fault_id: "f1" text: "t"',),
        body=b'{"faultId":"f1","text":"t"}',
        headers={"content-type": "application/json"},
    ),
    Case(
        "what fails is not created",
        CREATED,
        send("POST", FAULTS, "{}"),
        409,
        fails=Fails("ALREADY_EXISTS"),
        headers={"location": None},
    ),
    Case(
        "without a body, a type, a length",
        EMPTY,
        request("DELETE", f"{VOLUMES}/v"),
        204,
        body=b"",
        headers={"content-type": None, "content-length": None},
    ),
    Case("whatever unknown fields it has", EMPTY, request("DELETE", f"{VOLUMES}/v"), 204, answers=(b"\x08\x01",)),
    Case(
        "what is created has its etag",
        CREATED,
        send("POST", VOLUMES, "{}", if_none_match='"1"'),
        201,
        answers=('etag: "1"',),
        headers={"etag": '"1"'},
    ),
)
