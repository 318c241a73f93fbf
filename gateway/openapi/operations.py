"""One route as an OpenAPI operation: parameters, body, responses, who may call."""

from collections.abc import Collection, Iterator
from typing import Any

from protobuf import DescField, DescFieldValueMap, DescFieldValueMessage, DescMessage

from gateway.binding import message_of
from gateway.contract import Contract
from gateway.fields import field_chain
from gateway.openapi.examples import Examples
from gateway.openapi.paths import parameters_of
from gateway.openapi.responses import responses_of
from gateway.openapi.schemas import Schema, Schemas
from gateway.routes import Route
from gateway.texts import parser_of
from mesh.codec import element_of, field_named

Operation = dict[str, Any]
Parameter = dict[str, Any]

_MAX_QUERY_DEPTH = 3
_HEADER_PARAMETERS = {
    b"if-match": ("If-Match", "The ETag that the caller has; the call is refused when it is not current."),
    b"idempotency-key": ("Idempotency-Key", "A UUID by which a repeated request gets the first answer."),
    b"last-event-id": ("Last-Event-ID", "The id of the last event that the caller has."),
}


class Operations:
    """Describes routes; the messages that they refer to gather in `schemas`."""

    def __init__(
        self,
        contract: Contract,
        schemas: Schemas,
        examples: Examples,
        security_schemes: tuple[str, ...],
        sockets: Collection[Route],
    ) -> None:
        """Each of the `security_schemes` alone identifies a caller; `sockets` are the routes that WebSockets find."""
        self._security_schemes = security_schemes
        self._sockets = sockets
        self._contract = contract
        self._schemas = schemas
        self._examples = examples

    def of_route(self, route: Route, names: list[str], operation_id: str) -> Operation:
        """`names` are those that the document's path gives to its parameters, in order."""
        rpc = route.rpc
        comment = self._contract.comments.get(rpc.full_name, "")
        operation: Operation = {
            "operationId": operation_id,
            "tags": [rpc.service.rpartition(".")[2]],
            "summary": comment.partition(". ")[0].replace("\n", " ").rstrip("."),
            "description": " ".join(
                filter(None, [comment, self._access_in_words(route), self._socket_in_words(route)])
            ),
            "parameters": [*self._path(route, names), *self._query(route), *self._headers(route)],
            "responses": responses_of(
                self._contract, self._schemas, self._examples, route, by_cookie="cookie" in self._security_schemes
            ),
        }
        if route.rule.body:
            operation["requestBody"] = self._body(route)
        if (security := self._security(route)) is not None:
            operation["security"] = security
        return operation

    def _path(self, route: Route, names: list[str]) -> Iterator[Parameter]:
        request = message_of(self._contract, route.rpc.request)
        for parameter, name in zip(parameters_of(route.template), names, strict=True):
            schema: Schema = {"type": "string"}
            if parameter.variable is not None:
                schema = self._schemas.of_field(field_chain(request, parameter.variable.field_path)[-1])
                schema.pop("readOnly", None)
            if schema.get("type") == "string" and "minLength" not in schema and "enum" not in schema:
                schema["minLength"] = 1
            yield _parameter("path", name, schema, required=True)

    def _query(self, route: Route) -> Iterator[Parameter]:
        if route.rule.body == "*":
            return
        request = message_of(self._contract, route.rpc.request)
        taken = {variable.field.path for variable in route.binder.path} | {route.rule.body}
        yield from self._query_of(request, taken, "", "", (request.type_name,))

    def _query_of(
        self, message: DescMessage, taken: set[str], path: str, name: str, above: tuple[str, ...]
    ) -> Iterator[Parameter]:
        for field in message.fields:
            field_path, field_name = f"{path}{field.name}", f"{name}{field.json_name}"
            if field_path in taken:
                continue
            if isinstance(field.value, DescFieldValueMap):
                yield from self._entries(field, field_name)
            elif parser_of(element_of(field)) is not None:
                schema = self._schemas.of_field(field)
                yield _parameter("query", field_name, schema, required=not path and self._schemas.is_required(field))
            elif (held := _held(field)) is not None and held.type_name not in above and len(above) <= _MAX_QUERY_DEPTH:
                yield from self._query_of(held, taken, f"{field_path}.", f"{field_name}.", (*above, held.type_name))

    def _entries(self, field: DescField, name: str) -> Iterator[Parameter]:
        """The entries of a map, `labels[key]=value`."""
        if parser_of(element_of(field)) is not None:
            parameter = _parameter("query", name, self._schemas.of_field(field), required=False)
            yield {**parameter, "style": "deepObject", "explode": True}

    def _headers(self, route: Route) -> Iterator[Parameter]:
        for header in route.binder.headers:
            if header.header not in _HEADER_PARAMETERS:
                continue  # the content type, which requestBody says
            name, description = _HEADER_PARAMETERS[header.header]
            schema: Schema = {"type": "string"}
            if header.header == b"last-event-id" or header.header == b"idempotency-key":
                schema = self._schemas.of_field(header.field.field)
                schema.pop("description", None)
            schema.setdefault("minLength", 1)
            yield {"in": "header", "name": name, "required": False, "description": description, "schema": schema}
        response = self._contract.registry.message(route.rpc.response)
        is_unary_get = route.rule.verb == "GET" and not route.rpc.server_streaming
        if is_unary_get and response is not None and field_named(response, "etag") is not None:
            description = "ETags that the caller has; 304 when one is current."
            yield {"in": "header", "name": "If-None-Match", "description": description, "schema": {"type": "string"}}

    def _body(self, route: Route) -> Operation:
        request = message_of(self._contract, route.rpc.request)
        if route.binder.takes_raw:
            return {"required": False, "content": {"*/*": {"schema": {"description": "Any bytes."}}}}
        if route.rule.body == "*":
            bound = {variable.field.path for variable in route.binder.path}
            schema = self._schemas.of_fields(request, bound)
            required = self._schemas.required(request, bound)
            example = self._examples.of_message(request, request=True, without=bound)
        else:
            field = field_chain(request, route.rule.body)[-1]
            schema = self._schemas.of_field(field)
            held = _held(field)
            required = self._schemas.required(held) if held is not None and route.rule.verb != "PATCH" else []
            example = self._examples.of_field(field)
        if required:
            schema["required"] = required
        if route.rpc.client_streaming:
            return _stream_body(schema, example)
        return {"required": bool(required), "content": {"application/json": {"schema": schema, "example": example}}}

    def _security(self, route: Route) -> list[dict[str, list[str]]] | None:
        if route.rpc.policy is None:
            return None
        access = route.rpc.policy.access
        roles = sorted(access.roles) if not access.user else list[str]()
        ways = [{scheme: roles} for scheme in self._security_schemes]
        return [{}, *ways] if access.anonymous else ways

    def _access_in_words(self, route: Route) -> str:
        if route.rpc.policy is None:
            return ""
        access = route.rpc.policy.access
        if access.anonymous:
            return "Open to everybody."
        if access.user:
            return "For any user."
        callers = [f"role `{role}`" for role in access.roles] + [f"service `{name}`" for name in access.services]
        return f"For {', '.join(callers)}." if callers else "For nobody."

    def _socket_in_words(self, route: Route) -> str:
        """How a stream is used over WebSocket, which OpenAPI cannot describe otherwise."""
        if route not in self._sockets:
            return ""
        sends = "nothing"
        if route.rule.body:
            sends = "messages, and an empty frame after the last" if route.rpc.client_streaming else "one message"
        receives = "messages" if route.rpc.server_streaming else "one message"
        return f"Also over WebSocket at this path, a text frame a message: the client sends {sends}, gets {receives}."


def _parameter(place: str, name: str, schema: Schema, *, required: bool) -> Parameter:
    parameter: Parameter = {"in": place, "name": name, "required": required}
    if description := schema.pop("description", ""):
        parameter["description"] = description
    return {**parameter, "schema": schema}


def _stream_body(schema: Schema, example: Any) -> Operation:
    """A body of any number of messages."""
    lines = {"type": "string", "description": "A JSON text a line, each one of the array's items."}
    array = {"schema": {"type": "array", "items": schema}, "example": [example]}
    return {"required": False, "content": {"application/json": array, "application/x-ndjson": {"schema": lines}}}


def _held(field: DescField) -> DescMessage | None:
    return field.value.message if isinstance(field.value, DescFieldValueMessage) else None
