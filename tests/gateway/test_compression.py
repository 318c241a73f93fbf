"""Content codings: RFC 9110 sections 8.4 and 12.5.3 for responses, 15.5.16 for requests. Each row is one request."""

import asyncio
import json
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import brotli
import pytest
from google.api.httpbody_pb2 import HttpBody
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.compression import Compression, decompressed
from gateway.errors import RequestRefused
from tests.gateway.contracts import Message, library_message
from tests.gateway.http import Response, request, request_json
from tests.gateway.serving import Running, running_library

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOOK = "/v1/books/b1"
TITLE = "a title that says the same " * 100

_brotli: Any = brotli  # which has no types
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": zstd.decompress,
    "br": _brotli.decompress,
    "gzip": lambda body: zlib.decompress(body, 31),
}


def gzipped(body: bytes) -> bytes:
    return zlib.compress(body, 9, 31)


@pytest.fixture
def large(running: Running) -> Running:
    """A gateway whose book is large."""
    running.library.book.title = TITLE
    return running


async def get(running: Running, coding: str | None, target: str = BOOK, **headers: str) -> Response:
    names = {"grpc-timeout": "20S"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await request(
        running.port, "GET", target, names | ({"accept-encoding": coding} if coding is not None else {})
    )


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        (None, None),
        ("", None),
        ("gzip", "gzip"),
        ("GZip", "gzip"),
        ("x-gzip", "gzip"),
        ("br", "br"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("gzip ; q=0.1 , br ; q=0.2", "br"),
        ("br;q=0.9, gzip;q=0.8, zstd;q=0", "br"),
        ("*", "zstd"),
        ("zstd;q=0, *;q=0.1", "br"),
        ("gzip;q=0.2, *;q=0", "gzip"),
        ("*;q=0", None),
        ("gzip;q=0", None),
        ("gzip;q=0.000", None),
        ("gzip;q=0.001", "gzip"),
        ("gzip;q=much", None),
        ("identity", None),
        ("identity, gzip", "gzip"),
        ("identity;q=0.5, gzip;q=0.4", None),
        ("identity;q=0", None),
        ("deflate", None),
        (",;q=,=", None),
        ("\xff", None),
    ],
)
async def test_the_coding_is_the_one_that_the_client_prefers(
    large: Running, accept: str | None, coding: str | None
) -> None:
    response = await get(large, accept)

    body = DECODERS[coding](response.body) if coding else response.body
    assert (response.headers.get("content-encoding"), response.headers["vary"]) == (coding, "accept-encoding")
    assert json.loads(body)["title"] == TITLE
    assert coding is None or len(response.body) < 200


async def test_what_is_small_is_sent_as_it_is(running: Running) -> None:
    response = await get(running, "gzip")

    assert response.json["title"] == "Emma"
    assert not {"content-encoding", "vary"} & response.headers.keys()


@pytest.mark.parametrize(("accept", "tag"), [("gzip", 'W/"1.2"'), ("zstd", 'W/"1.2"'), ("identity", '"1.2"')])
async def test_other_bytes_have_another_etag(large: Running, accept: str, tag: str) -> None:
    # RFC 9110 section 8.8.3.3: a strong tag is of one coding only.
    assert (await get(large, accept)).headers["etag"] == tag


@pytest.mark.parametrize("accept", ["gzip", "identity"])
@pytest.mark.parametrize(
    ("condition", "tag"),
    [('"1.2"', '"1.2"'), ('W/"1.2"', 'W/"1.2"'), ('"1.1", W/"1.2"', 'W/"1.2"'), ("*", '"1.2"')],
)
async def test_what_a_client_has_is_a_304_in_every_coding(
    large: Running, accept: str, condition: str, tag: str
) -> None:
    # RFC 9110 section 15.4.5: a 304 has the ETag and the Vary of the 200.
    response = await get(large, accept, if_none_match=condition)

    assert (response.status, response.headers["etag"], response.headers["vary"]) == (304, tag, "accept-encoding")
    assert "content-encoding" not in response.headers


