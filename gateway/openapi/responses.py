"""The responses of an operation: what it answers when all is well, and every error that can occur."""

from typing import Any

from sagamesh.mesh.v1 import policy_pb2

from gateway.binding import cursor_of, message_of
from gateway.contract import Contract, Rpc
from gateway.openapi.examples import Examples
from gateway.openapi.schemas import Schema, Schemas
from gateway.replies import EMPTY, RawRenderer
from gateway.routes import Route
from mesh.codec import field_named

Responses = dict[str, Any]

_ERRORS = {
    400: ("InvalidRequest", "The request is not valid, or the present state forbids it.", "INVALID_ARGUMENT"),
    401: ("Unauthenticated", "A valid bearer token is required.", "UNAUTHENTICATED"),
    403: ("PermissionDenied", "The caller may not do this.", "PERMISSION_DENIED"),
    404: ("NotFound", "There is no such thing, or it is not the caller's to see.", "NOT_FOUND"),
    409: ("Conflict", "It exists already, or somebody else has changed it.", "ABORTED"),
    413: ("BodyTooLarge", "The body is larger than the gateway takes.", "INVALID_ARGUMENT"),
    415: ("UnsupportedMediaType", "The body is not application/json.", "INVALID_ARGUMENT"),
    429: ("TooManyRequests", "Too much at once; try again after Retry-After.", "RESOURCE_EXHAUSTED"),
    500: ("InternalError", "The service failed.", "INTERNAL"),
    501: ("NotImplemented", "The service does not have this rpc yet.", "UNIMPLEMENTED"),
    503: ("Unavailable", "The service does not answer; try again after Retry-After.", "UNAVAILABLE"),
    504: ("DeadlineExceeded", "The call did not end within its deadline.", "DEADLINE_EXCEEDED"),
}
_TEXT: Schema = {"schema": {"type": "string"}}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
_HEADERS = {401: {"WWW-Authenticate": _TEXT}, 409: _RETRY_AFTER, 429: _RETRY_AFTER, 503: _RETRY_AFTER}

ERROR_SCHEMA: Schema = {
    "type": "object",
    "description": "An error (AIP-193).",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "status", "message", "details"],
            "properties": {
                "code": {"type": "integer", "description": "The HTTP status."},
                "status": {"type": "string", "description": "Name of the google.rpc.Code."},
                "message": {"type": "string", "description": "A sentence for developers."},
                "details": {
                    "type": "array",
                    "description": "google.rpc.ErrorInfo with a reason for machines; google.rpc.BadRequest with the "
                    "fields at fault; google.rpc.RetryInfo.",
                    "items": {
                        "type": "object",
                        "required": ["@type"],
                        "properties": {"@type": {"type": "string"}},
                    },
                },
            },
        }
    },
}


def error_components() -> Responses:
    """Every error response, by name."""
    return {name: _error_component(status, text, code) for status, (name, text, code) in _ERRORS.items()}


def responses_of(
    contract: Contract, schemas: Schemas, examples: Examples, route: Route, *, by_cookie: bool
) -> Responses:
    """All responses of a route by status. `by_cookie`: a page's Origin may be refused, where anybody may call too."""
    form = _stream if route.rpc.server_streaming else _unary
    responses = _raw(route) or form(contract, schemas, examples, route)
    for status in _error_statuses(route.rpc, has_body=bool(route.rule.body), by_cookie=by_cookie):
        responses[str(status)] = {"$ref": f"#/components/responses/{_ERRORS[status][0]}"}
    return responses


def _raw(route: Route) -> Responses | None:
    if not isinstance(route.renderer, RawRenderer):
        return None
    return {"200": {"description": "Bytes of the type that the service says.", "content": {"*/*": {"schema": {}}}}}


def _unary(contract: Contract, schemas: Schemas, examples: Examples, route: Route) -> Responses:
    rpc = route.rpc
    if rpc.response == EMPTY:
        return {"204": {"description": "Done."}}
    message = message_of(contract, rpc.response)
    field = field_named(message, route.rule.response_body) if route.rule.response_body else None
    schema = schemas.of_field(field) if field is not None else schemas.of_message(message)
    example = examples.of_field(field, request=False) if field else examples.of_message(message, request=False)
    has_location = rpc.policy is not None and bool(rpc.policy.location)
    response: dict[str, Any] = {
        "description": contract.comments.get(rpc.response, "Done.").partition("\n\n")[0],
        "content": {"application/json": {"schema": schema, "example": example}},
    }
    headers: dict[str, Any] = {"Location": _TEXT} if has_location else {}
    responses: Responses = {"201" if has_location else "200": response}
    if field_named(message, "etag") is not None:
        headers["ETag"] = _TEXT
        if route.rule.verb == "GET":
            responses["304"] = {"description": "Not changed since the version that If-None-Match names."}
    if headers:
        response["headers"] = headers
    return responses


def _stream(contract: Contract, schemas: Schemas, examples: Examples, route: Route) -> Responses:
    message = message_of(contract, route.rpc.response)
    schema = schemas.of_message(message)
    example = examples.of_message(message, request=False)
    item = f"Each one is a {message.name}; an error that ends the stream is the last."
    event_id = "Their ids resume the stream by Last-Event-ID. " if cursor_of(contract, route.rpc) is not None else ""
    events = {"type": "string", "description": f"Server-Sent Events. {event_id}{item}"}
    lines = {"type": "string", "description": f"A JSON text a line. {item}"}
    return {
        "200": {
            "description": "A stream, in the form that Accept asks for.",
            "content": {
                "text/event-stream": {"schema": events},
                "application/x-ndjson": {"schema": lines},
                "application/json": {"schema": {"type": "array", "items": schema}, "example": [example]},
            },
        }
    }


def _error_statuses(rpc: Rpc, *, has_body: bool, by_cookie: bool) -> list[int]:
    policy = rpc.policy
    left_out: set[int] = set()
    if policy is not None and policy.access.anonymous and not by_cookie:
        left_out.add(403)
    if policy is not None and policy.idempotency == policy_pb2.READ_ONLY:
        left_out.add(409)
    if not has_body:
        left_out |= {413, 415}
    return [status for status in _ERRORS if status not in left_out]


def _error_component(status: int, text: str, code: str) -> Responses:
    details: list[Schema] = []
    example = {"error": {"code": status, "status": code, "message": text, "details": details}}
    content: Schema = {"schema": {"$ref": "#/components/schemas/Error"}, "example": example}
    component: Responses = {"description": text, "content": {"application/json": content}}
    if status in _HEADERS:
        component["headers"] = _HEADERS[status]
    return component
