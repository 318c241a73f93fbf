"""The stack under test: started as a person starts it, in a directory that is thrown away."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg

from mesh.identity import load_key, mint
from stack.detach import start_detached, stop_detached
from stack.directory import DataDirectory
from stack.keys import USERS, key_path
from stack.postgres import Cluster, with_account

WORKER = "arq_worker"
_TOKEN_LIFE = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class System:
    """A running stack. `first_start` and `second_start` are the seconds that `up` took to `ready`, in an empty
    directory and in one that had been used."""

    directory: DataDirectory
    url: str
    first_start: float
    second_start: float = 0.0

    @property
    def gateway(self) -> tuple[str, int]:
        """Host and port of the gateway."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    @property
    def pids(self) -> dict[str, int]:
        """The processes by name."""
        return {row["name"]: row["pid"] for row in self.directory.running()}

    def address(self, name: str) -> str:
        """Where a process listens, as host:port."""
        return next(row["address"] for row in self.directory.running() if row["name"] == name)

    def dsn(self, service: str) -> str:
        """The database of a service."""
        return with_account(self.admin_dsn, service, self.directory.secret(service))

    @property
    def admin_dsn(self) -> str:
        """The superuser's database."""
        port = int(self.address("postgres").rpartition(":")[2])
        return Cluster(self.directory.path / "postgres", self.directory.secret("postgres"), port).dsn

    def token(self, user: str, *roles: str) -> str:
        """A bearer token that outlives the benchmark."""
        return mint(load_key(key_path(self.directory.keys, USERS)), user, roles, _TOKEN_LIFE)

    @contextmanager
    def without_relay(self) -> Generator[None]:
        """Stops the worker in its tracks for the block, so that messages gather and nobody spends time on them."""
        worker = self.pids[WORKER]
        os.kill(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(worker, signal.SIGCONT)


@asynccontextmanager
async def running_system() -> AsyncGenerator[System]:
    """A stack whose PostgreSQL keeps the times of commits. It is started twice: the setting asks for that."""
    with _throwaway() as root:
        first = _start(root / "data")
        await _keep_commit_times(first)
        stop_detached(first.directory)
        second = _start(first.directory.path)
        try:
            yield replace(second, first_start=first.first_start, second_start=second.first_start)
        finally:
            stop_detached(second.directory)


@contextmanager
def _throwaway() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="sagamesh-bench-") as name:
        root = Path(name)
        root.chmod(0o711)  # PostgreSQL refuses to be root, and must come through
        yield root


def _start(path: Path) -> System:
    began = time.perf_counter()
    directory, url = start_detached(path, ["--port", "0"], lambda _: None)
    return System(directory, url, first_start=time.perf_counter() - began)


async def _keep_commit_times(system: System) -> None:
    connection = await asyncpg.connect(system.admin_dsn)
    try:
        await connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    finally:
        await connection.close()


async def wait_until_drained(connection: asyncpg.Connection) -> float:
    """Waits until nothing is left in the outbox; returns when the last saga ended, on the machine's clock."""
    while await connection.fetchval("SELECT EXISTS (SELECT FROM outbox)"):
        await asyncio.sleep(0.2)
    last = await connection.fetchval("SELECT extract(epoch FROM max(time)) FROM saga_log")
    return float(last)
