"""The cookie in which browsers bring their token: gateway.md, "Browsers may authenticate by a `__Host-` cookie"."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from openapi_spec_validator import OpenAPIV31SpecValidator
from websockets.exceptions import InvalidStatus

from gateway.headers import HeaderError, HeaderForwarding
from gateway.settings import GatewaySettings
from tests.gateway.http import Response, request
from tests.gateway.serving import Running, aborting, running_library
from tests.gateway.sockets import hear, socket

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALK = "/v1/talks/t"
NAME = "__Host-token"
COOKIE = f"{NAME}=abc.def"
APP = "https://app.example"
OWN = "http://test"
"""The Host that tests ask for is `test`."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def by_cookie(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder: Path = tmp_path_factory.mktemp("cookie")
    async with running_library(folder, auth_cookie=NAME, allowed_origins=(APP,)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_to_all(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder: Path = tmp_path_factory.mktemp("cookie-any")
    async with running_library(folder, auth_cookie=NAME, allowed_origins=("*",)) as running:
        yield running


@pytest.fixture
def seen(by_cookie: Running) -> Running:
    by_cookie.library.metadata.clear()
    by_cookie.library.stream = None
    return by_cookie


async def ask(running: Running, method: str, headers: dict[str, str], target: str = "/v1/books/b1") -> Response:
    body = b"[{}]" if target.startswith(TALK) else b"{}" if method in ("POST", "PATCH") else None
    return await request(running.port, method, target, {"grpc-timeout": "20S", **headers}, body)


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({"cookie": COOKIE}, "Bearer abc.def"),
        ({"cookie": f"a=b; {COOKIE};c=d"}, "Bearer abc.def"),
        ({"cookie": f"{COOKIE}; {COOKIE}"}, "Bearer abc.def"),
        ({"cookie": f"{NAME}=a-._~+/9=="}, "Bearer a-._~+/9=="),
        ({"cookie": COOKIE, "authorization": "Bearer own"}, "Bearer own"),
        ({"cookie": COOKIE, "authorization": "Basic x"}, "Basic x"),
        ({"cookie": f"x{COOKIE}; {COOKIE.lower()}; token=abc; {NAME}=; {NAME}"}, None),
        ({"cookie": ""}, None),
        ({}, None),
    ],
)
async def test_the_cookie_is_the_token_unless_there_is_one(
    seen: Running, headers: dict[str, str], token: str | None
) -> None:
    response = await ask(seen, "GET", headers)

    assert (response.status, seen.library.metadata.get("authorization")) == (200, token)


@pytest.mark.parametrize("cookie", [f"{NAME}=a b", f'{NAME}="abc"', f"{COOKIE}; {NAME}=other", f"{NAME}=\xe9"])
async def test_a_cookie_that_is_no_token_is_a_400(seen: Running, cookie: str) -> None:
    response = await ask(seen, "GET", {"cookie": cookie})

    assert (response.status, response.reason, response.fields) == (400, "INVALID_COOKIE", ["cookie"])
    assert NAME in response.error["message"]
    assert "abc" not in response.error["message"]


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"origin": "https://evil.example"}, 200),
        ("HEAD", {}, 200),
        ("DELETE", {}, 403),
        ("PATCH", {"origin": "https://evil.example"}, 403),
        ("PATCH", {"origin": "null"}, 403),
        ("PATCH", {"origin": ""}, 403),
        ("PATCH", {"origin": "http://test:81"}, 403),
        ("PATCH", {"origin": OWN}, 200),
        ("PATCH", {"origin": "https://test"}, 200),
        ("PATCH", {"origin": OWN, "x-forwarded-proto": "https"}, 403),
        ("PATCH", {"origin": "https://test", "x-forwarded-proto": "https"}, 200),
        ("PATCH", {"origin": APP}, 200),
        ("PATCH", {"origin": "https://evil.example", "authorization": "Bearer own"}, 200),
        ("PURGE", {"origin": "https://evil.example"}, 403),
    ],
)
async def test_a_write_by_cookie_comes_from_a_known_page(
    seen: Running, method: str, headers: dict[str, str], status: int
) -> None:
    target = "/v1/echo" if method == "PURGE" else "/v1/books/b1"

    response = await ask(seen, method, {"cookie": COOKIE, **headers}, target)

    assert (response.status, bool(seen.library.metadata)) == (status, status == 200)
    if status == 403:
        assert (response.reason, response.fields) == ("ORIGIN_NOT_ALLOWED", ["origin"])


@pytest.mark.parametrize(("origin", "status"), [(APP, 403), (OWN, 200)])
async def test_every_origin_may_be_allowed_but_not_to_write_by_cookie(
    open_to_all: Running, origin: str, status: int
) -> None:
    assert (await ask(open_to_all, "PATCH", {"cookie": COOKIE, "origin": origin})).status == status
    assert (await ask(open_to_all, "PATCH", {"origin": origin})).status == 200


async def test_the_refusal_may_be_read_where_reading_is_allowed(open_to_all: Running) -> None:
    response = await ask(open_to_all, "PATCH", {"cookie": COOKIE, "origin": APP})

    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("origin", [APP, "http://127.0.0.1:{port}"])
