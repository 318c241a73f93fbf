"""The supervisor and its keepers, with real processes: what dies comes back, what stops stops, nothing is orphaned."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stack import probes
from stack.directory import DataDirectory
from stack.errors import DirectoryInUse, StartFailed
from stack.keeper import Backoff, Timing, Unit
from stack.program import Program, birth_of
from stack.status import Status
from stack.supervisor import Supervisor, end_former_processes
from tests.stack.tiny import QUICK, crasher, server

PATIENCE = 20.0


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    """A data directory."""
    directory = DataDirectory(tmp_path / "data")
    directory.create()
    return directory


@pytest.fixture
async def supervisor(directory: DataDirectory) -> AsyncGenerator[Supervisor]:
    """A supervisor in it, stopped afterwards."""
    async with Supervisor(directory, timing=QUICK) as supervisor:
        yield supervisor


def row(directory: DataDirectory, name: str) -> dict[str, Any]:
    """A process as `ps` sees it."""
    return next(row for row in directory.state()["processes"] if row["name"] == name)


async def until(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)


def until_blocking(condition: Callable[[], bool]) -> None:
    """The same, where no loop runs."""
    asyncio.run(until(condition))


@contextmanager
def tiny_stack(path: Path) -> Generator[subprocess.Popen[bytes]]:
    """A stack of tiny servers under a supervisor in a process of its own, entered when all of them serve."""
    command = [sys.executable, "-m", "tests.stack.tiny", str(path)]
    process = subprocess.Popen(command)
    try:
        until_blocking(lambda: process.poll() is not None or bool(DataDirectory(path).state().get("ready")))
        yield process
    finally:
        process.kill()
        process.wait()


async def test_a_tier_is_started_when_all_of_it_serves(supervisor: Supervisor, directory: DataDirectory):
    unit = server("one")
    await supervisor.start([unit, server("two")])
    assert await unit.probe()
    assert [row(directory, name)["status"] for name in ("one", "two")] == ["ready", "ready"]


async def test_what_dies_is_started_again_at_the_same_address(supervisor: Supervisor, directory: DataDirectory):
    unit = server("one")
    await supervisor.start([unit])
    before = row(directory, "one")
    os.kill(before["pid"], signal.SIGKILL)
    await until(lambda: row(directory, "one")["pid"] not in (None, before["pid"]))
    await until(lambda: row(directory, "one")["status"] == Status.READY)
    assert row(directory, "one")["address"] == before["address"]
    assert await unit.probe()


async def test_what_no_longer_serves_is_unready_though_it_lives(supervisor: Supervisor, directory: DataDirectory):
    serving = True

    async def probe() -> bool:
        return serving

    sleeper = Program("one", (sys.executable, "-c", "import time; time.sleep(3600)"))
    await supervisor.start([Unit(sleeper, "nowhere", probe)])
    serving = False
    await until(lambda: row(directory, "one")["status"] == Status.UNREADY)
    serving = True
    await until(lambda: row(directory, "one")["status"] == Status.READY)


async def test_what_ends_whenever_it_starts_fails_with_the_end_of_its_log(supervisor: Supervisor):
    with pytest.raises(StartFailed, match=r"broken ends whenever it starts\.\n    no such table"):
        await supervisor.start([server("fine"), crasher("broken")])


async def test_what_never_serves_fails_in_time(supervisor: Supervisor):
    sleeper = Program("idle", (sys.executable, "-c", "import time; time.sleep(3600)"))
    with pytest.raises(StartFailed, match="idle is not ready after 0 s"):
        await supervisor.start([Unit(sleeper, "nowhere", probes.tcp(1))], patience=0.2)


async def test_a_program_that_cannot_be_run_says_so(supervisor: Supervisor):
    with pytest.raises(StartFailed, match="/nonexistent cannot be run: No such file or directory"):
        await supervisor.start([Unit(Program("absent", ("/nonexistent",)), "nowhere", probes.tcp(1))])


async def test_a_task_that_fails_shows_the_end_of_its_log(supervisor: Supervisor):
    with pytest.raises(StartFailed, match=r"migrate failed\.\n    no such database"):
        await supervisor.run_once(Program("migrate", (sys.executable, "-c", "raise SystemExit('no such database')")))


async def test_tiers_stop_in_reverse_order_and_the_deaf_are_killed_within_ten_seconds(directory: DataDirectory):
    stopped: list[str] = []

    def changed(name: str, status: Status, address: str) -> None:
        if status is Status.STOPPED:
            stopped.append(name)

    async with Supervisor(directory, changed, timing=QUICK) as supervisor:
        await supervisor.start([server("store")])
        await supervisor.start([server("service", deaf=True)])
        await supervisor.start([server("gateway")])
        pids = [row(directory, name)["pid"] for name in ("store", "service", "gateway")]
        began = time.monotonic()
    assert time.monotonic() - began < 2 < max(Timing().stop_by) < 9.5
    assert stopped == ["gateway", "service", "store"]
    assert not any(map(birth_of, pids))


async def test_a_process_that_waits_for_its_restart_is_stopped_too(directory: DataDirectory):
    slow = Timing(first_pause=60)
    async with Supervisor(directory, timing=slow) as supervisor:
        await supervisor.start([server("one")])
        os.kill(row(directory, "one")["pid"], signal.SIGKILL)
        await until(lambda: row(directory, "one")["status"] == Status.RESTARTING)
    assert row(directory, "one")["status"] == Status.STOPPED


def test_the_pause_doubles_up_to_its_limit_and_is_short_again_after_a_stable_life():
    backoff = Backoff(Timing(first_pause=1, longest_pause=5, stable_after=10))
    assert [backoff.pause_after(0) for _ in range(5)] == [1, 2, 4, 5, 5]
    assert backoff.pause_after(11) == 1
    assert backoff.pause_after(0) == 2


def test_a_killed_supervisor_leaves_no_orphan_and_the_next_one_starts(tmp_path: Path):
    with tiny_stack(tmp_path / "data") as process:
        processes = DataDirectory(tmp_path / "data").state()["processes"]
        assert len([row for row in processes if birth_of(row["pid"]) == row["birth"]]) == 3
        process.kill()
        process.wait()
        until_blocking(lambda: not any(birth_of(row["pid"]) == row["birth"] for row in processes))
    with tiny_stack(tmp_path / "data") as process:
        assert process.poll() is None


def test_sigterm_ends_everything_within_ten_seconds(tmp_path: Path):
    with tiny_stack(tmp_path / "data") as process:
        processes = DataDirectory(tmp_path / "data").state()["processes"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert not any(birth_of(row["pid"]) for row in processes)


def test_two_stacks_run_side_by_side(tmp_path: Path):
    with tiny_stack(tmp_path / "one") as first, tiny_stack(tmp_path / "two") as second:
        assert (first.poll(), second.poll()) == (None, None)


def test_a_second_stack_in_the_same_directory_is_refused(tmp_path: Path):
    again = DataDirectory(tmp_path / "data").locked(patience=0)
    with tiny_stack(tmp_path / "data"), pytest.raises(DirectoryInUse, match=r"Another stack runs in .*sagamesh down"):
        again.__enter__()
    with DataDirectory(tmp_path / "data").locked(patience=0):
        pass


async def test_what_a_former_supervisor_left_is_ended_but_no_stranger(directory: DataDirectory):
    orphan = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(3600)")
    stranger = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(3600)")
    rows = [
        {"pid": orphan.pid, "birth": birth_of(orphan.pid), "death_signal": "SIGKILL"},
        {"pid": stranger.pid, "birth": "another time", "death_signal": "SIGKILL"},
        {"pid": None, "birth": "", "death_signal": "SIGKILL"},
    ]
    directory.write_state({"processes": rows})
    await end_former_processes(directory)
    assert await orphan.wait() == -signal.SIGKILL
    assert stranger.returncode is None
    stranger.kill()
    await stranger.wait()
