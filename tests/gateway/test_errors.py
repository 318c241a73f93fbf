"""Errors as clients see them: AIP-193, the HTTP status of google/rpc/code.proto, Retry-After, WWW-Authenticate."""

import socket
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyProto
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from gateway.settings import GatewaySettings
from mesh.status import HTTP_STATUS
from tests.gateway.contracts import Message, library
from tests.gateway.http import request
from tests.gateway.serving import Handler, Running, running_gateway

_to_status: Any = rpc_status.to_status  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # grpc_status has no types
pytestmark = pytest.mark.asyncio(loop_scope="module")


def refusing(status: Status) -> Handler:
    """A service that answers with a typed error."""

    async def act(request: Message, context: Any) -> Message:
        await context.abort_with_status(_to_status(status))

    return act


def aborting(code: grpc.StatusCode, text: str) -> Handler:
    """A service that answers with a code and a text only."""

    async def act(request: Message, context: Any) -> Message:
        await context.abort(code, text)

    return act


def packed(*details: Message) -> list[AnyProto]:
    result: list[AnyProto] = []
    for detail in details:
        any_detail = AnyProto()
        any_detail.Pack(detail)
        result.append(any_detail)
    return result


@pytest.mark.parametrize("code", [code for code in HTTP_STATUS if code])
async def test_every_code_has_its_http_status(running: Running, code: int) -> None:
    running.library.act = refusing(Status(code=code, message="why"))

    response = await request(running.port, "GET", "/v1/books/b1")

    name = code_pb2.Code.Name(code)
    assert (response.status, response.error["code"]) == (HTTP_STATUS[code], HTTP_STATUS[code])
    assert (response.error["status"], response.error["message"]) == (name, "why")


async def test_details_arrive_as_json_with_their_types(running: Running) -> None:
    info = ErrorInfo(reason="SHELF_FULL", domain="library", metadata={"shelf": "s1"})
    violation = BadRequest.FieldViolation(field="book.title", description="too long")
    details = packed(info, BadRequest(field_violations=[violation]))
    running.library.act = refusing(Status(code=code_pb2.INVALID_ARGUMENT, message="no", details=details))

    response = await request(running.port, "GET", "/v1/books/b1")

    assert response.error["details"] == [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "SHELF_FULL",
            "domain": "library",
            "metadata": {"shelf": "s1"},
        },
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": "book.title", "description": "too long"}],
        },
    ]


async def test_a_detail_of_an_unknown_type_is_kept_as_bytes(running: Running) -> None:
    detail = AnyProto(type_url="type.googleapis.com/else.Where", value=b"\x00\x01")
    running.library.act = refusing(Status(code=code_pb2.ABORTED, message="no", details=[detail]))

    response = await request(running.port, "GET", "/v1/books/b1")

    assert response.error["details"] == [{"@type": "type.googleapis.com/else.Where", "value": "AAE="}]


@pytest.mark.parametrize(
    ("code", "delay", "seconds"),
    [
        pytest.param(code_pb2.UNAVAILABLE, None, "1", id="UNAVAILABLE has one by default"),
        pytest.param(code_pb2.RESOURCE_EXHAUSTED, None, "1", id="RESOURCE_EXHAUSTED too"),
        pytest.param(code_pb2.ABORTED, 2.5, "3", id="RetryInfo is rounded up"),
        pytest.param(code_pb2.UNAVAILABLE, 0.01, "1", id="and never 0"),
        pytest.param(code_pb2.ABORTED, None, None, id="others have none"),
    ],
)
async def test_retry_after_says_when(running: Running, code: int, delay: float | None, seconds: str | None) -> None:
    info = RetryInfo(retry_delay=Duration(seconds=int(delay), nanos=int(delay % 1 * 1e9))) if delay else None
    running.library.act = refusing(Status(code=code, message="later", details=packed(info) if info else []))

    response = await request(running.port, "GET", "/v1/books/b1")

    assert response.headers.get("retry-after") == seconds


