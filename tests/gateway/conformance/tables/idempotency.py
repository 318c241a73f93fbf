"""Idempotency-Key becomes the request_id of AIP-155."""

from tests.gateway.conformance.cases import Case, refuses, request, send

KEY = "AIP-155: request_id"
VOLUMES = "/v1/publishers/p/volumes"


def creates(id: str, target: str, key: str, request_id: str) -> Case:
    """A creation with an Idempotency-Key."""
    received = f'CreateVolume(parent: "publishers/p" volume {{ title: "T" }} request_id: "{request_id}")'
    return Case(id, KEY, send("POST", target, '{"title":"T"}', idempotency_key=key), 201, received)


CASES: tuple[Case, ...] = (
    creates("a key", VOLUMES, "9f1c", "9f1c"),
    creates("a key in quotes, as the header's draft has it", VOLUMES, '"9f1c"', "9f1c"),
    creates("that is the request's own", f"{VOLUMES}?request_id=9f1c", "9f1c", "9f1c"),
    refuses(
        "that differs from the request's own",
        KEY,
        send("POST", f"{VOLUMES}?request_id=own", "{}", idempotency_key="9f1c"),
        "CONTRADICTORY_HEADER",
        "idempotency-key",
        "requestId",
    ),
    Case(
        "a request_id without a header",
        KEY,
        send("POST", f"{VOLUMES}?requestId=own", "{}"),
        201,
        'CreateVolume(parent: "publishers/p" volume {} request_id: "own")',
    ),
    Case(
        "of a deletion",
        KEY,
        request("DELETE", f"{VOLUMES}/v", {"idempotency-key": "k"}),
        204,
        'DeleteVolume(name: "publishers/p/volumes/v" request_id: "k")',
    ),
    Case(
        "of a method without a request_id",
        KEY,
        send("POST", f"{VOLUMES}/v:archive", "{}", idempotency_key="k"),
        200,
        'ArchiveVolume(name: "publishers/p/volumes/v")',
    ),
    refuses(
        "two keys", KEY, send("POST", VOLUMES, "{}", idempotency_key='"a", "b"'), "INVALID_HEADER", "idempotency-key"
    ),
    refuses("an empty key", KEY, send("POST", VOLUMES, "{}", idempotency_key=""), "INVALID_HEADER", "idempotency-key"),
    refuses(
        "an empty key in quotes",
        KEY,
        send("POST", VOLUMES, "{}", idempotency_key='""'),
        "INVALID_HEADER",
        "idempotency-key",
    ),
    creates("that is the request's own, in quotes", f"{VOLUMES}?request_id=9f1c", '"9f1c"', "9f1c"),
    *(
        refuses(
            f"{key!r} beside another",
            KEY,
            send("POST", f"{VOLUMES}?request_id=own", "{}", idempotency_key=key),
            "CONTRADICTORY_HEADER",
            "idempotency-key",
            "requestId",
            message="idempotency-key: differs from requestId of the request",
        )
        for key in ('"9f1c"', "OWN", "*")
    ),
)
