"""Headers that reach the service, as metadata or as fields of the request, and those that do not."""

from pathlib import Path

import pytest

from gateway.headers import HeaderError, HeaderForwarding
from tests.gateway.http import request, request_json
from tests.gateway.serving import Running, running_library

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_allowed_headers_become_metadata_and_others_do_not(running: Running) -> None:
    headers = {
        "Authorization": "Bearer abc",
        "Accept-Language": "de",
        "X-Request-Id": "r1",
        "X-Secret": "no",
        "Cookie": "no",
        "Grpc-Metadata-Admin": "no",
        "TE": "gzip",
    }

    await request(running.port, "GET", "/v1/books/b1", headers)

    metadata = running.library.metadata
    assert metadata["authorization"] == "Bearer abc"
    assert (metadata["accept-language"], metadata["x-request-id"]) == ("de", "r1")
    assert not {"x-secret", "cookie", "grpc-metadata-admin", "admin", "host"} & metadata.keys()


async def test_the_gateway_adds_no_token_of_its_own(running: Running) -> None:
    await request(running.port, "GET", "/v1/books/b1")

    assert "authorization" not in running.library.metadata


async def test_a_trace_is_continued(running: Running) -> None:
    await request(running.port, "GET", "/v1/books/b1", {"traceparent": TRACEPARENT, "tracestate": "a=b"})

    assert running.library.metadata["traceparent"] == TRACEPARENT
    assert running.library.metadata["tracestate"] == "a=b"


@pytest.mark.parametrize("received", [None, "", "nonsense", TRACEPARENT.replace("00-", "ff-"), "00-" + "0" * 52])
async def test_a_trace_begins_where_none_is_usable(running: Running, received: str | None) -> None:
    await request(running.port, "GET", "/v1/books/b1", {"traceparent": received} if received is not None else {})

    assert len(str(running.library.metadata["traceparent"])) == len(TRACEPARENT)
    assert running.library.metadata["traceparent"] != received


async def test_where_a_request_came_from_is_told(running: Running) -> None:
    await request(running.port, "GET", "/v1/books/b1")
    direct = dict(running.library.metadata)
    proxied = {"x-forwarded-for": "1.2.3.4", "x-forwarded-host": "api.example.com", "x-forwarded-proto": "https"}
    await request(running.port, "GET", "/v1/books/b1", proxied)

    names = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto")
    assert [direct[name] for name in names] == ["127.0.0.1", "test", "http"]
    assert [running.library.metadata[name] for name in names] == ["1.2.3.4, 127.0.0.1", "api.example.com", "https"]


@pytest.mark.parametrize("name", ["authorization", "x-forwarded-for", "x-forwarded-host"])
async def test_a_value_that_metadata_cannot_carry_is_a_400(running: Running, name: str) -> None:
    response = await request(running.port, "GET", "/v1/books/b1", {name: "Bearer \xe9"})

    assert (response.status, response.reason) == (400, "INVALID_HEADER")


async def test_a_bin_header_is_carried_as_bytes(tmp_path: Path) -> None:
    async with running_library(tmp_path, forwarded_headers=("x-data-bin",)) as running:
        good = await request(running.port, "GET", "/v1/books/b1", {"x-data-bin": "AP8"})
        bad = await request(running.port, "GET", "/v1/books/b1", {"x-data-bin": "!"})

    assert (good.status, running.library.metadata["x-data-bin"]) == (200, b"\x00\xff")
    assert (bad.status, bad.fields) == (400, ["x-data-bin"])


@pytest.mark.parametrize(
    "name", ["connection", "te", "transfer-encoding", "host", "content-length", "grpc-timeout", "upgrade", "ä"]
)
async def test_a_hop_by_hop_header_cannot_be_allowed(name: str) -> None:
    with pytest.raises(HeaderError, match="cannot be forwarded"):
        HeaderForwarding([name])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2S", 2),
        ("1500m", 1.5),
        ("1M", 60),
        ("1H", 3600),
        ("2000000u", 2),
        ("99999999n", 0.1),
        ("99999999H", 365 * 24 * 3600),
    ],
)
async def test_grpc_timeout_sets_the_deadline(running: Running, value: str, seconds: float) -> None:
    await request(running.port, "GET", "/v1/books/b1", {"grpc-timeout": value})

    remaining = running.library.time_remaining
    assert remaining is not None
    assert seconds * 0.3 < remaining < seconds * 1.01  # gRPC rounds up on the wire


