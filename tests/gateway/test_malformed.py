"""Bytes that are no HTTP/1.1 request, or not one that may be served: each gets an AIP-193 error, and the connection
ends. RFC 9110 and 9112 say what is malformed; each case names the section, or what it would be good for."""

import asyncio
import logging

import pytest

from tests.gateway.http import Connection, Response
from tests.gateway.serving import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

GET = b"GET /v1/echo HTTP/1.1\r\nhost: x\r\n"
POST = b"POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
SOCKET = b"GET /v1/talks/t HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
KEY = b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"


async def answer_to(running: Running, raw: bytes) -> Response:
    """The last answer on a connection, which must end there, and at once."""
    connection = await Connection.open(running.port)
    connection.writer.write(raw)
    async with asyncio.timeout(5):
        response = await connection.response()
        assert await connection.reader.read() == b""
    connection.close()
    return response


@pytest.mark.parametrize(
    ("raw", "status", "why"),
    [
        # The request line: RFC 9112 section 3.
        (b"nonsense\r\n\r\n", 400, "no method"),
        (b"nonsense", 400, "known before the line ends"),
        (b"\x16\x03\x01\x00\xf5\x01\x00\x00\xf1\x03\x03", 400, "a TLS handshake on a plain port"),
        (b"get / HTTP/1.1\r\nhost: x\r\n\r\n", 400, "methods are case-sensitive"),
        (b"FETCH / HTTP/1.1\r\nhost: x\r\n\r\n", 400, "no method that the parser knows"),
        (b" GET / HTTP/1.1\r\nhost: x\r\n\r\n", 400, "a space before the method"),
        (b"GET HTTP/1.1\r\nhost: x\r\n\r\n", 400, "no target"),
        (b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n", 400, "a space in the target"),
        (b"GET /a\tb HTTP/1.1\r\nhost: x\r\n\r\n", 400, "a tab in the target"),
        (b"GET /\x00 HTTP/1.1\r\nhost: x\r\n\r\n", 400, "NUL in the target"),
        (b"GET /\x7f HTTP/1.1\r\nhost: x\r\n\r\n", 400, "a control character in the target"),
        ("GET /ü HTTP/1.1\r\nhost: x\r\n\r\n".encode(), 400, "a target that is not percent-encoded"),
        (b"GET http:// HTTP/1.1\r\nhost: x\r\n\r\n", 400, "an absolute target without a host"),
        (b"GET http://x HTTP/1.1\r\nhost: x\r\n\r\n", 400, "an absolute target without a path"),
        (b"CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n", 400, "this is no proxy"),
        (b"GET / HTTP/1.1\nhost: x\n\n", 400, "lines without CR"),
        (b"GET / HTTP/1.1\r host: x\r\n\r\n", 400, "a lone CR"),
        (b"GET / HTTX/1.1\r\nhost: x\r\n\r\n", 400, "another protocol"),
        # Versions: RFC 9110 section 15.6.6.
        (b"GET /v1/echo\r\n\r\n", 505, "HTTP/0.9 has neither version nor headers"),
        (b"GET / HTTP/0.9\r\nhost: x\r\n\r\n", 505, "HTTP/0.9 with headers"),
        (b"GET / HTTP/1.2\r\nhost: x\r\n\r\n", 505, "a version that is none"),
        (b"GET / HTTP/2.0\r\nhost: x\r\n\r\n", 505, "HTTP/2 in words"),
        (b"GET / HTTP/9.9\r\nhost: x\r\n\r\n", 505, "a version of the future"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "the preface of HTTP/2"),
        # Header fields: RFC 9112 section 5.
        (b"GET / HTTP/1.1\r\n\r\n", 400, "section 3.2: no Host"),
        (GET + b"host: y\r\n\r\n", 400, "section 3.2: two Hosts"),
        (GET + b"x-a : b\r\n\r\n", 400, "section 5.1: a space before the colon hides a field from a proxy"),
        (GET + b"x-a: b\r\n c\r\n\r\n", 400, "section 5.2: obs-fold"),
        (b"GET / HTTP/1.1\r\n host: x\r\n\r\n", 400, "section 2.2: space before the first field"),
        (GET + b"x-a: b\x00c\r\n\r\n", 400, "NUL in a value"),
        (GET + b"x\x00a: b\r\n\r\n", 400, "NUL in a name"),
        (GET + b"x-a: b\rc\r\n\r\n", 400, "section 2.2: a lone CR in a value"),
        (GET + b"x-a: b\nc: d\r\n\r\n", 400, "a lone LF in a value"),
        (GET + b"no-colon\r\n\r\n", 400, "no colon"),
        (GET + b": b\r\n\r\n", 400, "no name"),
        (GET + "ü: b\r\n\r\n".encode(), 400, "a name is a token"),
        # What delimits the body, where two readings smuggle a request: RFC 9112 section 6.
        (POST + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n", 400, "CL.TE"),
        (POST + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n", 400, "TE.CL"),
        (POST + b"content-length: 2\r\ncontent-length: 3\r\n\r\n", 400, "two lengths"),
        (POST + b"content-length: 2\r\ncontent-length: 2\r\n\r\n{}", 400, "one length twice"),
        (POST + b"content-length: 2, 2\r\n\r\n{}", 400, "a list of lengths"),
        (POST + b"content-length: +2\r\n\r\n{}", 400, "a sign"),
        (POST + b"content-length: -2\r\n\r\n{}", 400, "a negative length"),
        (POST + b"content-length: 0x2\r\n\r\n{}", 400, "a length is decimal"),
        (POST + b"content-length:\r\n\r\n{}", 400, "no length"),
        (POST + b"content-length: 99999999999999999999\r\n\r\n{}", 400, "a length beyond 64 bits"),
        (POST + b"transfer-encoding: gzip\r\n\r\n", 501, "a coding that does not end"),
        (POST + b"transfer-encoding: gzip, chunked\r\n\r\n", 501, "a coding that is not undone"),
        (POST + b"transfer-encoding: xchunked\r\n\r\n", 501, "no coding at all"),
        (POST + b"transfer-encoding: chunked, gzip\r\n\r\n", 400, "chunked is the last one"),
        (POST + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n", 400, "chunked twice"),
        (POST.replace(b"1.1", b"1.0") + b"transfer-encoding: chunked\r\n\r\n", 400, "not in HTTP/1.0"),
        # Chunks: RFC 9112 section 7.1.
        (CHUNKED + b"x\r\n", 400, "a size is hexadecimal"),
        (CHUNKED + b"-1\r\n{\r\n", 400, "a negative size"),
        (CHUNKED + b"ffffffffffffffffff\r\n", 400, "a size beyond 64 bits"),
        (CHUNKED + b"2\r\n{}}\r\n0\r\n\r\n", 400, "more than the size says"),
        (CHUNKED + b"2\n{}\n0\n\n", 400, "lines without CR"),
        (CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n", 400, "a space after the size"),
        (CHUNKED + b"2;a\nb\r\n{}\r\n0\r\n\r\n", 400, "a lone LF in an extension"),
        # Upgrades: RFC 9110 section 7.8, RFC 6455 section 4.2.
        (POST + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\n{}", 400, "the body would be lost"),
        (SOCKET + b"sec-websocket-version: 13\r\n\r\n", 400, "no key"),
        (SOCKET + b"sec-websocket-version: 13\r\nsec-websocket-key: AAAA\r\n\r\n", 400, "a key of 16 bytes"),
        (SOCKET + KEY + b"sec-websocket-version: 13\r\nsec-websocket-protocol: ,;\r\n\r\n", 400, "no token"),
        (SOCKET + KEY + b"\r\n", 426, "no version"),
        (SOCKET + KEY + b"sec-websocket-version: 8\r\n\r\n", 426, "a version that is not served"),
        (SOCKET + KEY + b"sec-websocket-version: 13\r\ncontent-length: 2\r\n\r\n{}", 400, "a handshake has no body"),
        (
            SOCKET + KEY + b"sec-websocket-version: 13\r\ncontent-length: 00\r\n\r\n",
            400,
            "a length that the library refuses",
        ),
        (SOCKET.replace(b"GET", b"POST") + KEY + b"sec-websocket-version: 13\r\n\r\n", 405, "a handshake is a GET"),
        (SOCKET + KEY + b"sec-websocket-version: 13\r\nx-a: %s\r\n\r\n" % (b"a" * 8200), 431, "the library's limit"),
    ],
)
async def test_what_is_no_request_is_refused_in_json(
    running: Running, caplog: pytest.LogCaptureFixture, raw: bytes, status: int, why: str
) -> None:
    with caplog.at_level(logging.WARNING):
        response = await answer_to(running, raw)

    assert (response.status, response.error["code"]) == (status, status), f"{why}: {response.body!r}"
    assert response.headers["content-type"] == "application/json"
    assert response.headers["connection"] == "close"
    assert response.reason
    assert not running.library.seen
    assert not [record for record in caplog.records if record.name != "asyncio"], caplog.text


@pytest.mark.parametrize(
    ("raw", "status", "why"),
    [
        (b"\r\n" + GET + b"\r\n", 200, "RFC 9112 section 2.2: an empty line before the request"),
        (b"GET http://x/v1/echo HTTP/1.1\r\nhost: x\r\n\r\n", 200, "section 3.2.2: a target in absolute form"),
        (b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", 404, "section 3.2.4: a target in asterisk form"),
        (b"GET /v1/echo HTTP/1.0\r\n\r\n", 200, "section 3.2: HTTP/1.0 needs no Host"),
        (GET + b"x-a:\r\nx-b: \t b \t\r\n\r\n", 200, "section 5: no value, and white space around one"),
        (GET + b"x-a: \xff\r\n\r\n", 200, "RFC 9110 section 5.5: obs-text"),
        (GET + b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\n\r\n", 200, "section 7.8: may be ignored"),
        (GET + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 0\r\n\r\n", 200, "the same with an empty body"),
        (POST + b"content-length: 0\r\n\r\n", 200, "an empty body"),
        (CHUNKED + b"2;a=b\r\n{}\r\n0\r\nx-a: b\r\n\r\n", 200, "RFC 9112 section 7.1: an extension, and a trailer"),
        (CHUNKED + b"000002\r\n{}\r\n0\r\n\r\n", 200, "zeros before a size"),
        (SOCKET + KEY + b"sec-websocket-version: 13\r\ncontent-length: 0\r\n\r\n", 101, "an empty body"),
    ],
)
async def test_what_is_odd_is_served_all_the_same(running: Running, raw: bytes, status: int, why: str) -> None:
    connection = await Connection.open(running.port)
    connection.writer.write(raw)

    async with asyncio.timeout(5):
        answered, _ = await connection.head()
    connection.close()

    assert answered == status, why
