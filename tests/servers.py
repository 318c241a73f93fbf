"""Real servers for tests: a program is started, waited for, and always ended. No fixture here: see conftest.py."""

import socket
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from stack import redis
from stack.ports import free_port
from stack.postgres import Cluster
from stack.probes import POSTGRES_GREETING, POSTGRES_WELCOME
from stack.program import Program


@contextmanager
def running(
    program: Program, port: int, log: Path, probe: bytes = b"", answer: bytes = b"", timeout: float = 30
) -> Generator[subprocess.Popen[bytes]]:
    """Runs the program until the block ends; it is entered when the port accepts connections and, when
    there is a `probe`, answers it with something that starts with `answer`.

    Raises ChildProcessError with the server's log when it ends before that. The kernel ends the program with us.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            program.command(), env=program.environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_until_ready(process, lambda: _serves(port, probe, answer), log, timeout)
        yield process
    finally:
        process.send_signal(program.death_signal)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_postgres(directory: Path) -> Generator[str]:
    """An empty PostgreSQL below the directory; gives its superuser's DSN."""
    password = "a superuser's password"
    Cluster(directory / "postgres", password, 0).initialise()
    for _ in range(5):
        cluster = Cluster(directory / "postgres", password, free_port(), ephemeral=True)
        try:
            with running(
                cluster.program(), cluster.port, directory / "postgres.log", POSTGRES_GREETING, POSTGRES_WELCOME
            ):
                yield cluster.dsn
                return
        except _PortTaken:
            continue
    raise ChildProcessError("PostgreSQL found no free port.")


@contextmanager
def running_redis(directory: Path, role: redis.Role = redis.Role.WORK) -> Generator[str]:
    """An empty Redis below the directory; gives its URL."""
    for _ in range(5):
        instance = redis.Instance(role, directory / role.value, free_port(), "secret")
        instance.initialise()
        try:
            with running(instance.program(), instance.port, directory / f"{role.value}.log"):
                yield instance.url
                return
        except _PortTaken:
            continue
    raise ChildProcessError("Redis found no free port.")


class _PortTaken(ChildProcessError):
    """Somebody else took the port between our choice and the server's start."""


def _wait_until_ready(process: subprocess.Popen[bytes], serves: Callable[[], bool], log: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < deadline:
        if serves() and process.poll() is None:
            return
        # A server tells nobody when it is ready: asking again is all that one can do.
        time.sleep(0.02)
    text = log.read_text(errors="replace")
    kind = _PortTaken if "already in use" in text.lower() else ChildProcessError
    raise kind(f"The server did not start:\n{text}")


def _serves(port: int, probe: bytes, answer: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(probe)
            return connection.recv(len(answer)) == answer if answer else True
    except OSError:
        return False
