"""The OpenAPI document: valid as 3.1, and saying what the contract says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.contract import read_contract
from gateway.handshakes import Handshakes
from gateway.openapi import document_of
from gateway.routes import compile_routes
from mesh.codec import Codec
from tests.gateway.contracts import ROOT, library
from tests.gateway.http import Json, request_json
from tests.gateway.serving import running_library


def document(descriptor_set: bytes) -> Json:
    contract = read_contract(descriptor_set)
    table = compile_routes(contract, Codec(contract.registry), serves=lambda rpc: True, unary_deadline=30)
    sockets = Handshakes(table.routes).routes
    return json.loads(document_of(contract, table.routes, sockets=sockets, title="Test", version="v1"))


def operations_with_a_body(api: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in api["paths"].items():
        for method, operation in methods.items():
            if "application/json" in operation.get("requestBody", {}).get("content", ()):
                yield path, method, operation


@pytest.fixture(scope="module")
def api() -> Json:
    return document(library())


@pytest.fixture(scope="module")
def own() -> Json:
    return document((ROOT / "gen" / "sagamesh.binpb").read_bytes())


def test_the_document_is_valid_openapi_3_1(api: Json, own: Json) -> None:
    for each in (api, own):
        assert each["openapi"] == "3.1.0"
        assert [error.message for error in OpenAPIV31SpecValidator(each).iter_errors()] == []


def test_every_rule_is_an_operation_with_an_id_of_its_own(api: Json) -> None:
    operations = [operation for path in api["paths"].values() for operation in path.values()]
    ids = [operation["operationId"] for operation in operations]

    assert len(ids) == len(set(ids))
    assert "EventService_ListEvents" not in ids
    assert {"EchoService_Get", "EchoService_Get_2", "BookService_CreateBook", "BookService_WatchBook"} <= set(ids)
    assert not any("Hidden" in name for name in ids)


def test_templates_that_differ_in_names_only_are_one_path(own: Json) -> None:
    path = own["paths"]["/v1/events/{event_id}"]

    assert set(path) == {"get", "patch"}
    assert path["patch"]["parameters"][0]["name"] == "event_id"


def test_tags_are_services_with_their_comments(api: Json) -> None:
    assert {"name": "BookService", "description": "Keeps one book."} in api["tags"]
    assert api["paths"]["/v1/books"]["post"]["tags"] == ["BookService"]


def test_comments_describe_everything(api: Json) -> None:
    operation = api["paths"]["/v1/echo"]["get"]
    book = api["components"]["schemas"]["Book"]

    assert (operation["summary"], operation["description"]) == (
        "Binds by path and query",
        "Binds by path and query. Second sentence.",
    )
    assert book["description"] == "A book."
    assert book["properties"]["title"]["description"] == "Its title."


def test_constraints_become_keywords(api: Json) -> None:
    book = api["components"]["schemas"]["Book"]["properties"]

    assert (book["title"]["minLength"], book["title"]["maxLength"]) == (1, 20)
    assert (book["pages"]["minimum"], book["pages"]["maximum"]) == (1, 10000)
    assert (book["tags"]["maxItems"], book["tags"]["items"]["minLength"]) == (5, 2)
    assert (book["bookId"]["format"], book["bookId"]["readOnly"]) == ("uuid", True)
    assert book["version"] == {
        "type": "string",
        "format": "int64",
        "pattern": "^-?[0-9]+$",
        "description": "Its version.",
        "readOnly": True,
    }


def test_required_fields_are_required_of_requests_only(api: Json) -> None:
    content = api["paths"]["/v1/books"]["post"]["requestBody"]["content"]["application/json"]

    assert content["schema"]["required"] == ["title"]
    assert "required" not in api["components"]["schemas"]["Book"]
    assert (
        "required"
        not in api["paths"]["/v1/books/{book_id}"]["patch"]["requestBody"]["content"]["application/json"]["schema"]
    )


def test_examples_are_given_without_what_only_the_server_sets(api: Json) -> None:
    example = api["paths"]["/v1/books"]["post"]["requestBody"]["content"]["application/json"]["example"]

    assert example["pages"] == 10000
    assert "bookId" not in example
    assert len(example["title"]) <= 20


def test_access_becomes_security(api: Json) -> None:
    assert api["paths"]["/v1/books"]["post"]["security"] == [{"bearer": ["librarian"]}]
    assert api["paths"]["/v1/books/{book_id}"]["get"]["security"] == [{}, {"bearer": []}]
    assert "security" not in api["paths"]["/v1/echo"]["get"]
    assert "For role `librarian`." in api["paths"]["/v1/books"]["post"]["description"]


def test_responses_are_those_that_can_occur(api: Json) -> None:
    create = api["paths"]["/v1/books"]["post"]["responses"]
    get = api["paths"]["/v1/books/{book_id}"]["get"]["responses"]
    delete = api["paths"]["/v1/books/{book_id}"]["delete"]["responses"]
    errors = {"400", "401", "404", "429", "500", "501", "503", "504"}

    assert set(create) == {"201", "403", "409", "413", "415", *errors}
    assert set(get) == {"200", "304", *errors}
    assert set(delete) == {"204", "403", "409", *errors}
    assert set(create["201"]["headers"]) == {"Location", "ETag"}
    assert "Retry-After" in api["components"]["responses"]["Unavailable"]["headers"]


def test_parameters_are_those_that_bind(api: Json) -> None:
    def names(place: str, path: str, method: str) -> list[str]:
        parameters = api["paths"][path][method]["parameters"]
        return [parameter["name"] for parameter in parameters if parameter["in"] == place]

    assert names("path", "/v1/books/{book_id}", "patch") == ["book_id"]
    assert names("query", "/v1/books/{book_id}", "patch") == ["updateMask", "etag"]
    assert names("header", "/v1/books/{book_id}", "patch") == ["If-Match"]
    assert names("header", "/v1/books/{book_id}", "get") == ["If-Match", "If-None-Match"]
    assert names("header", "/v1/books", "post") == ["Idempotency-Key"]
    assert names("header", "/v1/books/{book_id}:watch", "get") == ["Last-Event-ID"]
    assert names("query", "/v1/echo", "post") == []
    assert {"anInt32", "inner.text", "tags", "otherName", "middle.text"} <= set(names("query", "/v1/echo", "get"))
    assert not {"inner", "innersByNumber", "inners.text", "struct", "inner.inner.text"} & set(
        names("query", "/v1/echo", "get")
    )


def test_a_variable_of_several_segments_is_a_parameter_a_wildcard(api: Json) -> None:
    def names(path: str) -> list[str]:
        parameters = api["paths"][path]["get"]["parameters"]
        return [parameter["name"] for parameter in parameters if parameter["in"] == "path"]

    assert names("/v1/shelves/{text_1}/books/{text_2}") == ["text_1", "text_2"]
    assert names("/v1/deep/{text}") == ["text"]
    assert names("/v1/any/{segment_3}/tail") == ["segment_3"]


async def test_every_example_is_a_good_request(api: Json, tmp_path: Path) -> None:
    async with running_library(tmp_path) as running:
        for path, method, operation in operations_with_a_body(api):
            example = operation["requestBody"]["content"]["application/json"]["example"]
            target = path.translate({ord("{"): "", ord("}"): ""})
            response = await request_json(running.port, method.upper(), target, example)

            assert response.status < 300, (path, method, response.body)


def test_a_body_beside_the_path_leaves_out_what_the_path_binds(api: Json) -> None:
    body = api["paths"]["/v1/echo/{text}:all"]["post"]["requestBody"]["content"]["application/json"]["schema"]

    assert "text" not in body["properties"]
    assert body["additionalProperties"] is False


def test_streams_are_described_in_their_three_forms(api: Json) -> None:
    content = api["paths"]["/v1/books/{book_id}:watch"]["get"]["responses"]["200"]["content"]

    assert set(content) == {"text/event-stream", "application/x-ndjson", "application/json"}
    assert content["application/json"]["schema"] == {"type": "array", "items": {"$ref": "#/components/schemas/Book"}}


def test_well_known_types_have_their_json_forms(api: Json) -> None:
    fields = api["components"]["schemas"]["Everything"]["properties"]

    assert fields["time"]["format"] == "date-time"
    assert fields["color"]["enum"] == ["COLOR_UNSPECIFIED", "BLUE", "GREEN"]
    assert fields["innersByNumber"]["additionalProperties"] == {"$ref": "#/components/schemas/Inner"}
    assert fields["someBytes"]["contentEncoding"] == "base64"
    assert fields["stringValue"]["type"] == ["string", "null"]


def test_aliases_are_paths_of_their_own(api: Json) -> None:
    assert {"/book/", "/api/book"} <= set(api["paths"])


def test_a_body_that_streams_is_an_array_or_lines(api: Json) -> None:
    operation = api["paths"]["/v1/shelves/{shelf}:collect"]["post"]
    content = operation["requestBody"]["content"]

    assert content["application/json"]["schema"]["type"] == "array"
    assert "title" in content["application/json"]["example"][0]
    assert content["application/x-ndjson"]["schema"]["type"] == "string"
    assert "the client sends messages, and an empty frame after the last, gets one message" in operation["description"]


def test_a_map_is_a_parameter_with_keys(api: Json) -> None:
    # OpenAPI 3.1, "Style Values": deepObject is `labels[key]=value`.
    parameters = {parameter["name"]: parameter for parameter in api["paths"]["/v1/echo"]["get"]["parameters"]}

    assert (parameters["labels"]["style"], parameters["labels"]["schema"]["type"]) == ("deepObject", "object")
    assert "innersByNumber" not in parameters
