"""Which stream a WebSocket means: a handshake is always a GET (RFC 6455 section 4.1), the rules have verbs."""

import json
import logging

import pytest

from gateway.contract import Contract, read_contract
from gateway.handshakes import Handshakes
from gateway.openapi import document_of
from gateway.routes import RouteTable, compile_routes
from mesh.codec import Codec
from tests.gateway.contracts import compiled

BOTH, SENDS, RECEIVES, UNARY = (
    "(stream M) returns (stream M)",
    "(stream M) returns (M)",
    "(M) returns (stream M)",
    "(M) returns (M)",
)
GET, POST, PUT = 'get: "/v1/x"', 'post: "/v1/x" body: "*"', 'put: "/v1/x" body: "*"'
HEADER = """
syntax = "proto3";
package test.sockets.v1;
import "google/api/annotations.proto";
message M { string a = 1; }
"""


def compiled_of(*rpcs: tuple[str, str]) -> tuple[Contract, RouteTable]:
    """A contract of rpcs named Call0, Call1, each with its kind and its rule."""
    lines = [
        f"rpc Call{number}{kind} {{ option (google.api.http) = {{ {rule} }}; }}"
        for number, (kind, rule) in enumerate(rpcs)
    ]
    contract = read_contract(compiled(f"{HEADER} service S {{ {' '.join(lines)} }}", "sockets.proto"))
    return contract, compile_routes(contract, Codec(contract.registry), serves=lambda rpc: True, unary_deadline=30)


def handshakes_of(*rpcs: tuple[str, str]) -> Handshakes:
    return Handshakes(compiled_of(*rpcs)[1].routes)


def meant(handshakes: Handshakes, path: str) -> str | None:
    found = handshakes.find(path)
    return found.target.label if found is not None else None


@pytest.mark.parametrize(
    ("first", "second", "label"),
    [
        ((BOTH, POST), (RECEIVES, GET), "POST /v1/x"),
        ((RECEIVES, GET), (BOTH, POST), "POST /v1/x"),
        ((RECEIVES, GET), (SENDS, POST), "POST /v1/x"),
        ((SENDS, POST), (BOTH, PUT), "PUT /v1/x"),
        ((RECEIVES, POST), (RECEIVES, GET), "GET /v1/x"),
        ((BOTH, PUT), (BOTH, POST), "PUT /v1/x"),
        ((SENDS, GET), (RECEIVES, POST), "POST /v1/x"),
        ((BOTH, GET), (SENDS, POST), "POST /v1/x"),
    ],
)
def test_the_stream_that_uses_a_socket_best_is_served_and_both_are_named(
    caplog: pytest.LogCaptureFixture, first: tuple[str, str], second: tuple[str, str], label: str
) -> None:
    with caplog.at_level(logging.WARNING, "gateway"):
        handshakes = handshakes_of(first, second)

    record = vars(caplog.records[0])
    names = {
        f"test.sockets.v1.S.Call{number} ({rule.split(':')[0].upper()} /v1/x)"
        for number, (_, rule) in enumerate((first, second))
    }
    assert meant(handshakes, "/v1/x") == label
    assert {record["facts"]["served"], record["facts"]["hidden"]} == names
    assert label in record["facts"]["served"]


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/v1/rooms/main", "POST /v1/rooms/main"),
        ("/v1/rooms/other", "PUT /v1/rooms/{a}"),
        ("/v1/rooms/a/b", "GET /v1/{a=**}"),
        ("/v1/rooms/other:talk", "POST /v1/rooms/{a}:talk"),
        ("/v1/unary", "GET /v1/{a=**}"),
        ("/v2", None),
    ],
)
def test_the_most_specific_path_wins_whatever_its_verb(path: str, label: str | None) -> None:
    handshakes = handshakes_of(
        (RECEIVES, 'get: "/v1/{a=**}"'),
        (RECEIVES, 'put: "/v1/rooms/{a}"'),
        (BOTH, 'post: "/v1/rooms/main" body: "*"'),
        (BOTH, 'post: "/v1/rooms/{a}:talk"'),
        (UNARY, 'get: "/v1/unary"'),
    )

    assert meant(handshakes, path) == label


def test_the_forms_of_one_rpc_are_no_surprise(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "gateway"):
        handshakes = handshakes_of((BOTH, f"{GET} additional_bindings: {{ {POST} }}"))

    assert (meant(handshakes, "/v1/x"), caplog.records) == ("POST /v1/x", [])


def test_a_stream_of_any_verb_can_be_had() -> None:
    handshakes = handshakes_of(
        (BOTH, 'custom: {kind: "LISTEN" path: "/v1/x"}'), (BOTH, 'custom: {kind: "*" path: "/v1/y"}')
    )

    assert [meant(handshakes, path) for path in ("/v1/x", "/v1/y")] == ["LISTEN /v1/x", "* /v1/y"]
    assert {route.label for route in handshakes.routes} == {"LISTEN /v1/x", "* /v1/y"}


def test_only_the_stream_that_is_served_says_so_in_the_document() -> None:
    contract, table = compiled_of((RECEIVES, GET), (BOTH, POST))
    sockets = Handshakes(table.routes).routes

    path = json.loads(document_of(contract, table.routes, sockets=sockets, title="x", version="v1"))["paths"]["/v1/x"]

    assert ["WebSocket" in path[method]["description"] for method in ("get", "post")] == [False, True]
