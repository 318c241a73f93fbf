"""What a good answer looks like: status, headers, body (gateway.md, AIP-154, RFC 9110)."""

import pytest

from tests.gateway.http import Connection, request, request_json
from tests.gateway.serving import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_reply_is_json_with_its_length_and_etag(running: Running) -> None:
    response = await request(running.port, "GET", "/v1/books/b1")

    assert response.json == {"bookId": "b1", "title": "Emma", "etag": "1.2", "version": "2"}
    assert response.headers["content-type"] == "application/json"
    assert response.headers["etag"] == '"1.2"'


async def test_a_created_resource_is_201_with_its_location(running: Running) -> None:
    running.library.book.book_id = "a/b ü"

    response = await request_json(running.port, "POST", "/v1/books", {"title": "Emma"})

    assert (response.status, response.headers["location"]) == (201, "/v1/books/a%2Fb%20%C3%BC")


async def test_a_location_with_an_empty_part_is_left_out(running: Running) -> None:
    running.library.book.book_id = ""

    response = await request_json(running.port, "POST", "/v1/books", {"title": "Emma"})

    assert (response.status, "location" in response.headers) == (201, False)


async def test_empty_is_204_without_a_body(running: Running) -> None:
    response = await request(running.port, "DELETE", "/v1/books/b1")

    assert (response.status, response.headers.get("content-length")) == (204, None)


@pytest.mark.parametrize("path", ["/book/", "/api/book"])
async def test_an_alias_is_an_exact_extra_path(running: Running, path: str) -> None:
    assert (await request_json(running.port, "POST", path, {"title": "Emma"})).status == 201
    assert running.library.seen[0].book.title == "Emma"
    assert (await request_json(running.port, "POST", f"{path}x", {})).status == 404


@pytest.mark.parametrize("condition", ['"1.2"', 'W/"1.2"', '"0.1", "1.2"', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_current_etag_is_304(running: Running, method: str, condition: str) -> None:
    response = await request(running.port, method, "/v1/books/b1", {"if-none-match": condition})

    assert (response.status, response.body) == (304, b"")
    assert response.headers["etag"] == (condition if condition.startswith("W/") else '"1.2"')


@pytest.mark.parametrize("condition", ['"1.3"', "1.2", '"1"', '"2"', ""])
async def test_another_etag_is_200(running: Running, condition: str) -> None:
    response = await request(running.port, "GET", "/v1/books/b1", {"if-none-match": condition})

    assert response.status == 200


async def test_a_write_is_never_304(running: Running) -> None:
    response = await request_json(running.port, "POST", "/v1/books", {}, if_none_match='"1.2"')

    assert (response.status, response.headers["etag"]) == (201, '"1.2"')


async def test_without_an_etag_there_is_no_header(running: Running) -> None:
    running.library.book.etag = ""

    response = await request(running.port, "GET", "/v1/books/b1", {"if-none-match": "*"})

    assert (response.status, "etag" in response.headers) == (200, False)


async def test_head_is_get_without_the_body(running: Running) -> None:
    get = await request(running.port, "GET", "/v1/books/b1")
    head = await request(running.port, "HEAD", "/v1/books/b1")

    same = {"content-type", "content-length", "etag"}
    assert (head.status, head.body) == (200, b"")
    assert {name: head.headers[name] for name in same} == {name: get.headers[name] for name in same}


async def test_a_custom_kind_is_a_method(running: Running) -> None:
    assert (await request(running.port, "PURGE", "/v1/echo?text=x")).json == {"text": "x"}
    assert (await request(running.port, "LOCK", "/v1/every-method")).json == {}


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/v1/books/b1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/v1/books/b1:watch", "GET, HEAD, OPTIONS"),
        ("/v1/echo", "GET, HEAD, OPTIONS, POST, PURGE"),
    ],
)
async def test_options_says_what_is_allowed_and_anything_else_is_a_405_that_says_so(
    running: Running, path: str, allow: str
) -> None:
    options = await request(running.port, "OPTIONS", path)
    other = await request(running.port, "TRACE", path)

    assert (options.status, options.headers["allow"]) == (204, allow)
    assert (other.status, other.headers["allow"], other.reason) == (405, allow, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/books/", "/v1/books/b1/x", "/test.library.v1.BookService/HiddenBook"]
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
async def test_nothing_is_at_other_paths(running: Running, method: str, path: str) -> None:
    response = await request(running.port, method, path)

    assert (response.status, response.reason) == (404, "NO_ROUTE")


async def test_an_answer_that_is_no_message_is_a_500_that_says_nothing_of_it(running: Running) -> None:
    async def act(request: object, context: object) -> object:
        class Broken:
            def SerializeToString(self) -> bytes:
                return b"\xff\xff secret"

        return Broken()

    running.library.act = act

    response = await request(running.port, "GET", "/v1/books/b1")

    assert (response.status, response.error["status"], response.error["message"]) == (
        500,
        "INTERNAL",
        "The gateway failed.",
    )


async def test_a_connection_is_kept_and_pipelined_requests_are_answered_in_order(running: Running) -> None:
    connection = await Connection.open(running.port)
    for number in range(5):
        connection.send("GET", f"/v1/echo/{number}")

    assert [(await connection.response()).json["text"] for _ in range(5)] == ["0", "1", "2", "3", "4"]
    connection.close()
