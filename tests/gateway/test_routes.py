"""What stops the start: rules that cannot be served, and rules that conflict."""

import pytest

from gateway.binding import RouteError
from gateway.contract import ContractError, read_contract
from gateway.routes import RouteTable, compile_routes
from mesh.codec import Codec
from tests.gateway.contracts import compiled

HEADER = """
syntax = "proto3";
package test.broken.v1;
import "google/api/annotations.proto";
import "sagamesh/mesh/v1/policy.proto";
message M { string a = 1; repeated string b = 2; M m = 3; map<string, string> c = 4; }
"""


def routes_of(*rpcs: str, name: str = "broken.proto") -> RouteTable:
    lines = [f"rpc Call{index}(M) returns (M) {{ {options} }}" for index, options in enumerate(rpcs)]
    contract = read_contract(compiled(f"{HEADER} service S {{ {' '.join(lines)} }}", name))
    return compile_routes(contract, Codec(contract.registry), serves=lambda rpc: True, unary_deadline=30)


def http(rule: str) -> str:
    return f"option (google.api.http) = {{ {rule} }};"


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ('get: "/v1/{a"', "'/v1/{a' at 6: expected '}'"),
        ('get: "/v1/{nope}"', "test.broken.v1.M has no field nope"),
        ('get: "/v1/{m.nope}"', "test.broken.v1.M has no field m.nope"),
        ('get: "/v1/{b}"', "b of test.broken.v1.M is repeated: a path binds one value"),
        ('get: "/v1/{m}"', "m of test.broken.v1.M has no text form"),
        ('get: "/v1/{c}"', "c of test.broken.v1.M has no text form"),
        ('post: "/v1/x" body: "nope"', "test.broken.v1.M has no field nope for the body"),
        ('get: "/v1/x" response_body: "nope"', "test.broken.v1.M has no field nope for the response body"),
    ],
)
def test_a_rule_that_cannot_be_served_names_its_rpc_and_why(rule: str, reason: str) -> None:
    with pytest.raises(RouteError) as caught:
        routes_of(http(rule))

    assert str(caught.value).startswith("test.broken.v1.S.Call0")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('get: "/v1/{a}"', 'get: "/v1/{m.a}"'),
        ('get: "/v1/{a=x/*}"', 'get: "/v1/x/{a}"'),
        ('post: "/v1/x:go" body: "*"', 'post: "/v1/x:go"'),
        ('custom: {kind: "get" path: "/v1/x"}', 'get: "/v1/x"'),
    ],
)
def test_two_rules_for_the_same_requests_are_reported_with_both_rpcs(first: str, second: str) -> None:
    with pytest.raises(RouteError) as caught:
        routes_of(http(first), http(second))

    assert "test.broken.v1.S.Call0" in str(caught.value)
    assert "test.broken.v1.S.Call1" in str(caught.value)
    assert "serve the same requests" in str(caught.value)


def test_an_alias_conflicts_like_any_path() -> None:
    alias = 'option (sagamesh.mesh.v1.policy) = { alias: ["/x/"] };'

    with pytest.raises(RouteError, match="serve the same requests"):
        routes_of(http('get: "/a"') + alias, http('get: "/b"') + alias)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("/v1/{nope}", "has no field nope"),
        ("/v1/{", "expected a field name"),
        ("/v1/*", "needs a field"),
    ],
)
def test_a_location_that_cannot_be_made_is_reported(location: str, reason: str) -> None:
    policy = f'option (sagamesh.mesh.v1.policy) = {{ location: "{location}" }};'

    with pytest.raises(RouteError, match=reason):
        routes_of(http('post: "/a"') + policy)


def test_the_same_path_for_other_methods_and_verbs_is_no_conflict() -> None:
    rules = ['get: "/v1/{a}"', 'put: "/v1/{a}"', 'get: "/v1/{a}:go"', 'get: "/v1/{a=**}"', 'get: "/v1/x"']

    table = routes_of(*map(http, rules))

    assert [route.label for route in table.routes] == [
        "GET /v1/{a}",
        "PUT /v1/{a}",
        "GET /v1/{a}:go",
        "GET /v1/{a=**}",
        "GET /v1/x",
    ]


def test_an_rpc_without_a_rule_has_no_route() -> None:
    assert routes_of("").routes == ()


@pytest.mark.parametrize("content", [b"", b"\xff", b"not a descriptor set"])
def test_what_is_no_descriptor_set_is_said(content: bytes) -> None:
    if content:
        with pytest.raises(ContractError, match="not a complete descriptor set"):
            read_contract(content)
    else:
        assert read_contract(content).rpcs == ()


def test_a_descriptor_set_without_its_imports_is_said() -> None:
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    files = FileDescriptorSet.FromString(compiled(f"{HEADER} service S {{}}", "broken.proto"))
    del files.file[:-1]

    with pytest.raises(ContractError, match="not a complete descriptor set"):
        read_contract(files.SerializeToString())
