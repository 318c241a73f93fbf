"""The gateway as a whole: its own pages, its metrics and log, its start and its stop."""

import asyncio
import json
import logging
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from gateway.app import create_gateway
from gateway.binding import RouteError
from gateway.settings import OWN_CONTRACT, GatewaySettings
from tests.gateway.contracts import ROOT, Message, compiled, library
from tests.gateway.http import request
from tests.gateway.serving import Running
from tools.readme import rpcs

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_process_that_serves_is_healthy(running: Running) -> None:
    assert (await request(running.port, "GET", "/healthz")).json == {"status": "SERVING"}


@pytest.mark.parametrize("page", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/favicon.png"])
async def test_the_gateways_own_pages_refuse_other_methods_as_every_path_does(running: Running, page: str) -> None:
    refused = await request(running.port, "POST", page)
    asked = await request(running.port, "OPTIONS", page)

    assert (refused.status, refused.reason, refused.headers["allow"]) == (
        405,
        "METHOD_NOT_ALLOWED",
        "GET, HEAD, OPTIONS",
    )
    assert (asked.status, asked.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


async def test_readiness_asks_the_services(running: Running) -> None:
    response = await request(running.port, "GET", "/readyz")

    assert (response.status, response.json["upstreams"]) == (200, {"test.library.v1": "SERVING"})


async def test_the_document_is_served(running: Running) -> None:
    response = await request(running.port, "GET", "/openapi.json")

    assert response.headers["content-type"] == "application/json"
    assert response.json["openapi"] == "3.1.0"


async def test_the_docs_load_nothing_from_other_hosts(running: Running) -> None:
    page = await request(running.port, "GET", "/docs")
    links = re.findall(r'(?:src|href)="([^"]*)"', page.body.decode())

    assert links == ["docs/swagger-ui.css", "docs/favicon.png", "docs/swagger-ui-bundle.js"]
    assert b"//" not in page.body
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for link in links:
        asset = await request(running.port, "GET", f"/{link}")
        assert (asset.status, len(asset.body) > 1000) == (200, True)


async def test_requests_are_counted_and_timed_by_route(running: Running) -> None:
    await request(running.port, "GET", "/v1/books/b1")
    await request(running.port, "GET", "/nowhere/secret-1")
    await request(running.port, "PATCH", "/v1/books/b1", {"content-type": "text/plain"}, b"x")

    metrics = (await request(running.port, "GET", "/metrics")).body.decode()

    get = 'route="GET /v1/books/{book_id}"'
    assert f'gateway_requests_total{{code="OK",http_status="200",{get}}}' in metrics
    assert f"gateway_request_seconds_count{{{get}}}" in metrics
    assert 'code="INVALID_ARGUMENT",http_status="415",route="PATCH /v1/books/{book.book_id}"' in metrics
    assert 'code="NOT_FOUND",http_status="404",route="none"' in metrics
    assert "gateway_requests_in_flight 0.0" in metrics
    assert "secret" not in metrics


async def test_a_request_is_one_line_in_the_log(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    with caplog.at_level(logging.INFO, "gateway.access"):
        await request(
            running.port, "GET", "/v1/books/b1?etag=secret", {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
        )

    facts: Any = next(record for record in caplog.records if record.name == "gateway.access")
    milliseconds = facts.facts.pop("ms")
    assert milliseconds > 0
    assert facts.facts == {
        "method": "GET",
        "path": "/v1/books/b1",
        "route": "GET /v1/books/{book_id}",
        "status": 200,
        "code": "OK",
        "trace_id": trace,
    }


@pytest.mark.parametrize("path", ["/docs/../v1/books/b1", "/docs/nope", "/docs/swagger-ui.css/x", "/openapi.json/"])
async def test_nothing_is_below_the_own_pages(running: Running, path: str) -> None:
    assert (await request(running.port, "GET", path)).status == 404


async def test_a_contract_without_routes_does_not_start(tmp_path: Path) -> None:
    image = tmp_path / "library.binpb"
    image.write_bytes(library())

    with pytest.raises(RouteError, match=r"no rpc with an http rule in test\.other"):
        create_gateway(GatewaySettings(upstreams={"test.other": "127.0.0.1:1"}, descriptor_set=image))


async def test_a_rule_for_one_of_the_own_pages_does_not_start(tmp_path: Path) -> None:
    image = tmp_path / "hidden.binpb"
    rule = 'option (google.api.http) = { get: "/healthz" };'
    service = f"message M {{}} service S {{ rpc Call(M) returns (M) {{ {rule} }} }}"
    header = 'syntax = "proto3"; package test.hidden.v1; import "google/api/annotations.proto";'
    image.write_bytes(compiled(f"{header} {service}", "hidden.proto"))

    with pytest.raises(RouteError, match="is hidden by the gateway's own page /healthz"):
        create_gateway(GatewaySettings(upstreams={"test.hidden.v1": "127.0.0.1:1"}, descriptor_set=image))


@pytest.mark.parametrize(
    ("package", "serves"),
    [
        ("test.library.v1", True),
        ("test.library", True),
        ("test", True),
        ("test.lib", False),
        ("test.library.v1.x", False),
    ],
)
async def test_a_package_serves_itself_and_those_below_it(tmp_path: Path, package: str, serves: bool) -> None:
    image = tmp_path / "library.binpb"
    image.write_bytes(library())
    settings = GatewaySettings(upstreams={package: "127.0.0.1:1"}, descriptor_set=image)

    if serves:
        assert create_gateway(settings).table.routes
    else:
        with pytest.raises(RouteError):
            create_gateway(settings)


async def test_this_systems_own_contract_is_the_default() -> None:
    settings = GatewaySettings(upstreams={"sagamesh": "127.0.0.1:1"})

    assert settings.descriptor_set == OWN_CONTRACT == ROOT / "gen" / "sagamesh.binpb"
    contract = FileDescriptorSet.FromString(OWN_CONTRACT.read_bytes())
    assert len(create_gateway(settings).table.routes) == sum(len(rpc.forms) for rpc in rpcs(contract)) > 13


async def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_UPSTREAMS", "a.v1=one:1, b.v1=two:2")
    monkeypatch.setenv("GATEWAY_FORWARDED_HEADERS", "Authorization, X-Tenant")

    settings = GatewaySettings()  # pyright: ignore[reportCallIssue]  # the environment fills it

    assert settings.upstreams == {"a.v1": "one:1", "b.v1": "two:2"}
    assert settings.forwarded_headers == ("authorization", "x-tenant")


@pytest.mark.parametrize("upstreams", ["a.v1", "=x", "a.v1=", "a.v1=x,b"])
async def test_upstreams_that_are_none_are_refused(upstreams: str) -> None:
    with pytest.raises(ValueError, match="expected package=host:port"):
        GatewaySettings(upstreams=upstreams)  # pyright: ignore[reportArgumentType]  # as the environment has it


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_drains_and_exits_with_0_on_a_signal(running: Running, tmp_path: Path, number: int) -> None:
    async def slow(request: Message, context: Any) -> Message:
        process.send_signal(number)
        await asyncio.sleep(0.2)
        return running.library.book

    running.library.act = slow
    process = await _started(tmp_path, f"test.library.v1={running.target}")
    assert process.stderr is not None
    port = json.loads(await process.stderr.readline())["address"].rpartition(":")[2]

    response = await request(int(port), "GET", "/v1/books/b1")

    assert response.json["title"] == "Emma"
    assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_a_start_that_fails_is_one_sentence(tmp_path: Path) -> None:
    process = await _started(tmp_path, "test.other=127.0.0.1:1")
    _, errors = await process.communicate()

    assert (process.returncode, errors.decode()) == (1, "gateway: no rpc with an http rule in test.other\n")


async def _started(tmp_path: Path, upstreams: str) -> asyncio.subprocess.Process:
    image = tmp_path / "library.binpb"
    image.write_bytes(library())
    environment = {
        **os.environ,
        "GATEWAY_LISTEN": "127.0.0.1:0",
        "GATEWAY_UPSTREAMS": upstreams,
        "GATEWAY_DESCRIPTOR_SET": str(image),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env=environment, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
