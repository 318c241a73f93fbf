"""Errors as clients see them: AIP-193."""

from tests.gateway.conformance.cases import Case, Fails, get, refuses, send

SHAPE, INFO, DETAILS, TEXT = (
    "AIP-193: error model",
    "AIP-193: ErrorInfo",
    "AIP-193: details",
    "gateway.md: untyped errors",
)
VIOLATIONS = "AIP-193: BadRequest"
TARGET = "/t/things"
_TYPE = "type.googleapis.com"


def fails(id: str, source: str, how: Fails, status: int, body: bytes) -> Case:
    """An error of the service, and the client's whole view of it."""
    return Case(id, source, get(TARGET), status, body=body, fails=how, headers={"content-type": "application/json"})


CASES: tuple[Case, ...] = (
    fails(
        "code, status, message, details",
        SHAPE,
        Fails("NOT_FOUND", "no such place"),
        404,
        b'{"error": {"code": 404, "status": "NOT_FOUND", "message": "no such place", "details": []}}',
    ),
    fails(
        "messages are UTF-8",
        SHAPE,
        Fails("NOT_FOUND", 'no "ü"'),
        404,
        '{"error": {"code": 404, "status": "NOT_FOUND", "message": "no \\"ü\\"", "details": []}}'.encode(),
    ),
    fails(
        "ErrorInfo",
        INFO,
        Fails(
            "PERMISSION_DENIED",
            "no",
            (f'[{_TYPE}/google.rpc.ErrorInfo] {{ reason: "CLOSED" domain: "d" metadata {{ key: "a" value: "b" }} }}',),
        ),
        403,
        b'{"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no", "details": [{"@type": '
        b'"type.googleapis.com/google.rpc.ErrorInfo", "reason": "CLOSED", "domain": "d", "metadata": {"a": "b"}}]}}',
    ),
    fails(
        "BadRequest",
        VIOLATIONS,
        Fails(
            "INVALID_ARGUMENT",
            "no",
            (f'[{_TYPE}/google.rpc.BadRequest] {{ field_violations {{ field: "a.name" description: "too long" }} }}',),
        ),
        400,
        b'{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "no", "details": [{"@type": '
        b'"type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "a.name", '
        b'"description": "too long"}]}]}}',
    ),
    fails(
        "LocalizedMessage and Help",
        DETAILS,
        Fails(
            "NOT_FOUND",
            "no",
            (
                f'[{_TYPE}/google.rpc.LocalizedMessage] {{ locale: "de" message: "nein" }}',
                f'[{_TYPE}/google.rpc.Help] {{ links {{ url: "https://e.example" }} }}',
            ),
        ),
        404,
        b'{"error": {"code": 404, "status": "NOT_FOUND", "message": "no", "details": [{"@type": '
        b'"type.googleapis.com/google.rpc.LocalizedMessage", "locale": "de", "message": "nein"}, {"@type": '
        b'"type.googleapis.com/google.rpc.Help", "links": [{"url": "https://e.example"}]}]}}',
    ),
    fails(
        "a detail of the contract's own type",
        DETAILS,
        Fails("ABORTED", "no", (f'[{_TYPE}/test.conformance.v1.Place] {{ name: "a" }}',)),
        409,
        b'{"error": {"code": 409, "status": "ABORTED", "message": "no", "details": [{"@type": '
        b'"type.googleapis.com/test.conformance.v1.Place", "name": "a"}]}}',
    ),
    fails(
        "a detail of an unknown type is kept",
        DETAILS,
        Fails("ABORTED", "no", (f'type_url: "{_TYPE}/else.Where" value: "\\000\\001"',)),
        409,
        b'{"error": {"code": 409, "status": "ABORTED", "message": "no", "details": [{"@type": '
        b'"type.googleapis.com/else.Where", "value": "AAE="}]}}',
    ),
    Case(
        "a code and a text get a reason",
        TEXT,
        get(TARGET),
        404,
        fails=Fails("NOT_FOUND", "no place", typed=False),
        reason="NOT_FOUND",
        message="no place",
    ),
    Case(
        "a text that is no refusal is kept back",
        TEXT,
        get(TARGET),
        500,
        fails=Fails("UNKNOWN", "postgresql://user:password@db", typed=False),
        reason="UNKNOWN",
        message="The service failed.",
    ),
    Case(
        "so is a connection's",
        TEXT,
        get(TARGET),
        503,
        fails=Fails("UNAVAILABLE", "failed to connect to 10.0.0.1", typed=False),
        reason="UNAVAILABLE",
        message="The service does not answer; try again.",
    ),
    Case(
        "an answer that is no message",
        TEXT,
        get(TARGET),
        500,
        answers=(b"\xff secret",),
        reason="INTERNAL",
        message="The gateway failed.",
    ),
    Case(
        "an answer that JSON has no form for",
        "ProtoJSON: Any",
        get("/query"),
        500,
        answers=(f'any {{ type_url: "{_TYPE}/else.Where" value: "a" }}',),
        reason="UNREADABLE_ANSWER",
        message="else.Where",
    ),
    refuses("of the gateway itself", VIOLATIONS, get(f"{TARGET}?nope=1"), "UNKNOWN_PARAMETER", "nope"),
    refuses(
        "of its codec",
        VIOLATIONS,
        send("POST", "/json", '{"anInt32":"x"}'),
        "INVALID_BODY",
        "anInt32",
        message='anInt32: expected an integer, got "x"',
    ),
    fails(
        "RetryInfo",
        DETAILS,
        Fails("ABORTED", "no", (f"[{_TYPE}/google.rpc.RetryInfo] {{ retry_delay {{ seconds: 5 }} }}",)),
        409,
        b'{"error": {"code": 409, "status": "ABORTED", "message": "no", "details": [{"@type": '
        b'"type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "5s"}]}}',
    ),
)
