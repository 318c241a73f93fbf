"""README's first session, run as it stands. Needs curl (`.ci/run` installs it)."""

import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.shell import output_of
from tests.system import System

README = Path(__file__).resolve().parents[2] / "README.md"

pytestmark = pytest.mark.system


def first_session() -> str:
    """The block below the heading."""
    found = re.search(r"^## A first session$.*?^```bash\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.fixture
def checkout(system: System, tmp_path: Path) -> Path:
    """A directory that looks to the session like the checkout in which `make up` runs."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".sagamesh").symlink_to(system.directory.path)
    return tmp_path


async def test_a_newcomer_sees_the_score_confirmed_and_the_event_high(system: System, checkout: Path) -> None:
    session = first_session().replace("127.0.0.1:8080", urlsplit(system.base_url).netloc)

    lines = await output_of(session, checkout)

    score, event, saga = (json.loads(line) for line in lines if line.startswith("{"))
    assert (score["status"], score["rate"]) == ("CONFIRMED", 5)
    assert (event["status"], event["scoreCount"], event["scoreMean"]) == ("HIGH_SCORE", "1", 5)
    assert (saga["state"], saga["entityId"]) == ("COMPLETED", score["scoreId"])
    assert [seen["status"] for seen in watched(lines)] == ["PROCESSING", "HIGH_SCORE"]


def watched(lines: list[str]) -> list[dict[str, Any]]:
    """The events that the watcher was sent."""
    return [json.loads(line.removeprefix("data:")) for line in lines if line.startswith("data:")]
