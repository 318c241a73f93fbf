"""Runs `sagamesh up` in the background: starts it in a session of its own and returns when it is ready."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from stack.directory import DataDirectory
from stack.errors import NothingRuns, StartFailed
from stack.program import birth_of

_SUPERVISOR = "supervisor"


def start_detached(
    path: Path | None, arguments: Sequence[str], say: Callable[[str], None]
) -> tuple[DataDirectory, str]:
    """Starts `sagamesh up` with the arguments in the directory (None: a new one), and returns the directory and the
    URL when it is ready. What it says meanwhile is said here too, and kept in its log.

    Raises StartFailed; an interrupt ends what was started.
    """
    directory = DataDirectory(path or Path(tempfile.mkdtemp(prefix="sagamesh-")))
    directory.create()
    log = directory.open_log(_SUPERVISOR)
    seen = os.fstat(log).st_size
    command = [sys.executable, "-P", "-m", "stack", "up", "--no-announce", *arguments]
    command += ["--data-dir", str(directory.path)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    os.close(log)
    try:
        while not _is_ready(directory, process.pid) and process.poll() is None:
            seen = _relay(directory, seen, say)
            time.sleep(0.05)
    except BaseException:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    _relay(directory, seen, say)
    if process.returncode is not None:
        raise StartFailed("The stack did not start.")
    return directory, directory.state()["url"]


def stop_detached(directory: DataDirectory, timeout: float = 15) -> None:
    """Ends the stack of the directory, however it was started. Raises NothingRuns when there is none."""
    supervisor = directory.state().get("supervisor", {})
    if not directory.is_locked() or not supervisor or birth_of(supervisor["pid"]) != supervisor["birth"]:
        raise NothingRuns(f"Nothing runs in {directory.path}.")
    os.kill(supervisor["pid"], signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while birth_of(supervisor["pid"]) == supervisor["birth"]:
        if time.monotonic() > deadline:
            raise StartFailed(f"The stack in {directory.path} does not stop: process {supervisor['pid']}.")
        time.sleep(0.05)


def _is_ready(directory: DataDirectory, pid: int) -> bool:
    state = directory.state()
    return bool(state.get("ready")) and state["supervisor"]["pid"] == pid


def _relay(directory: DataDirectory, seen: int, say: Callable[[str], None]) -> int:
    with directory.log(_SUPERVISOR).open("rb") as log:
        log.seek(seen)
        text = log.read()
    if text:
        say(text.decode(errors="replace").rstrip("\n"))
    return seen + len(text)
