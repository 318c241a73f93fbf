"""docs/messaging.md stays true: the tests that it names exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/messaging.md").read_text())
    assert len(named) >= 20
    missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in (ROOT / file).read_text()]
    assert missing == []


def test_every_metric_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(sagamesh_\w+?)(?:_total)?[`{]", (ROOT / "docs/messaging.md").read_text()))
    source = "".join(path.read_text() for path in (ROOT / "mesh").rglob("*.py"))
    assert {name for name in named if f'"{name}"' not in source} == set()
