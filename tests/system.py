"""The whole system as its users meet it: `sagamesh up`, for tests. Nothing here imports a service, gateway or worker.

with running_system(directory, SCORE_MAKER_LOG_LEVEL="DEBUG") as system:
    async with system.client() as http:
        await http.post("/v1/events", headers=system.manager(), json={...})
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import httpx

from stack.directory import DataDirectory
from stack.operator import Session, token
from stack.program import Program
from stack.services import GATEWAY, SERVICES, WORKER, prefix

_READY_WITHIN = 90.0
_DOWN_WITHIN = 20.0


class System:
    """A running stack. `kill` and `outage` are for tests of what it survives."""

    def __init__(self, directory: DataDirectory, supervisor: int) -> None:
        self.directory = directory
        self.base_url: str = directory.state()["url"]
        self._supervisor = supervisor

    def client(self, timeout: float = 10.0) -> httpx.AsyncClient:
        """An HTTP client of the gateway; `timeout` in seconds. Use as `async with`."""
        return httpx.AsyncClient(base_url=self.base_url, timeout=timeout, trust_env=False)

    def token(self, subject: str, *roles: str, ttl: float = 3600) -> str:
        """A bearer token of a user."""
        return token(self.directory, subject, roles, ttl)

    def user(self, subject: str, *roles: str) -> dict[str, str]:
        """The headers by which a request is that user's."""
        return {"Authorization": f"Bearer {self.token(subject, *roles)}"}

    def manager(self) -> dict[str, str]:
        """The headers of one who may write events and read all scores."""
        return self.user("maria", "manager")

    def operator(self) -> dict[str, str]:
        """The headers of one who may read sagas and outboxes."""
        return self.user("olga", "operator")

    @asynccontextmanager
    async def operator_session(self, service: str) -> AsyncGenerator[Session]:
        """A gRPC channel to the first replica of a service, and an operator's metadata for its calls."""
        bearer = self.operator()["Authorization"]
        async with grpc.aio.insecure_channel(self.address(service), [("grpc.enable_http_proxy", 0)]) as channel:
            yield Session(channel, (("authorization", bearer),))

    def names(self) -> list[str]:
        """The processes, replicas included, as `sagamesh ps` names them."""
        return [row["name"] for row in self._rows()]

    def replicas(self, name: str) -> list[str]:
        """The names of all processes of a service or worker."""
        return [other for other in self.names() if other == name or other.startswith(f"{name}-")]

    def pid(self, name: str) -> int | None:
        """The number of the process that runs now; None while it is between two lives."""
        return self._row(name)["pid"]

    def status(self, name: str) -> str:
        """`ready` when it serves; the others are stack.status.Status's."""
        return self._row(name)["status"]

    def address(self, name: str) -> str:
        """Where it listens, host:port."""
        return self._row(name)["address"]

    def metrics(self, name: str) -> str:
        """Where its metrics are, host:port; empty for a store."""
        return self._row(name)["metrics"]

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int | None:
        """Sends a signal to the process; returns its number, or None when it is between two lives."""
        pid = self.pid(name)
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return None
        return pid

    async def revived(self, name: str, former: int | None, within: float = 60) -> None:
        """Waits until the process serves again as another one than `former`. Raises TimeoutError."""
        await _until(lambda: self.status(name) == "ready" and self.pid(name) != former, within)

    async def all_ready(self, within: float = 60) -> None:
        """Waits until every process serves. Raises TimeoutError."""
        await _until(lambda: all(row["status"] == "ready" for row in self._rows()), within)

    @asynccontextmanager
    async def outage(self, *names: str) -> AsyncGenerator[None]:
        """Those processes are killed, and stay dead until the block ends: meanwhile the supervisor is halted."""
        os.kill(self._supervisor, signal.SIGSTOP)
        former = {name: self.kill(name) for name in names}
        try:
            yield
        finally:
            os.kill(self._supervisor, signal.SIGCONT)
        for name, pid in former.items():
            await self.revived(name, pid)

    @asynccontextmanager
    async def hang(self, *names: str) -> AsyncGenerator[None]:
        """Those processes take connections, and answer nothing until the block ends."""
        for name in names:
            self.kill(name, signal.SIGSTOP)
        try:
            yield
        finally:
            for name in names:
                self.kill(name, signal.SIGCONT)

    def _rows(self) -> list[dict[str, Any]]:
        return self.directory.state()["processes"]

    def _row(self, name: str) -> dict[str, Any]:
        return next(row for row in self._rows() if row["name"] == name)


@contextmanager
def running_system(
    directory: Path, *, replicas: Mapping[str, int] | None = None, environment: Mapping[str, str] | None = None
) -> Generator[System]:
    """Runs a stack of its own in an empty directory until the block ends; its logs are left there, its data is not.

    `environment` holds settings of its processes, such as SCORE_MAKER_RETRY_ATTEMPTS. The kernel ends the stack with
    us. Raises ChildProcessError with what it said when it does not start, or does not stop in time.
    """
    data = DataDirectory(directory / "data")
    said = directory / "supervisor.log"
    arguments = ["up", "--ephemeral", "--port", "0", "--data-dir", str(data.path), *_options(replicas or {})]
    with said.open("ab") as output:
        program = Program("sagamesh", (sys.executable, "-P", "-m", "stack", *arguments), death_signal=signal.SIGTERM)
        process = subprocess.Popen(
            program.command(),
            env=_clean_environment() | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, data, said)
        yield System(data, process.pid)
    finally:
        if data.logs.exists():
            # As links, so that what is written while it stops is there too.
            shutil.copytree(data.logs, directory / "logs", copy_function=os.link)
        _end(process, said)


def _options(replicas: Mapping[str, int]) -> Sequence[str]:
    return [part for name, number in replicas.items() for part in ("--replicas", f"{name}={number}")]


def _clean_environment() -> dict[str, str]:
    # Settings of whoever runs the tests would reach the processes.
    prefixes = ("SAGAMESH_", *(prefix(name) for name in (*(service.name for service in SERVICES), WORKER, GATEWAY)))
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def _wait_until_ready(process: "subprocess.Popen[bytes]", data: DataDirectory, said: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while not data.state().get("ready"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ChildProcessError(f"The stack did not start:\n{said.read_text(errors='replace')}")
        # A stack tells nobody else when it is ready.
        time.sleep(0.05)


def _end(process: "subprocess.Popen[bytes]", said: Path) -> None:
    process.send_signal(signal.SIGCONT)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_DOWN_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise ChildProcessError(f"The stack did not stop:\n{said.read_text(errors='replace')}") from None


async def _until(condition: Callable[[], bool], within: float) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.05)
