"""Contracts that services tell by gRPC reflection. gateway.md, "reflection- or descriptor-set-driven routes"."""

import asyncio
import json
import os
import socket as sockets
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse
from websockets.exceptions import InvalidStatus

from gateway.settings import GatewaySettings
from tests.gateway.contracts import ROOT
from tests.gateway.http import request
from tests.gateway.reflecting import Answer, answering, reflecting
from tests.gateway.shop import GET, WATCH, Backend, rpc, running_backend, running_front, shop
from tests.gateway.sockets import socket

SHOP = shop(GET, WATCH, rpc("Unannotated"), answer="old")
NEW = shop(GET, rpc("New", 'get: "/v1/new/{name}"'), answer="new")
OTHER = shop(rpc("Get", 'get: "/v1/others/{name}"'), package="test.other.v1", service="Other")
COMMON = shop(rpc("Unannotated"), package="test.common.v1", service="Common")
COMMON_NAME = "test.common.v1.Common"
SHOP_NAME, OTHER_NAME = "test.shop.v1.Shop", "test.other.v1.Other"


def free_port() -> int:
    with sockets.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Why contracts were not loaded."""
    return [vars(record)["facts"]["error"] for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_what_a_service_tells_is_served(version: str) -> None:
    async with (
        running_backend(Backend(), reflecting(SHOP, SHOP_NAME, version=version)) as target,
        running_front(reflect=target) as front,
    ):
        await front.generation(1)
        answer = await front.get("/v1/items/x")
        ready = await request(front.port, "GET", "/readyz")
        document = (await request(front.port, "GET", "/openapi.json")).json

    assert answer == {"name": "x", "old": "/test.shop.v1.Shop/Get"}
    assert (ready.status, ready.json["upstreams"]) == (200, {target: "SERVING"})
    assert (ready.json["contract"]["routes"], ready.json["contract"]["missing"]) == (2, [])
    assert list(document["paths"]) == ["/v1/items/{name}", "/v1/items/{name}:watch"]
    assert "without its comments" in document["info"]["description"]


async def test_a_service_in_python_whose_stubs_say_no_json_names_is_served_with_the_usual_ones() -> None:
    async with (
        running_backend(Backend(), reflecting(_without_json_names(SHOP), SHOP_NAME)) as target,
        running_front(reflect=target) as front,
    ):
        await front.generation(1)
        assert await front.get("/v1/items/x") == {"name": "x", "old": "/test.shop.v1.Shop/Get"}


def _without_json_names(image: bytes) -> bytes:
    """Descriptors as protoc writes them into Python's stubs."""
    files = FileDescriptorSet.FromString(image)
    for file in files.file:
        for message in file.message_type:
            for field in message.field:
                field.ClearField("json_name")
    return files.SerializeToString()


async def test_until_a_service_tells_its_contract_nothing_is_known_and_then_all_is() -> None:
    port = free_port()
    async with running_front(reflect=f"127.0.0.1:{port}", reflect_poll=3600) as front:
        health = await front.status("/healthz")
        ready = await request(front.port, "GET", "/readyz")
        unknown = await request(front.port, "GET", "/v1/items/x")
        with pytest.raises(InvalidStatus) as handshake:
            async with socket(front.port, "/v1/items/x:watch"):
                raise AssertionError
        async with running_backend(Backend(), reflecting(SHOP, SHOP_NAME), port=port):
            await front.generation(1)  # though nothing is polled: the connection has come up
            answer = await front.get("/v1/items/x")
            absent = await front.status("/v1/absent")

    assert (health, ready.status) == (200, 503)
    assert (ready.json["contract"]["generation"], ready.json["contract"]["loadedAt"]) == (0, None)
    assert ready.json["contract"]["missing"] == [f"127.0.0.1:{port}"]
    assert (unknown.status, unknown.error["status"], unknown.reason) == (503, "UNAVAILABLE", "CONTRACT_MISSING")
    assert unknown.headers["retry-after"] == "1"
    assert handshake.value.response.status_code == 503
    assert answer["old"] == "/test.shop.v1.Shop/Get"
    assert absent == 404


async def test_a_service_that_comes_back_with_another_contract_is_asked_anew() -> None:
    async with running_backend(Backend(), reflecting(SHOP, SHOP_NAME)) as target:
        port = int(target.rpartition(":")[2])
        front_of = running_front(reflect=target, reflect_poll=3600)
        front = await front_of.__aenter__()
        await front.generation(1)
        before = await front.status("/v1/new/x")
    async with running_backend(Backend(), reflecting(NEW, SHOP_NAME), port=port):
        await front.generation(2)
        after = await front.status("/v1/new/x")
        await front_of.__aexit__(None, None, None)

    assert (before, after) == (404, 200)


