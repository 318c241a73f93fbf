"""What schemathesis must know of this API that its document does not say. Loaded by schemathesis, not by pytest."""

from typing import Any, cast

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi import checks

# The package's own annotations lack arguments of its generic types.
Case = Any
_untyped_checks: Any = checks
_untyped_package: Any = schemathesis
_LONG_ENOUGH = "1200m"


@_untyped_package.hook
def before_call(context: schemathesis.HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """A stream of a live event would never end: it gets a deadline that it reaches after it has begun."""
    if case.operation.path.endswith(":watch"):
        case.headers["Grpc-Timeout"] = _LONG_ENOUGH


@schemathesis.check
def wrong_requests_are_refused(ctx: schemathesis.CheckContext, response: schemathesis.Response, case: Case) -> None:
    """Schemathesis' own check, but for the freedoms of ProtoJSON that a JSON Schema better leaves unsaid."""
    try:
        _untyped_checks.negative_data_rejection(ctx, response, case)
    except Failure:
        if not _takes_a_freedom(case):
            raise


@schemathesis.check
def a_token_is_required(ctx: schemathesis.CheckContext, response: schemathesis.Response, case: Case) -> None:
    """Schemathesis' own check, but where the token was sent all the same, or a header contradicts the body, which is
    said before anybody is asked for a token."""
    try:
        _untyped_checks.missing_required_header(ctx, response, case)
    except Failure:
        if "Authorization" not in response.request.headers and "CONTRADICTORY_HEADER" not in response.text:
            raise


@schemathesis.check
def examples_are_accepted(ctx: schemathesis.CheckContext, response: schemathesis.Response, case: Case) -> None:
    """What the document shows is a right request, though it may be about nothing that there is."""
    is_example = case.meta is not None and case.meta.phase.name == "examples"
    assert not is_example or "INVALID_ARGUMENT" not in response.text, "the example is refused"


def _takes_a_freedom(case: Case) -> bool:
    """Null and empty stand for unset, an enum's value may be given by its number, and a request id in the request makes
    the header that would set it idle."""
    query: dict[str, Any] = dict(case.query)
    sent: object = case.body
    body = cast("dict[str, Any]", sent) if isinstance(sent, dict) else {}
    unset = any(value in (None, "") for value in [*query.values(), *body.values()])
    idle_header = "Idempotency-Key" in case.headers and "requestId" in {**query, **body}
    return unset or idle_header or any(str(value).isdecimal() for value in query.values())
