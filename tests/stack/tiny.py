"""Tiny real servers for the supervisor to keep, and a supervisor of its own process that a test can kill."""

import asyncio
import signal
import sys
from pathlib import Path

from stack import probes
from stack.directory import DataDirectory
from stack.keeper import Timing, Unit
from stack.ports import free_port
from stack.program import Program
from stack.supervisor import Supervisor

QUICK = Timing(
    first_pause=0.05,
    longest_pause=0.4,
    hopeless_pause=0.3,
    stable_after=0.5,
    probe_while_ready=0.05,
    stop_by=(0.5, 1.0, 1.5),
)

_SERVER = """
import signal, socket, sys, time
if sys.argv[2] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("serving", flush=True)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    connection, _ = server.accept()
    connection.close()
"""


def server(name: str, *, deaf: bool = False) -> Unit:
    """A TCP server; a deaf one does not end when it is asked to."""
    port = free_port()
    arguments = (sys.executable, "-c", _SERVER, str(port), "deaf" if deaf else "")
    return Unit(Program(name, arguments), f"127.0.0.1:{port}", probes.tcp(port))


def crasher(name: str) -> Unit:
    """A program that ends whenever it starts, with a sentence in its log."""
    arguments = (sys.executable, "-c", "raise SystemExit('no such table')")
    return Unit(Program(name, arguments), "127.0.0.1:1", probes.tcp(1))


async def _main(path: Path) -> None:
    directory = DataDirectory(path)
    with directory.locked():
        async with Supervisor(directory, timing=QUICK) as supervisor:
            await supervisor.start([server("first"), server("deaf", deaf=True)])
            await supervisor.start([server("second")])
            supervisor.all_started()
            stop = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