async def test_a_service_that_is_asked_often_is_followed_without_a_break() -> None:
    told: list[grpc.GenericRpcHandler] = [reflecting(SHOP, SHOP_NAME)]

    class Changing(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
            return told[-1].service(handler_call_details)

    async with (
        running_backend(Backend(), Changing()) as target,
        running_front(reflect=target, reflect_poll=0.02) as front,
    ):
        await front.generation(1)
        await front.get("/v1/items/x")
        told.append(reflecting(NEW, SHOP_NAME))
        await front.generation(2)
        new = await front.get("/v1/new/x")

    assert new["new"] == "/test.shop.v1.Shop/New"


async def test_the_same_contract_is_loaded_once_however_often_it_is_told() -> None:
    asked = asyncio.Semaphore(0)
    handler = reflecting(SHOP, SHOP_NAME)

    class Counting(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
            found = handler.service(handler_call_details)
            if found is not None:
                asked.release()
            return found

    async with (
        running_backend(Backend(), Counting()) as target,
        running_front(reflect=target, reflect_poll=0.02) as front,
    ):
        for _ in range(10):
            await asyncio.wait_for(asked.acquire(), 20)
        contract = await front.contract()

    assert contract["generation"] == 1


async def test_each_service_is_served_by_the_host_that_has_it() -> None:
    """What both have is nobody's business as long as it has no rule. Descriptor sets are joined by writing one after
    the other."""
    async with (
        running_backend(Backend(), reflecting(SHOP + COMMON, SHOP_NAME, COMMON_NAME)) as one,
        running_backend(Backend(), reflecting(OTHER + COMMON, OTHER_NAME, COMMON_NAME)) as other,
        running_front(reflect=f"{one}, {other}") as front,
    ):
        await front.generation(2)
        answers = [await front.get("/v1/items/x"), await front.get("/v1/others/x")]
        ready = (await request(front.port, "GET", "/readyz")).json

    assert answers == [{"name": "x", "old": "/test.shop.v1.Shop/Get"}, {"name": "x", "rpc": "/test.other.v1.Other/Get"}]
    assert ready["upstreams"] == {one: "SERVING", other: "SERVING"}


async def test_a_host_that_is_missing_holds_up_its_own_paths_only() -> None:
    missing = f"127.0.0.1:{free_port()}"
    async with (
        running_backend(Backend(), reflecting(SHOP, SHOP_NAME)) as target,
        running_front(reflect=f"{missing},{target}") as front,
    ):
        await front.generation(1)
        statuses = [await front.status(path) for path in ("/v1/items/x", "/v1/others/x", "/readyz")]

    assert statuses == [200, 503, 503]


async def test_reflection_goes_beside_a_descriptor_set(tmp_path: Path) -> None:
    file = tmp_path / "other.binpb"
    file.write_bytes(OTHER)
    async with (
        running_backend(Backend(), reflecting(SHOP, SHOP_NAME)) as reflected,
        running_backend(Backend()) as upstream,
        running_front(
            reflect=reflected, upstreams={"test.other": upstream}, descriptor_set=file, descriptor_set_poll=0.02
        ) as front,
    ):
        first = await front.get("/v1/others/x")
        await front.generation(2)
        second = [await front.status("/v1/items/x"), await front.status("/v1/others/x")]
        file.write_bytes(shop(rpc("Get", 'get: "/v1/else/{name}"'), package="test.other.v1", service="Other"))
        await front.generation(3)
        third = [await front.status(path) for path in ("/v1/items/x", "/v1/others/x", "/v1/else/x")]

    assert first["rpc"] == "/test.other.v1.Other/Get"
    assert (second, third) == ([200, 200], [200, 404, 200])


RIVAL = shop(rpc("Get", 'get: "/v1/items/{name}"'), package="test.rival.v1", service="Rival")


@pytest.mark.parametrize(
    ("contract", "service", "sentence"),
    [
        (RIVAL, "test.rival.v1.Rival", "Get (GET /v1/items/{name}) and "),
        (SHOP, SHOP_NAME, "test.shop.v1.Shop is served by 127.0.0.1:"),
        (shop(GET, answer="unlike"), SHOP_NAME, "there are two different files test.shop.v1.shop.proto"),
    ],
    ids=["rule", "service", "file"],
)
async def test_what_two_hosts_cannot_both_have_is_told_and_the_first_goes_on(
    contract: bytes, service: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    async with (
        running_backend(Backend(), reflecting(SHOP, SHOP_NAME)) as one,
        running_front(reflect=f"{one},127.0.0.1:{port}", reflect_poll=0.05) as front,
    ):
        await front.generation(1)
        caplog.clear()
        async with running_backend(Backend(), reflecting(contract, service), port=port):
            async with asyncio.timeout(20):
                while not any(sentence in error for error in errors(caplog)):
                    await asyncio.sleep(0.01)
            answer = await front.get("/v1/items/x")
            ready = await front.status("/readyz")

    assert answer["old"] == "/test.shop.v1.Shop/Get"
    assert ready == 503


async def test_an_upstream_decides_who_serves_what_two_hosts_have(tmp_path: Path) -> None:
    file = tmp_path / "shop.binpb"
    file.write_bytes(SHOP)
    async with (
        running_backend(Backend(), reflecting(SHOP, SHOP_NAME)) as one,
        running_backend(Backend(), reflecting(SHOP, SHOP_NAME)) as other,
        running_front(reflect=f"{one},{other}", upstreams={"test.shop": one}, descriptor_set=file) as front,
    ):
        await front.generation(3)
        assert await front.status("/v1/items/x") == 200


def _error(message: str) -> Answer:
    def answer(request: ServerReflectionRequest) -> ServerReflectionResponse:
        response = ServerReflectionResponse()
        if request.HasField("list_services"):
            response.list_services_response.service.add(name=SHOP_NAME)
        else:
            response.error_response.error_message = message
        return response

    return answer


def _files(*files: bytes) -> Answer:
    def answer(request: ServerReflectionRequest) -> ServerReflectionResponse:
        response = ServerReflectionResponse()
        if request.HasField("list_services"):
            response.list_services_response.service.add(name=SHOP_NAME)
        else:
            response.file_descriptor_response.file_descriptor_proto.extend(files)
        return response

    return answer


def _nothing(request: ServerReflectionRequest) -> ServerReflectionResponse:
    return ServerReflectionResponse()


def _importing(name: str) -> bytes:
    file = FileDescriptorProto(name="a.proto", package="test.shop.v1", dependency=[name])
    file.service.add(name="Shop")
    return file.SerializeToString()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "does not tell its contract: UNIMPLEMENTED"),
        (_error("no such thing"), "does not tell test.shop.v1.Shop: no such thing"),
        (_files(), "does not tell test.shop.v1.Shop"),
        (_files(b"\xff"), "tells no valid file for test.shop.v1.Shop"),
        (_files(_importing("b.proto")), "does not tell b.proto"),
        (_files(_importing("a.proto")), "tells of a.proto, which imports itself"),
        (_nothing, "no rpc with an http rule in 127.0.0.1:"),
    ],
    ids=["no reflection", "error", "no file", "nonsense", "no import", "cycle", "no service"],
)
async def test_a_server_that_tells_no_contract_is_told_of_and_asked_again(
    answer: Answer | None, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[grpc.GenericRpcHandler] = [answering(answer) if answer is not None else Backend()]

    class Changing(grpc.GenericRpcHandler):
        def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
            return told[-1].service(handler_call_details)

    async with (
        running_backend(Backend(), Changing()) as target,
        running_front(reflect=target, reflect_poll=0.05) as front,
    ):
        await front.failures(1)
        before = await front.status("/v1/items/x")
        told.append(reflecting(SHOP, SHOP_NAME))
        await front.generation(1)
        after = await front.status("/v1/items/x")

    assert sentence in errors(caplog)[0]
    assert (before, after) == (503, 200)


async def test_the_command_needs_nothing_but_a_host() -> None:
    async with running_backend(Backend(), reflecting(SHOP, SHOP_NAME)) as target:
        command = [sys.executable, "-m", "stack", "gateway", "--reflect", target, "--port", "0"]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env={**os.environ}, stderr=asyncio.subprocess.PIPE
        )
        lines = _lines(process)
        port = int((await anext(lines))["address"].rpartition(":")[2])
        loaded = await anext(lines)
        response = await request(port, "GET", "/v1/items/x")
        process.terminate()
        await process.communicate()

    assert (loaded["message"], loaded["routes"]) == ("contract loaded", 2)
    assert response.json == {"name": "x", "old": "/test.shop.v1.Shop/Get"}


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[Any]:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        if line.startswith(b"{"):
            yield json.loads(line)


async def test_targets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_REFLECT", "one:1, two:2")
    several = GatewaySettings()
    monkeypatch.setenv("GATEWAY_REFLECT", "ipv4:10.0.0.1:1,10.0.0.2:1; two:2")
    replicas = GatewaySettings()
    monkeypatch.setenv("GATEWAY_REFLECT", "")

    assert several.reflect == ("one:1", "two:2")
    assert replicas.reflect == ("ipv4:10.0.0.1:1,10.0.0.2:1", "two:2")
    with pytest.raises(ValueError, match="expected upstreams, or targets to reflect"):
        GatewaySettings()
