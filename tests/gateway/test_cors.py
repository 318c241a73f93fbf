"""Cross-origin requests: the Fetch standard, section "CORS protocol". Each row of a table is one request."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio

from gateway.app import GatewayApplication, create_gateway
from gateway.settings import GatewaySettings
from tests.gateway.contracts import Message, library, library_message
from tests.gateway.http import Connection, Response, request
from tests.gateway.serving import Running, aborting, running_library

pytestmark = pytest.mark.asyncio(loop_scope="module")

APP = "https://app.example"
EXPOSED = "allow, etag, location, retry-after, www-authenticate"
CREDENTIALS = {
    "access-control-allow-origin": APP,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": EXPOSED,
}
FORWARDED = ("authorization", "x-tenant")
"""What the gateways of these tests forward."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A gateway that pages of one other origin may use."""
    folder: Path = tmp_path_factory.mktemp("cors")
    async with running_library(folder, allowed_origins=(APP,), forwarded_headers=FORWARDED) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_to_all(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A gateway that pages of every origin may use."""
    folder: Path = tmp_path_factory.mktemp("cors-any")
    async with running_library(folder, allowed_origins=("*",), cors_max_age=60) as running:
        yield running


def told(response: Response) -> dict[str, str]:
    """The headers that are about other origins."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control")}


async def preflight(port: int, target: str, method: str, origin: str = APP) -> Response:
    headers = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": "x-any"}
    return await request(port, "OPTIONS", target, headers)


@pytest.mark.parametrize(
    ("target", "methods"),
    [
        ("/v1/books/b1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/v1/books", "OPTIONS, POST"),
        ("/v1/books/b1:watch", "GET, HEAD, OPTIONS"),
        ("/v1/echo", "GET, HEAD, OPTIONS, POST, PURGE"),
        ("/v1/every-method", "PUT"),
        ("/v1/tell", "OPTIONS, POST"),
        ("/openapi.json", "GET, HEAD"),
    ],
)
async def test_a_preflight_is_told_the_methods_that_its_path_has(listed: Running, target: str, methods: str) -> None:
    listed.library.seen.clear()

    response = await preflight(listed.port, target, "PUT")

    assert (response.status, response.body, listed.library.seen) == (204, b"", [])
    assert response.headers["access-control-allow-methods"] == response.headers["allow"] == methods
    assert response.headers["access-control-max-age"] == "600"
    assert CREDENTIALS.items() <= response.headers.items()
    assert response.headers["vary"] == "origin"


async def test_a_preflight_is_told_the_headers_that_mean_something(listed: Running) -> None:
    response = await preflight(listed.port, "/v1/books/b1", "PATCH")

    assert response.headers["access-control-allow-headers"] == (
        "accept, authorization, content-encoding, content-type, grpc-timeout, idempotency-key, if-match, "
        "if-none-match, last-event-id, traceparent, x-tenant"
    )


@pytest.mark.parametrize("origin", ["https://evil.example", "http://app.example", "https://app.example:8443", "null"])
async def test_a_preflight_of_another_origin_is_told_nothing(listed: Running, origin: str) -> None:
    response = await preflight(listed.port, "/v1/books/b1", "PATCH", origin)

    assert (response.status, told(response), response.headers["vary"]) == (204, {}, "origin")
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PATCH"


@pytest.mark.parametrize(
    ("target", "status", "reason"), [("/v1/nowhere", 404, "NO_ROUTE"), ("/v1/%ff", 400, "MALFORMED_PATH")]
)
async def test_a_preflight_for_nothing_is_an_error_that_the_page_may_read(
    listed: Running, target: str, status: int, reason: str
) -> None:
    response = await preflight(listed.port, target, "GET")

    assert (response.status, response.reason, told(response)) == (status, reason, CREDENTIALS)


@pytest.mark.parametrize(
    ("method", "target", "headers", "status"),
    [
        ("GET", "/v1/books/b1", {}, 200),
        ("HEAD", "/v1/books/b1", {}, 200),
        ("GET", "/v1/books/b1", {"if-none-match": '"1.2"'}, 304),
        ("DELETE", "/v1/books/b1", {}, 204),
        ("GET", "/v1/books/b1?nope=1", {}, 400),
        ("GET", "/v1/nowhere", {}, 404),
        ("PUT", "/v1/books/b1", {}, 405),
        ("OPTIONS", "/v1/books/b1", {}, 204),
        ("GET", "/openapi.json", {}, 200),
    ],
)
async def test_every_answer_may_be_read_by_pages_that_may_ask(
    listed: Running, method: str, target: str, headers: dict[str, str], status: int
) -> None:
    response = await request(listed.port, method, target, {"origin": APP, "grpc-timeout": "20S", **headers})

    assert (response.status, told(response)) == (status, CREDENTIALS)
    assert "origin" in response.headers["vary"]


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", f"{APP}.evil.example", f"{APP}/"])
@pytest.mark.parametrize("target", ["/v1/books/b1", "/v1/nowhere", "/openapi.json"])
async def test_other_pages_are_told_nothing_and_caches_that_it_depends(
    listed: Running, target: str, origin: str | None
) -> None:
    response = await request(listed.port, "GET", target, {"origin": origin} if origin else {})

    assert (told(response), response.headers["vary"].split(", ")[-1]) == ({}, "origin")


