"""gRPC codes and their HTTP statuses: the comments of google/rpc/code.proto, and gateway.md settled 5 and 6."""

from tests.gateway.conformance.cases import ABSENT, Case, Fails, get

CODES, RETRY, CHALLENGE = "code.proto: HTTP mapping", "gateway.md: settled 5", "RFC 9110: WWW-Authenticate"
CONFLICTS = "gateway.md: settled 6"
_STATUSES = {
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429,
    "FAILED_PRECONDITION": 400,
    "ABORTED": 409,
    "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
_RETRY_INFO = "[type.googleapis.com/google.rpc.RetryInfo] {{ retry_delay {{ seconds: {} nanos: {} }} }}"


def maps(code: str, status: int, source: str = CODES) -> Case:
    """A code with its status."""
    body = f'{{"error": {{"code": {status}, "status": "{code}", "message": "why", "details": []}}}}'
    return Case(code, source, get("/t/things"), status, body=body.encode(), fails=Fails(code))


def retries(id: str, code: str, status: int, seconds: str | None, *details: str) -> Case:
    """When to come back."""
    return Case(
        id, RETRY, get("/t/things"), status, fails=Fails(code, details=details), headers={"retry-after": seconds}
    )


CASES: tuple[Case, ...] = (
    *(maps(code, status) for code, status in _STATUSES.items()),
    *(maps(code, _STATUSES[code], CONFLICTS) for code in ("FAILED_PRECONDITION", "ABORTED", "ALREADY_EXISTS")),
    retries("a service that is away", "UNAVAILABLE", 503, "1"),
    retries("one that has enough", "RESOURCE_EXHAUSTED", 429, "1"),
    retries("RetryInfo, rounded up", "UNAVAILABLE", 503, "3", _RETRY_INFO.format(2, 500_000_000)),
    retries("never at once", "UNAVAILABLE", 503, "1", _RETRY_INFO.format(0, 1)),
    retries("of another code", "ABORTED", 409, "5", _RETRY_INFO.format(5, 0)),
    retries("others say nothing", "INTERNAL", 500, ABSENT),
    Case(
        "who?", CHALLENGE, get("/t/things"), 401, fails=Fails("UNAUTHENTICATED"), headers={"www-authenticate": "Bearer"}
    ),
    Case(
        "not you",
        CHALLENGE,
        get("/t/things", authorization="Bearer x"),
        401,
        fails=Fails("UNAUTHENTICATED"),
        headers={"www-authenticate": 'Bearer error="invalid_token"'},
    ),
)
