"""The fronts and the service behind them, each a process of its own, in a folder that is thrown away."""

import asyncio
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gateway.envoy import command, installed_envoy, write_config
from gateway.settings import OWN_CONTRACT
from stack.ports import free_ports
from stack.probes import tcp

OURS, ENVOY, HANDWRITTEN = "ours", "envoy", "handwritten"
FRONTS = (OURS, ENVOY, HANDWRITTEN)
BACKEND = "backend"

_HOST = "127.0.0.1"
_PATIENCE = 30.0
_GRACE = 10.0


class FrontFailed(Exception):
    """A process did not begin to serve."""


@dataclass(frozen=True, slots=True)
class Stage:
    """All processes, serving. `ports` are those of the fronts."""

    ports: Mapping[str, int]
    pids: Mapping[str, int]

    def address(self, front: str) -> tuple[str, int]:
        """Host and port of a front."""
        return _HOST, self.ports[front]


@asynccontextmanager
async def running_fronts() -> AsyncGenerator[Stage]:
    """Starts everything, and stops it. Raises FrontFailed, with what the process said last."""
    binary = installed_envoy()
    with tempfile.TemporaryDirectory(prefix="sagamesh-bench-") as name, ExitStack() as stack:
        folder, ports = Path(name), free_ports()
        backend = stack.enter_context(_running([sys.executable, "-m", "benchmarks.gateway.backend"], folder / BACKEND))
        backend_port = int(await _first_line(folder / BACKEND, backend))
        addresses = {front: next(ports) for front in FRONTS}
        target = f"{_HOST}:{backend_port}"
        commands = {
            OURS: _gateway(target, addresses[OURS]),
            ENVOY: command(binary, write_config(folder, addresses[ENVOY], backend_port)),
            HANDWRITTEN: [sys.executable, "-m", "benchmarks.gateway.handwritten", target, str(addresses[HANDWRITTEN])],
        }
        processes = {front: stack.enter_context(_running(commands[front], folder / front)) for front in FRONTS}
        for front in FRONTS:
            await _serving(front, addresses[front], processes[front], folder / front)
        pids = {name: process.pid for name, process in {BACKEND: backend, **processes}.items()}
        yield Stage(addresses, pids)


def _gateway(target: str, port: int) -> Sequence[str]:
    """As a person starts it, so with its log."""
    sagamesh = Path(sys.executable).with_name("sagamesh")
    upstream = f"sagamesh.line_provider={target}"
    options = ["--descriptor-set", str(OWN_CONTRACT), "--upstream", upstream, "--port", str(port)]
    return [str(sagamesh), "gateway", *options]


@contextmanager
def _running(command: Sequence[str], output: Path) -> Generator["subprocess.Popen[bytes]"]:
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _first_line(output: Path, process: "subprocess.Popen[bytes]") -> str:
    while not (said := _last_words(output)).endswith("\n"):
        _expect_alive(BACKEND, process, output)
        await asyncio.sleep(0.05)
    return said.splitlines()[0]


async def _serving(front: str, port: int, process: "subprocess.Popen[bytes]", output: Path) -> None:
    probe = tcp(port)
    try:
        async with asyncio.timeout(_PATIENCE):
            while not await probe():
                _expect_alive(front, process, output)
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise FrontFailed(f"{front} does not serve: {_last_words(output)}") from None


def _expect_alive(name: str, process: "subprocess.Popen[bytes]", output: Path) -> None:
    if process.poll() is not None:
        raise FrontFailed(f"{name} ended with {process.returncode}: {_last_words(output)}")


def _last_words(output: Path) -> str:
    return output.read_text(errors="replace")[-2000:]
