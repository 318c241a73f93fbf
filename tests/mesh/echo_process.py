"""The echo service as a process of its own: `python -m tests.mesh.echo_process`, settings from the environment."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from mesh.logs import configure
from mesh.server import Server, run, serve
from mesh.settings import ServerSettings
from tests.mesh.echo import ROOT, EchoServicer, Keys, Message, echo_service


async def main() -> None:
    """Serves. A request that says `hold` is answered when the server drains."""
    configure("echo", "INFO")
    draining = asyncio.Event()

    async def act(request: Message) -> None:
        if request.text == "hold":
            logging.getLogger("echo").info("holding")
            await draining.wait()

    settings = ServerSettings()  # pyright: ignore[reportCallIssue]  # the environment has the rest
    await serve(Server(settings, [(EchoServicer(act), echo_service())], draining=draining))


class EchoProcess:
    """A running process, whose log is read all the time: a full pipe would stop it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def logged(self, message: str) -> dict[str, int]:
        """Waits for a line of the log, and returns it."""
        async with self._news:
            await self._news.wait_for(lambda: self._line(message) or self._reading.done())
            line = self._line(message)
        assert line, f"the process ended without saying {message!r}: {self.said}"
        return json.loads(line)

    async def ended(self) -> int:
        """Waits for the end of the process and of its log; returns the exit code."""
        await self._reading
        return await self.process.wait()

    def _line(self, message: str) -> str | None:
        return next((line for line in self.said if f'"message": "{message}"' in line), None)

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            async with self._news:
                self.said.append(line.decode())
                self._news.notify_all()


@asynccontextmanager
async def echo_process(keys: Keys, **environment: str) -> AsyncGenerator[EchoProcess]:
    """A process that trusts the keys; killed at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.mesh.echo_process",
        cwd=ROOT,
        env={"JWKS": str(keys.jwks), "PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}", **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    running = EchoProcess(process)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await running.ended()


if __name__ == "__main__":
    sys.exit(run(main))
