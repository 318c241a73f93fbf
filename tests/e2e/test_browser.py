"""The documentation and a stream in Debian's Chromium (`.ci/run` installs it; Playwright downloads no browser)."""

import importlib
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.ratings import Headers, Ratings
from tests.system import System

pytestmark = pytest.mark.system

Page = Any
"""A page of Playwright's, whose package is only there for `make test-system` (the group `browser`)."""
SIZE = {"width": 1280, "height": 1400}
# As root there is no sandbox; the others keep Chromium from calling home.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PATIENCE_MS = 20_000
# What a page's own program would do: it shows the changes in a list, which stays at the top.
WATCH = """([path, token]) => {
  const list = document.body.insertAdjacentElement('afterbegin', document.createElement('ol'));
  list.className = 'changes';
  list.style.cssText = 'position: fixed; top: 0; left: 0; right: 0; z-index: 9; background: white; font-size: 20px';
  const show = (way, text) => {
    const event = JSON.parse(text);
    list.appendChild(document.createElement('li')).textContent = `${way} ${event.version} ${event.title}`;
  };
  new EventSource(path).onmessage = (message) => show('EventSource', message.data);
  fetch(path, {headers: {Authorization: `Bearer ${token}`, Accept: 'text/event-stream'}}).then(async (response) => {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ; ) {
      const {value, done} = await reader.read();
      if (done) return;
      const events = (text + value).split('\\n\\n');
      text = events.pop();
      for (const event of events) {
        const data = event.split('\\n').find((line) => line.startsWith('data: '));
        if (data) show('fetch', data.slice(6));
      }
    }
  });
}"""


@dataclass
class Browsed:
    """A page of the documentation, and what it did: the hosts it asked, and what it complained about."""

    page: Page
    hosts: set[str] = field(default_factory=set[str])
    complaints: list[str] = field(default_factory=list[str])

    def listen(self) -> None:
        """Notes it from now on."""
        self.page.on("request", self._asked)
        self.page.on("requestfailed", self._failed)
        self.page.on("pageerror", self._failed)
        self.page.on("console", self._said)

    def _asked(self, request: Any) -> None:
        self.hosts.add(urlsplit(str(request.url)).netloc)

    def _failed(self, what: Any) -> None:
        self.complaints.append(repr(what))

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture
async def docs(system: System) -> AsyncIterator[Browsed]:
    """`/docs` of the running system, loaded."""
    chromium = shutil.which("chromium")
    assert chromium, "These tests drive Debian's Chromium; as root: apt-get install chromium"
    async with importlib.import_module("playwright.async_api").async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        docs = Browsed(await browser.new_page(viewport=SIZE))
        docs.page.set_default_timeout(PATIENCE_MS)
        docs.listen()
        await docs.page.goto(f"{system.base_url}/docs")
        await docs.page.locator(".opblock").first.wait_for()
        yield docs
        await browser.close()


async def authorise(page: Page, token: str) -> None:
    """What a user does who has a token."""
    await page.get_by_role("button", name="Authorize", exact=True).first.click()
    dialog = page.locator(".dialog-ux")
    await dialog.get_by_label("auth-bearer-value").fill(token)
    await dialog.get_by_role("button", name="Apply credentials").click()
    await dialog.get_by_role("button", name="Close").click()


async def execute(page: Page, operation: str, body: str, **parameters: str) -> tuple[str, Any]:
    """Tries an operation out; the status and the body that the page shows."""
    block = page.locator(f"[id$='-{operation}']")
    await block.locator(".opblock-summary-control").click()
    await block.get_by_role("button", name="Try it out").click()
    for name, value in parameters.items():
        await block.locator(f"[data-param-name={name}] input").fill(value)
    await block.locator("textarea.body-param__text").fill(body)
    await block.get_by_role("button", name="Execute").click()
    shown = block.locator(".live-responses-table .response")
    status = await shown.locator(".response-col_status").inner_text()
    return status.split()[0], json.loads(await shown.locator(".response-col_description pre code").inner_text())


async def changes(page: Page, number: int) -> set[str]:
    """What has come when so many changes have."""
    shown = page.locator(".changes li")
    await shown.nth(number - 1).wait_for()
    return set(await shown.all_inner_texts())


async def test_the_documentation_needs_no_other_host_and_names_every_operation(system: System, docs: Browsed) -> None:
    document = await docs.page.evaluate("fetch('openapi.json').then((response) => response.json())")
    operations = sum(len(methods) for methods in document["paths"].values())

    assert await docs.page.locator(".opblock").count() == operations
    assert docs.hosts == {urlsplit(system.base_url).netloc}
    assert docs.complaints == []


async def test_what_a_user_tries_out_is_what_watchers_of_the_page_see(
    system: System, ratings: Ratings, alice: Headers, docs: Browsed, tmp_path: Path
) -> None:
    event, page = await ratings.create_event("The final"), docs.page
    token = alice["Authorization"].removeprefix("Bearer ")
    await page.evaluate(WATCH, [f"/v1/events/{event['eventId']}:watch", token])
    first = await changes(page, 2)

    await authorise(page, system.token("maria", "manager"))
    body = '{"title": "The replay"}'
    status, answer = await execute(page, "EventService_UpdateEvent", body, event_id=event["eventId"])
    then = await changes(page, 4)
    picture = await page.screenshot(path=tmp_path / "docs.png")

    assert (status, answer["title"]) == ("200", "The replay")
    assert int(answer["version"]) > int(event["version"])
    assert first == {f"EventSource {event['version']} The final", f"fetch {event['version']} The final"}
    assert then - first == {f"EventSource {answer['version']} The replay", f"fetch {answer['version']} The replay"}
    assert (docs.hosts, docs.complaints) == ({urlsplit(system.base_url).netloc}, [])
    assert picture.startswith(b"\x89PNG")
    assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (SIZE["width"], SIZE["height"])
