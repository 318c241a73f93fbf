"""A stack's data directory: its lock, its secrets, its state, its logs. Knows no service and starts nothing."""

import fcntl
import json
import os
import secrets
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from stack.errors import DirectoryInUse, NothingRuns

_LARGEST_LOG = 16 * 1024 * 1024


class DataDirectory:
    """Where a stack keeps everything, so that a second `up` finds it and two stacks never meet.

    lock           held by the supervisor for as long as it lives
    state.json     who runs, for ps, down and logs
    secrets.json   passwords, made once
    keys/          private keys and the public JWK Set
    logs/          a file per process
    postgres/ redis-work/ redis-log/
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.keys = self.path / "keys"
        self.logs = self.path / "logs"

    def create(self) -> None:
        """Makes the directory. Root lets others pass through it, since PostgreSQL refuses to be root; what is inside
        is closed by itself."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
        self.logs.mkdir(exist_ok=True, mode=0o700)

    @contextmanager
    def locked(self, patience: float = 1.0) -> Generator[None]:
        """Holds the directory. The kernel lets go of it when we die, however we die. Raises DirectoryInUse."""
        self.create()
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = time.monotonic() + patience
            while not _try_lock(descriptor):
                if time.monotonic() > deadline:
                    raise DirectoryInUse(
                        f"Another stack runs in {self.path}. Stop it with: sagamesh down --data-dir {self.path}"
                    )
                time.sleep(0.05)
            yield
        finally:
            os.close(descriptor)

    def is_locked(self) -> bool:
        """Whether a supervisor lives."""
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _try_lock(descriptor)
        finally:
            os.close(descriptor)

    def secret(self, name: str) -> str:
        """The password of that name; made when it is first asked for."""
        known = self._read("secrets.json")
        if name not in known:
            known[name] = secrets.token_urlsafe(24)
            write_private(self.path / "secrets.json", known)
        return str(known[name])

    def state(self) -> dict[str, Any]:
        """The last state written; empty when there is none. Of a dead supervisor unless `is_locked()`."""
        return self._read("state.json")

    def running(self) -> list[dict[str, Any]]:
        """The processes of the running stack, as `ps` shows them. Raises NothingRuns."""
        if not self.is_locked():
            raise NothingRuns(f"Nothing runs in {self.path}. Start it with: sagamesh up --data-dir {self.path}")
        return self.state().get("processes", [])

    def write_state(self, state: Mapping[str, Any]) -> None:
        """Replaces the state as a whole: a reader sees the old one or the new one."""
        write_private(self.path / "state.json", state)

    def log(self, name: str) -> Path:
        """The log file of the process of that name."""
        return self.logs / f"{name}.log"

    def open_log(self, name: str) -> int:
        """A descriptor that appends to the log, which is moved aside first when it has grown large."""
        path = self.log(name)
        if path.exists() and path.stat().st_size > _LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            return cast("dict[str, Any]", json.loads((self.path / name).read_text()))
        except FileNotFoundError:
            return {}


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Writes JSON that only we may read, as a whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=2)
    Path(temporary).replace(path)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
