"""The OpenAPI 3.1 document of a contract's routes. Everything in it comes from the descriptors."""

import json
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from gateway.contract import Contract
from gateway.openapi.examples import Examples
from gateway.openapi.operations import Operations
from gateway.openapi.paths import parameters_of, path_of, shape_of
from gateway.openapi.responses import ERROR_SCHEMA, error_components
from gateway.openapi.schemas import Schemas
from gateway.routes import Route

_METHODS = ("get", "put", "post", "delete", "patch", "options", "head", "trace")
_ANY_METHOD = ("get", "put", "post", "delete", "patch")


def document_of(
    contract: Contract,
    routes: Iterable[Route],
    *,
    sockets: Collection[Route],
    title: str,
    version: str,
    auth_cookie: str = "",
) -> bytes:
    """The document as JSON. `sockets` are the routes that WebSockets find; `auth_cookie` is the cookie that may hold
    the bearer token."""
    routes = tuple(routes)
    schemas = Schemas(contract)
    security = _security_schemes(auth_cookie)
    paths = _paths(Operations(contract, schemas, Examples(contract), tuple(security), sockets), routes)
    document = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": _introduction(contract, routes)},
        "servers": [{"url": "/"}],
        "tags": _tags(contract, routes),
        "paths": paths,
        "components": {
            "schemas": {**schemas.components, "Error": ERROR_SCHEMA},
            "responses": error_components(),
            "securitySchemes": security,
        },
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


_INTRODUCTION = (
    "JSON follows the ProtoJSON mapping: lowerCamelCase names, 64-bit integers as strings, fields left out when they "
    "have their default. Unknown fields and parameters are refused by name. Errors follow AIP-193. Every operation "
    "takes `Grpc-Timeout` (such as `500m` or `3S`) and `traceparent`."
)

_WITHOUT_COMMENTS = (
    "The contract came without its comments, as it does by reflection; a descriptor set with source info has them."
)


def _introduction(contract: Contract, routes: Iterable[Route]) -> str:
    if any(route.rpc.full_name in contract.comments for route in routes):
        return _INTRODUCTION
    return f"{_INTRODUCTION} {_WITHOUT_COMMENTS}"


def _security_schemes(auth_cookie: str) -> dict[str, dict[str, str]]:
    schemes = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    if auth_cookie:
        description = "The bearer token, for browsers. Writes and WebSockets must come from an allowed Origin."
        schemes["cookie"] = {"type": "apiKey", "in": "cookie", "name": auth_cookie, "description": description}
    return schemes


def _paths(operations: Operations, routes: Iterable[Route]) -> dict[str, Any]:
    """Templates that differ in the names of parameters only are one path to OpenAPI: the first one's names hold."""
    paths: dict[str, Any] = {}
    spelled: dict[str, tuple[str, list[str]]] = {}
    ids: Counter[str] = Counter()
    for route in routes:
        names = [parameter.name for parameter in parameters_of(route.template)]
        path = path_of(route.template, names)
        path, names = spelled.setdefault(shape_of(path), (path, names))
        ids[route.rpc.full_name] += 1
        operation_id = _operation_id(route, ids[route.rpc.full_name])
        methods = _ANY_METHOD if route.rule.verb == "*" else (route.rule.verb.lower(),)
        for method in methods:
            if method in _METHODS:
                suffix = f"_{method}" if len(methods) > 1 else ""
                paths.setdefault(path, {})[method] = operations.of_route(route, names, f"{operation_id}{suffix}")
    return paths


def _operation_id(route: Route, form: int) -> str:
    *_, service, method = route.rpc.full_name.split(".")
    return f"{service}_{method}" if form == 1 else f"{service}_{method}_{form}"


def _tags(contract: Contract, routes: Iterable[Route]) -> list[dict[str, str]]:
    services = dict.fromkeys(route.rpc.service for route in routes)
    return [{"name": name.rpartition(".")[2], "description": contract.comments.get(name, "")} for name in services]