async def test_an_error_of_the_service_may_be_read(listed: Running) -> None:
    listed.library.act = aborting(grpc.StatusCode.UNAVAILABLE, "gone")
    try:
        response = await request(listed.port, "GET", "/v1/books/b1", {"origin": APP})
    finally:
        listed.library.act = None

    assert (response.status, response.headers["retry-after"], told(response)) == (503, "1", CREDENTIALS)


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson", "application/json"])
async def test_a_stream_may_be_read(listed: Running, accept: str) -> None:
    async def one(request: Message, context: Any) -> Any:
        yield library_message("Book")(version=1)

    listed.library.stream = one
    connection = await Connection.open(listed.port)
    connection.send("GET", "/v1/books/b1:watch", {"origin": APP, "accept": accept})
    response = await connection.response()
    connection.close()

    assert (response.status, told(response), response.headers["vary"]) == (200, CREDENTIALS, "accept, origin")


@pytest.mark.parametrize("target", ["/healthz", "/readyz", "/metrics", "/docs"])
async def test_operators_pages_are_no_business_of_other_origins(open_to_all: Running, target: str) -> None:
    response = await request(open_to_all.port, "GET", target, {"origin": APP})

    assert (response.status, told(response)) == (200, {})


@pytest.mark.parametrize("origin", [None, APP, "null"])
async def test_every_origin_may_ask_but_without_credentials(open_to_all: Running, origin: str | None) -> None:
    response = await request(open_to_all.port, "GET", "/v1/books/b1", {"origin": origin} if origin else {})

    assert told(response) == {"access-control-allow-origin": "*", "access-control-expose-headers": EXPOSED}
    assert "vary" not in response.headers


async def test_every_origin_is_answered_a_preflight(open_to_all: Running) -> None:
    response = await preflight(open_to_all.port, "/v1/books", "POST", "null")

    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-allow-methods"] == "OPTIONS, POST"
    assert response.headers["access-control-max-age"] == "60"
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize(
    ("method", "target"), [("GET", "/v1/books/b1"), ("GET", "/v1/nowhere"), ("OPTIONS", "/v1/books")]
)
async def test_without_configuration_nobody_is_told_anything(running: Running, method: str, target: str) -> None:
    headers = {"origin": APP, "access-control-request-method": "POST"}

    response = await request(running.port, method, target, headers)

    assert (told(response), "vary" in response.headers) == ({}, False)


async def test_without_configuration_there_is_no_layer(tmp_path: Path) -> None:
    image = tmp_path / "library.binpb"
    image.write_bytes(library())
    settings = GatewaySettings(upstreams={"test.library.v1": "127.0.0.1:1"}, descriptor_set=image)

    assert isinstance(create_gateway(settings).app, GatewayApplication)


async def test_options_without_an_origin_answers_allow(listed: Running) -> None:
    response = await request(listed.port, "OPTIONS", "/v1/books")

    assert (response.status, response.headers["allow"], told(response)) == (204, "OPTIONS, POST", {})


async def test_preflights_are_counted(listed: Running) -> None:
    await preflight(listed.port, "/v1/books", "POST")

    metrics = (await request(listed.port, "GET", "/metrics")).body.decode()

    assert 'gateway_requests_total{code="OK",http_status="204",route="none"}' in metrics


@pytest.mark.parametrize(
    "origins", ["app.example", "https://", f"{APP},*", f"{APP}/path", "null", "https://a b", "https://*.example"]
)
async def test_what_is_no_origin_does_not_start(monkeypatch: pytest.MonkeyPatch, origins: str) -> None:
    monkeypatch.setenv("GATEWAY_ALLOWED_ORIGINS", origins)

    with pytest.raises(ValueError, match="expected origins such as"):
        GatewaySettings(upstreams={"a": "b:1"})


async def test_origins_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_ALLOWED_ORIGINS", "https://App.example/, http://localhost:3000")

    settings = GatewaySettings(upstreams={"a": "b:1"})

    assert settings.allowed_origins == ("https://app.example/", "http://localhost:3000")