async def test_the_etag_of_a_compressed_answer_serves_for_a_write(large: Running) -> None:
    tag = (await get(large, "gzip")).headers["etag"]

    response = await request_json(large.port, "PATCH", BOOK, {"title": "x"}, if_match=tag)

    assert response.json["etag"] == "1.2"


@pytest.mark.parametrize("accept", ["zstd", "br", "gzip", "identity"])
async def test_head_says_what_get_says(large: Running, accept: str) -> None:
    full = await get(large, accept)
    head = await request(large.port, "HEAD", BOOK, {"accept-encoding": accept, "grpc-timeout": "20S"})

    names = ("content-length", "content-type", "content-encoding", "etag", "vary")
    assert [head.headers.get(name) for name in names] == [full.headers.get(name) for name in names]
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    ("content_type", "compressed"),
    [
        ("text/csv", True),
        ("text/html; charset=utf-8", True),
        ("application/json", True),
        ("Application/JSON", True),
        ("application/geo+json", True),
        ("application/problem+xml; charset=utf-8", True),
        ("image/svg+xml", True),
        ("application/javascript", True),
        ("image/png", False),
        ("video/mp4", False),
        ("application/zip", False),
        ("application/gzip", False),
        ("application/pdf", False),
        ("application/octet-stream", False),
        ("application/jsonish", False),
        ("nonsense", False),
    ],
)
async def test_files_are_compressed_when_they_are_texts(running: Running, content_type: str, compressed: bool) -> None:
    data = b"one,two,three\n" * 500

    async def act(request: Message, context: Any) -> Message:
        return HttpBody(content_type=content_type, data=data)

    running.library.act = act
    response = await get(running, "gzip", "/v1/files/f")

    assert ("content-encoding" in response.headers, "vary" in response.headers) == (compressed, compressed)
    assert (DECODERS["gzip"](response.body) if compressed else response.body) == data
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson", "application/json"])
async def test_streams_are_sent_as_they_are(running: Running, accept: str) -> None:
    async def one(request: Message, context: Any) -> AsyncIterator[Message]:
        yield library_message("Book")(title=TITLE)

    running.library.stream = one
    response = await get(running, "gzip, br, zstd", f"{BOOK}:watch", accept=accept)

    assert TITLE.encode() in response.body
    assert (response.headers.get("content-encoding"), response.headers["vary"]) == (None, "accept")


async def test_the_answer_to_a_client_stream_is_compressed(running: Running) -> None:
    async def collect(requests: AsyncIterator[Message], context: Any) -> AsyncIterator[Message]:
        yield library_message("Everything")(tags=[one.book.title async for one in requests])

    running.library.stream = collect
    response = await request(
        running.port,
        "POST",
        "/v1/shelves/s1:collect",
        {"accept-encoding": "gzip"},
        json.dumps([{"title": "x" * 2000}]).encode(),
    )

    assert json.loads(DECODERS["gzip"](response.body))["tags"] == ["x" * 2000]


@pytest.mark.parametrize(
    ("target", "compressed"),
    [
        ("/openapi.json", True),
        ("/docs/swagger-ui-bundle.js", True),
        ("/docs/swagger-ui.css", True),
        ("/docs/favicon.png", False),
        ("/healthz", False),
    ],
)
async def test_the_own_pages_are_compressed_when_they_are_large(
    running: Running, target: str, compressed: bool
) -> None:
    plain, response = await get(running, None, target), await get(running, "br", target)

    assert ("content-encoding" in response.headers) is compressed
    assert (DECODERS["br"](response.body) if compressed else response.body) == plain.body
    assert response.headers["content-type"] == plain.headers["content-type"]
    assert response.headers.get("cache-control") == plain.headers.get("cache-control")


@pytest.mark.parametrize(
    ("options", "accept", "coding", "vary"),
    [
        ({"compression": ()}, "gzip", None, None),
        ({"compression": ("gzip",)}, "br, gzip;q=0.1", "gzip", "accept-encoding"),
        ({"compression": ("gzip", "br")}, "br, gzip", "gzip", "accept-encoding"),
        ({"compression_minimum": 100_000}, "gzip", None, None),
    ],
)
async def test_settings_say_which_codings_and_from_which_size(
    tmp_path: Path, options: dict[str, Any], accept: str, coding: str | None, vary: str | None
) -> None:
    async with running_library(tmp_path, **options) as running:
        running.library.book.title = TITLE
        response = await get(running, accept)

    assert (response.headers.get("content-encoding"), response.headers.get("vary")) == (coding, vary)


