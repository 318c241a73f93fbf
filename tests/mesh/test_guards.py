"""The suite goes red when a guard is removed: the fence, the inbox, the barrier, and the order of a key.

Each mutation is made in a copy of mesh/ that comes first on the path of a second pytest.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Mutation:
    """A guard taken out of one file, and the part of the suite that is about it."""

    guard: str
    file: str
    present: str
    absent: str
    suite: str


MUTATIONS = [
    Mutation(
        "fence",
        "outbox/settle.py",
        "fenced=(row.bucket, settlement.epoch) not in held",
        "fenced=False",
        suite="tests/mesh/outbox/test_settle.py",
    ),
    Mutation(
        "inbox",
        "inbox/delivery.py",
        "for m, envelope in by_id.items() if m in new]",
        "for m, envelope in by_id.items()]",
        suite="tests/mesh/inbox/test_delivery.py",
    ),
    Mutation(
        "barrier",
        "inbox/barrier.py",
        "    return table[undo, before]",
        "    return Pass.ACT",
        suite="tests/mesh/inbox/test_delivery.py",
    ),
    Mutation(
        "key order",
        "outbox/pull.py",
        "SELECT destination, ordering_key FROM outbox WHERE not_before > now()",
        "SELECT '', ''",
        suite="tests/mesh/outbox/test_pull.py",
    ),
]


def _suite(overlay: Path, suite: str) -> subprocess.CompletedProcess[str]:
    path = f"pythonpath={overlay} {ROOT} {ROOT / 'gen'}"
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-o", path, suite]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ, timeout=180)


def _overlay(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "mesh", tmp_path / "mesh", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_an_unchanged_copy_is_green(tmp_path: Path) -> None:
    run = _suite(_overlay(tmp_path), MUTATIONS[0].suite)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.guard)
def test_the_suite_goes_red_without(mutation: Mutation, tmp_path: Path) -> None:
    file = _overlay(tmp_path) / "mesh" / mutation.file
    source = file.read_text()
    assert source.count(mutation.present) == 1
    file.write_text(source.replace(mutation.present, mutation.absent))
    run = _suite(tmp_path, mutation.suite)
    assert run.returncode == 1, run.stdout
    assert " failed" in run.stdout