@pytest.mark.parametrize(
    ("headers", "challenge"), [({}, "Bearer"), ({"authorization": "x"}, 'Bearer error="invalid_token"')]
)
async def test_a_401_says_how_to_authenticate(running: Running, headers: dict[str, str], challenge: str) -> None:
    running.library.act = refusing(Status(code=code_pb2.UNAUTHENTICATED, message="who?"))

    response = await request(running.port, "GET", "/v1/books/b1", headers)

    assert (response.status, response.headers["www-authenticate"]) == (401, challenge)


@pytest.mark.parametrize("code", [grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE])
async def test_a_text_that_is_nobodys_refusal_does_not_reach_the_client(
    running: Running, code: grpc.StatusCode
) -> None:
    running.library.act = aborting(code, "postgresql://user:password@db")

    response = await request(running.port, "GET", "/v1/books/b1")

    assert b"password" not in response.body
    assert response.reason == code.name


async def test_nor_does_an_uncaught_exceptions(running: Running) -> None:
    async def act(request: Message, context: Any) -> Message:
        raise RuntimeError("postgresql://user:password@db")

    running.library.act = act

    response = await request(running.port, "GET", "/v1/books/b1")

    assert (response.status, response.error["message"]) == (500, "The service failed.")


async def test_a_text_without_details_arrives_with_a_reason(running: Running) -> None:
    running.library.act = aborting(grpc.StatusCode.NOT_FOUND, "no such book")

    response = await request(running.port, "GET", "/v1/books/b1")

    assert (response.status, response.error["message"], response.reason) == (404, "no such book", "NOT_FOUND")


async def test_a_service_without_the_rpc_is_a_501(tmp_path: Path) -> None:
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with running_gateway(_settings(tmp_path, port)) as (gateway_port, _):
        response = await request(gateway_port, "GET", "/v1/books/b1")
    await server.stop(None)

    assert (response.status, response.error["status"]) == (501, "UNIMPLEMENTED")


async def test_a_service_that_is_away_is_a_503_at_once_and_is_found_when_it_comes(tmp_path: Path) -> None:
    held = socket.socket()  # keeps the port without listening on it
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("127.0.0.1", 0))
    port = held.getsockname()[1]
    server = grpc.aio.server()
    async with running_gateway(_settings(tmp_path, port)) as (gateway_port, _):
        away = await request(gateway_port, "GET", "/v1/books/b1")
        stream = await request(gateway_port, "GET", "/v1/books/b1:watch")
        server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        while (come := await request(gateway_port, "GET", "/v1/books/b1")).status == 503:
            pass
    await server.stop(None)
    held.close()

    assert (away.status, away.headers["retry-after"], away.reason) == (503, "1", "UNAVAILABLE")
    assert b"127.0.0.1" not in away.body
    assert stream.status == 503
    assert come.status == 501


async def test_a_deadline_that_passes_is_a_504(running: Running) -> None:
    async def act(request: Message, context: Any) -> Message:
        await running.library.cancelled.wait()

    running.library.act = act

    response = await request(running.port, "GET", "/v1/books/b1")

    assert (response.status, response.error["status"]) == (504, "DEADLINE_EXCEEDED")
    assert response.error["message"] == "The call did not end within its deadline."
    await running.library.cancelled.wait()


async def test_head_has_an_errors_headers_only(running: Running) -> None:
    running.library.act = refusing(Status(code=code_pb2.NOT_FOUND, message="no"))

    response = await request(running.port, "HEAD", "/v1/books/b1")

    assert (response.status, response.body) == (404, b"")


def _settings(tmp_path: Path, port: int) -> GatewaySettings:
    image = tmp_path / "library.binpb"
    image.write_bytes(library())
    return GatewaySettings(listen="127.0.0.1:0", upstreams={"test.library": f"127.0.0.1:{port}"}, descriptor_set=image)