async def test_a_socket_by_cookie_comes_from_a_known_page(seen: Running, origin: str) -> None:
    async with socket(seen.port, TALK, {"cookie": COOKIE, "origin": origin.format(port=seen.port)}) as connection:
        await connection.send("")
        assert await hear(connection) == ([{}], 1000)

    assert seen.library.metadata["authorization"] == "Bearer abc.def"


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.example"}, {"origin": "null"}])
async def test_a_socket_by_cookie_of_any_other_page_is_refused(seen: Running, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket(seen.port, TALK, {"cookie": COOKIE, **headers}):
            pass

    response = refused.value.response
    assert Response(response.status_code, {}, bytes(response.body or b"")).reason == "ORIGIN_NOT_ALLOWED"
    assert (response.status_code, seen.library.metadata) == (403, {})


async def test_every_origin_may_be_allowed_but_not_a_socket_by_cookie(open_to_all: Running) -> None:
    with pytest.raises(InvalidStatus):
        async with socket(open_to_all.port, TALK, {"cookie": COOKIE, "origin": APP}):
            pass


async def test_an_answer_to_a_cookie_is_nobody_elses(seen: Running) -> None:
    with_cookie = await ask(seen, "GET", {"cookie": COOKIE})
    without = await ask(seen, "GET", {"authorization": "Bearer own"})

    assert with_cookie.headers["cache-control"] == "private"
    assert "cache-control" not in without.headers


async def test_a_refused_token_is_said_to_be_invalid_whatever_brought_it(seen: Running) -> None:
    seen.library.act = aborting(grpc.StatusCode.UNAUTHENTICATED, "no")
    try:
        response = await ask(seen, "GET", {"cookie": COOKIE})
    finally:
        seen.library.act = None

    assert (response.status, response.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')


@pytest.mark.parametrize("target", ["/v1/books/b1", "/v1/books/b1:watch", TALK])
async def test_cookies_are_never_forwarded(seen: Running, target: str) -> None:
    cookie = f"session=s3cret; {COOKIE}"
    if "talks" in target:
        async with socket(seen.port, target, {"cookie": cookie, "origin": APP}) as connection:
            await connection.send("")
            await hear(connection)
    else:
        await request(seen.port, "GET", target, {"cookie": cookie})

    assert seen.library.metadata["authorization"] == "Bearer abc.def"
    assert "cookie" not in seen.library.metadata
    assert not any("s3cret" in str(value) or NAME in str(value) for value in seen.library.metadata.values())


@pytest.mark.parametrize("target", ["/v1/books/b1", "/v1/books/b1:watch", TALK])
async def test_without_the_setting_no_cookie_is_looked_at(running: Running, target: str) -> None:
    if "talks" in target:
        async with socket(running.port, target, {"cookie": COOKIE}) as connection:
            await connection.send("")
            await hear(connection)
    else:
        await request(running.port, "GET", target, {"cookie": COOKIE})

    assert not {"cookie", "authorization"} & running.library.metadata.keys()


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1/books/b1"),
        ("DELETE", "/v1/books/b1"),
        ("POST", "/v1/books"),
        ("POST", "/v1/echo"),
        ("GET", "/v1/books/b1:watch"),
        ("POST", TALK),
        ("GET", "/v1/files/f"),
    ],
)
async def test_a_token_in_the_query_is_refused(seen: Running, method: str, target: str) -> None:
    response = await ask(seen, method, {}, f"{target}?access_token=abc")

    assert (response.status, response.fields) == (400, ["access_token"])
    assert "authorization" not in seen.library.metadata


async def test_a_token_in_the_query_of_a_socket_is_refused(seen: Running) -> None:
    async with socket(seen.port, f"{TALK}?access_token=abc") as connection:
        await connection.send("{}")
        heard, code = await hear(connection)

    assert (heard[0]["error"]["message"][:48], code) == ("message 1: access_token: unknown query parameter", 4400)
    assert "authorization" not in seen.library.metadata


@pytest.mark.parametrize("name", ["cookie", "Cookie"])
async def test_cookies_as_a_whole_cannot_be_allowed(name: str) -> None:
    with pytest.raises(HeaderError, match="cannot be forwarded"):
        HeaderForwarding([name.lower()])


async def test_a_cookie_that_nothing_forwards_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(HeaderError, match="needs authorization among the forwarded headers"):
        async with running_library(tmp_path, auth_cookie=NAME, forwarded_headers=("x-tenant",)):
            pass


@pytest.mark.parametrize("name", ["token", "__Secure-token", "__Host-", "__Host-a b", "__host-token"])
async def test_a_cookie_that_other_hosts_could_set_is_not_taken(name: str) -> None:
    with pytest.raises(ValueError, match="auth_cookie"):
        GatewaySettings(upstreams={"a": "b:1"}, auth_cookie=name)


async def test_the_document_tells_of_the_cookie(by_cookie: Running, running: Running) -> None:
    api = (await request(by_cookie.port, "GET", "/openapi.json")).json
    plain = (await request(running.port, "GET", "/openapi.json")).json

    scheme = api["components"]["securitySchemes"]["cookie"]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "cookie", NAME)
    assert api["paths"]["/v1/books"]["post"]["security"] == [{"bearer": ["librarian"]}, {"cookie": ["librarian"]}]
    assert api["paths"]["/v1/books/{book_id}"]["get"]["security"] == [{}, {"bearer": []}, {"cookie": []}]
    assert [error.message for error in OpenAPIV31SpecValidator(api).iter_errors()] == []
    assert "403" in api["paths"]["/v1/books/{book_id}"]["get"]["responses"]
    assert "403" not in plain["paths"]["/v1/books/{book_id}"]["get"]["responses"]
    assert "cookie" not in plain["components"]["securitySchemes"]