@pytest.mark.parametrize("value", ["", "5", "S", "5s", "-1S", "1.5S", "123456789S", "5 S"])
async def test_a_bad_grpc_timeout_is_a_400(running: Running, value: str) -> None:
    response = await request(running.port, "GET", "/v1/books/b1", {"grpc-timeout": value})

    assert (response.status, response.fields) == (400, ["grpc-timeout"])


async def test_without_it_the_policy_and_then_the_settings_say(running: Running) -> None:
    await request(running.port, "GET", "/v1/books/b1")
    of_policy = running.library.time_remaining
    await request(running.port, "GET", "/v1/echo")
    of_settings = running.library.time_remaining

    assert of_policy is not None
    assert of_settings is not None
    assert of_policy < 0.31 < 29 < of_settings < 30.3  # gRPC rounds up on the wire


@pytest.mark.parametrize("value", ['"1.2"', "1.2", 'W/"1.2"', ' "1.2" '])
async def test_if_match_is_the_requests_etag(running: Running, value: str) -> None:
    response = await request_json(running.port, "PATCH", "/v1/books/b1", {"title": "x"}, if_match=value)

    assert response.json["etag"] == "1.2"


async def test_any_version_is_no_etag(running: Running) -> None:
    response = await request_json(running.port, "PATCH", "/v1/books/b1", {"title": "x"}, if_match="*")

    assert "etag" not in response.json


async def test_an_etag_in_the_request_itself_wins(running: Running) -> None:
    response = await request_json(running.port, "PATCH", "/v1/books/b1?etag=own", {"title": "x"}, if_match='"1.2"')

    assert response.json["etag"] == "own"


async def test_several_etags_cannot_be_matched(running: Running) -> None:
    response = await request_json(running.port, "PATCH", "/v1/books/b1", {"title": "x"}, if_match='"1", "2"')

    assert (response.status, response.fields) == (400, ["if-match"])


async def test_a_write_that_takes_no_etag_refuses_if_match(running: Running) -> None:
    write = await request_json(running.port, "POST", "/v1/books", {"title": "x"}, if_match='"1"')
    read = await request(running.port, "GET", "/v1/echo", {"if-match": '"1"'})

    assert (write.status, write.reason) == (400, "UNSUPPORTED_PRECONDITION")
    assert read.status == 200


@pytest.mark.parametrize("value", ["abc", '"abc"'])
async def test_idempotency_key_is_the_requests_id(running: Running, value: str) -> None:
    await request_json(running.port, "POST", "/v1/books", {"title": "x"}, idempotency_key=value)

    assert running.library.seen[0].request_id == "abc"


@pytest.mark.parametrize("key", ["own", '"own"'])
async def test_an_idempotency_key_may_repeat_the_request_id(running: Running, key: str) -> None:
    await request_json(running.port, "POST", "/v1/books?requestId=own", {"title": "x"}, idempotency_key=key)

    assert running.library.seen[0].request_id == "own"


@pytest.mark.parametrize("key", ["abc", '"abc"', "OWN", "", "*"])
async def test_an_idempotency_key_must_not_contradict_the_request_id(running: Running, key: str) -> None:
    # Whichever won, a client that repeats the request by the other one would do it twice.
    response = await request_json(running.port, "POST", "/v1/books?requestId=own", {"title": "x"}, idempotency_key=key)

    assert (response.status, response.reason) == (400, "CONTRADICTORY_HEADER")
    assert response.fields == ["idempotency-key", "requestId"]
    assert response.error["message"] == "idempotency-key: differs from requestId of the request"
    assert running.library.seen == []


async def test_idempotency_key_without_a_field_is_nothing(running: Running) -> None:
    response = await request(running.port, "DELETE", "/v1/books/b1", {"idempotency-key": "abc"})

    assert response.status == 204
