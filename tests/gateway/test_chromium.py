"""CORS and the cookie as the judge sees them: a page of another origin in Debian's Chromium (`.ci/run` installs it)."""

import asyncio
import json
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.contracts import Message, library_message
from tests.gateway.serving import running_library

pytestmark = pytest.mark.system

TITLE = "a b " * 1000
REFUSED = "TypeError: Failed to fetch"
PAGE = """<!DOCTYPE html><script>
const api = "http://localhost:PORT";
const socket = path => new Promise((done, fail) => {
  const opened = new WebSocket(api.replace("http", "ws") + path);
  opened.onopen = () => opened.send('{"number":1}');
  opened.onmessage = event => done(JSON.parse(event.data));
  opened.onerror = () => fail("no socket");
});
const events = path => new Promise((done, fail) => {
  const source = new EventSource(api + path);
  source.onmessage = event => { source.close(); done([event.lastEventId, JSON.parse(event.data).title]); };
  source.onerror = () => { source.close(); fail("no events"); };
});
const ask = (path, options) => fetch(api + path, options);
const asks = {
  read: async () => { const headers = {authorization: "Bearer own", "grpc-timeout": "20S"};
    const r = await ask("/v1/books/b1", {headers});
    return [r.status, r.headers.get("etag"), (await r.json()).title.length]; },
  write: async () => { const r = await ask("/v1/books/b1", {method: "PATCH", body: '{"title":"x"}',
    headers: {"content-type": "application/json", "if-match": '"1.2"'}}); return (await r.json()).etag; },
  error: async () => { const r = await ask("/v1/nowhere"); return (await r.json()).error.status; },
  other_method: async () => (await ask("/v1/books/b1", {method: "PUT"})).status,
  other_header: async () => (await ask("/v1/books/b1", {headers: {"x-other": "1"}})).status,
  metrics: async () => (await ask("/metrics")).status,
  events: () => events("/v1/books/b1:watch"),
  by_cookie: async () => (await ask("/v1/books/b1", {method: "DELETE", credentials: "include"})).status,
  socket: () => socket("/v1/talks/t"),
  forged: async () => (await ask("/v1/no-body", {method: "POST", mode: "no-cors", credentials: "include"})).type,
};
(async () => {
  document.cookie = "__Host-token=abc; Secure; Path=/";
  const told = {};
  for (const [name, act] of Object.entries(asks)) {
    try { told[name] = await act(); } catch (refusal) { told[name] = String(refusal); }
  }
  await fetch("/told", {method: "POST", body: JSON.stringify(told)});
})();
</script>"""

FREE: dict[str, Any] = {
    "read": [200, 'W/"1.2"', 4000],
    "write": "1.2",
    "error": "NOT_FOUND",
    "other_method": REFUSED,
    "other_header": REFUSED,
    "metrics": REFUSED,
    "events": ["3", TITLE],
    "by_cookie": REFUSED,
    "socket": "no socket",
    "forged": "opaque",
}
"""What a page of any origin is told by a gateway that is open to all; browsers send the cookie with a handshake."""

NAMED = {**FREE, "by_cookie": 204, "socket": {"text": "t", "number": 1}}
STRANGER = {**dict.fromkeys(FREE, REFUSED), "events": "no events", "socket": "no socket", "forged": "opaque"}


class Site:
    """Another origin with one page, and what that page posts."""

    def __init__(self) -> None:
        self.page = ""
        self.told: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):  # a connection that the browser opened in advance
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            if head.startswith("post"):
                length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
                self.told.set_result(json.loads(await reader.readexactly(length)))
            writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n{self.page}".encode())
        writer.close()


async def stream(requests: Any, context: Any) -> AsyncIterator[Message]:
    if hasattr(requests, "__anext__"):
        async for one in requests:
            yield one
    else:
        yield library_message("Book")(title=TITLE, version=3)


async def told_in_chromium(site: Site, origin: str, profile: Path) -> Any:
    flags = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}")
    browser = await asyncio.create_subprocess_exec("chromium", *flags, origin, stdout=DEVNULL, stderr=DEVNULL)
    try:
        return await asyncio.wait_for(site.told, 60)
    finally:
        browser.terminate()
        await browser.wait()


@pytest.mark.parametrize(
    ("allowed", "expected", "is_forged"),
    [(("ORIGIN",), NAMED, True), (("*",), FREE, False), ((), STRANGER, False)],
    ids=["named", "open to all", "stranger"],
)
async def test_a_page_of_another_origin_may_do_what_is_configured(
    tmp_path: Path, allowed: tuple[str, ...], expected: dict[str, Any], is_forged: bool
) -> None:
    site = Site()
    server = await asyncio.start_server(site.answer, "127.0.0.1")
    origin = f"http://localhost:{server.sockets[0].getsockname()[1]}"
    origins = tuple(name.replace("ORIGIN", origin) for name in allowed)
    async with server, running_library(tmp_path, allowed_origins=origins, auth_cookie="__Host-token") as running:
        running.library.book.title, running.library.stream = TITLE, stream
        site.page = PAGE.replace("PORT", str(running.port))

        assert await told_in_chromium(site, origin, tmp_path / "profile") == expected
        assert any(isinstance(request, library_message("Everything")) for request in running.library.seen) is is_forged
