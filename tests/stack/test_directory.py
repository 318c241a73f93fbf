"""The data directory: secrets that stay, logs that do not grow forever, files that are ours alone."""

import os
from pathlib import Path

import pytest

from stack.directory import DataDirectory, write_private
from stack.errors import NothingRuns
from stack.tail import last_lines


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    """A data directory."""
    directory = DataDirectory(tmp_path / "data")
    directory.create()
    return directory


def test_a_secret_is_made_once_and_each_name_has_another(directory: DataDirectory):
    first = directory.secret("postgres")
    assert DataDirectory(directory.path).secret("postgres") == first
    assert directory.secret("line_provider") != first


def test_what_is_written_privately_is_readable_by_us_alone_whatever_the_umask(directory: DataDirectory):
    former = os.umask(0)
    try:
        write_private(directory.path / "file.json", {"a": 1})
        os.close(directory.open_log("one"))
    finally:
        os.umask(former)
    assert (directory.path / "file.json").stat().st_mode & 0o777 == 0o600
    assert directory.log("one").stat().st_mode & 0o777 == 0o600


def test_a_lock_is_seen_while_it_is_held_and_no_longer(directory: DataDirectory):
    assert not directory.is_locked()
    with directory.locked():
        assert directory.is_locked()
    assert not directory.is_locked()


def test_the_state_of_a_dead_supervisor_is_not_what_runs(directory: DataDirectory):
    directory.write_state({"processes": [{"name": "one"}]})
    with pytest.raises(NothingRuns):
        directory.running()
    with directory.locked():
        assert directory.running() == [{"name": "one"}]


def test_a_large_log_is_moved_aside(directory: DataDirectory):
    os.truncate(os.open(directory.log("one"), os.O_CREAT | os.O_WRONLY, 0o600), 17 * 1024 * 1024)
    os.close(directory.open_log("one"))
    assert directory.log("one").stat().st_size == 0
    assert directory.log("one").with_suffix(".log.1").stat().st_size > 0


def test_the_last_lines_of_a_log_are_its_last(directory: DataDirectory):
    directory.log("one").write_text("1\n2\n3\n")
    assert last_lines(directory, "one", 2) == "2\n3\n"


def test_a_log_is_looked_for_among_the_logs_only(directory: DataDirectory):
    (directory.path / "elsewhere.log").write_text("secret")
    with pytest.raises(NothingRuns, match=r"There are: none"):
        last_lines(directory, "../elsewhere", 10)