@settings(deadline=None)
@given(
    accept=st.lists(
        st.sampled_from(["gzip", "br", "zstd", "*", "identity", ";q=0", ";q=0.5", ";", ",", "=", "nan", "x"])
    )
)
async def test_whatever_a_client_accepts_it_can_read(accept: list[str]) -> None:
    headers = [(b"content-type", b"application/json")]
    body = await Compression(("zstd", "br", "gzip"), 1).apply("".join(accept).encode(), headers, b"[1]" * 100)

    coding = dict(headers).get(b"content-encoding", b"").decode()
    assert (DECODERS[coding](body) if coding else body) == b"[1]" * 100


@settings(deadline=None)
@given(body=st.one_of(st.binary(), st.binary().map(gzipped)), limit=st.integers(0, 50), cut=st.integers(0, 30))
async def test_whatever_is_said_to_be_gzip_is_within_the_limit_or_refused(body: bytes, limit: int, cut: int) -> None:
    with suppress(RequestRefused):
        assert len(await decompressed({b"content-encoding": b"gzip"}, body[: len(body) - cut], limit)) <= limit


async def test_a_large_body_does_not_hold_up_the_loop() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    body = json.dumps([{"number": number} for number in range(200_000)]).encode()
    await Compression(("gzip",), 1024).apply(b"gzip", [(b"content-type", b"application/json")], body)
    task.cancel()

    assert turns > 10


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "identity", " identity "])
async def test_a_body_may_be_compressed(running: Running, coding: str) -> None:
    body = json.dumps({"text": "x" * 10_000}).encode()
    sent = body if "identity" in coding else gzipped(body)

    response = await request(running.port, "POST", "/v1/echo", {"content-encoding": coding}, sent)

    assert response.json["text"] == "x" * 10_000


async def test_a_file_may_come_compressed(running: Running) -> None:
    headers = {"content-encoding": "gzip", "content-type": "text/csv"}

    response = await request(running.port, "PUT", "/v1/files/f", headers, gzipped(b"a,b\n"))

    assert (response.body, response.headers["content-type"]) == (b"a,b\n", "text/csv")


SOME = gzipped(b"{}")


@pytest.mark.parametrize(
    ("coding", "body", "status", "reason", "field"),
    [
        ("br", b"x", 415, "UNSUPPORTED_CONTENT_ENCODING", "content-encoding"),
        ("gzip, gzip", SOME, 415, "UNSUPPORTED_CONTENT_ENCODING", "content-encoding"),
        ("gzip", b"{}", 400, "INVALID_BODY", "body"),
        ("gzip", SOME[:-1], 400, "INVALID_BODY", "body"),
        ("gzip", SOME[:5], 400, "INVALID_BODY", "body"),
        ("gzip", SOME + b"x", 400, "INVALID_BODY", "body"),
        ("gzip", SOME[:-8] + bytes(8), 400, "INVALID_BODY", "body"),
        ("gzip", gzipped(b" " * 1024 * 1024 + b"{}"), 413, "BODY_TOO_LARGE", "body"),
        ("gzip", gzipped(b" " * 50_000_000), 413, "BODY_TOO_LARGE", "body"),
    ],
)
async def test_a_body_that_is_not_gzip_or_too_much_is_refused(
    running: Running, coding: str, body: bytes, status: int, reason: str, field: str
) -> None:
    response = await request(running.port, "POST", "/v1/echo", {"content-encoding": coding}, body)

    assert (response.status, response.reason, response.fields) == (status, reason, [field])
    assert response.headers.get("accept-encoding") == ("gzip" if status == 415 else None)


async def test_a_stream_of_messages_must_not_be_compressed(running: Running) -> None:
    response = await request(running.port, "POST", "/v1/shelves/s1:collect", {"content-encoding": "gzip"}, SOME)

    assert (response.status, response.reason) == (415, "UNSUPPORTED_CONTENT_ENCODING")
    assert response.headers["accept-encoding"] == "identity"
