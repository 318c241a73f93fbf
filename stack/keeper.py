"""Keeps one process running: starts it, starts it again when it ends, and knows whether it serves."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from stack.directory import DataDirectory
from stack.errors import StartFailed
from stack.probes import Probe
from stack.program import Program, birth_of
from stack.status import Status


@dataclass(frozen=True, slots=True)
class Unit:
    """A program, where it listens, how one learns that it serves, and where its metrics are (empty: nowhere)."""

    program: Program
    address: str
    probe: Probe
    metrics: str = ""

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient a keeper is, in seconds. `stop_by`: when each tier, last one first, is killed if it has not ended,
    counted from the beginning of the stop; all is over within 10."""

    first_pause: float = 0.1
    longest_pause: float = 10.0
    hopeless_pause: float = 1.0
    stable_after: float = 10.0
    probe_while_starting: float = 0.05
    probe_while_ready: float = 2.0
    # The gateway drains for up to 4 s; with it gone, services have little left to drain.
    stop_by: tuple[float, ...] = (4.5, 7.5, 9.0)


@dataclass(slots=True)
class Backoff:
    """The pause before a process is started again: doubled by each death, short again once one life was stable."""

    timing: Timing
    _next: float = field(default=0.0, init=False)

    def pause_after(self, life: float) -> float:
        """Seconds to wait when the process has just ended after `life` seconds."""
        if life >= self.timing.stable_after or self._next == 0:
            self._next = self.timing.first_pause
        pause = self._next
        self._next = min(pause * 2, self.timing.longest_pause)
        return pause


class Keeper:
    """One supervised process. `changed` is called with us after every change of `status` or `pid`; `served` is done
    when it serves for the first time, or raises StartFailed when it ends whenever it starts."""

    def __init__(
        self, unit: Unit, directory: DataDirectory, changed: Callable[["Keeper"], None], timing: Timing
    ) -> None:
        self.unit = unit
        self.status = Status.WAITING
        self.pid: int | None = None
        self.birth = ""
        self.served: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._directory = directory
        self._changed = changed
        self._timing = timing
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to keep the process running."""
        self._task = asyncio.create_task(self._keep(), name=f"keep {self.unit.name}")

    async def stop(self, grace: float) -> None:
        """Asks the process to end, and kills it when it has not after `grace` seconds."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._process is not None and self._process.returncode is None:
            await self._end(self._process, grace)
        self._become(Status.STOPPED, pid=None)

    async def _end(self, process: asyncio.subprocess.Process, grace: float) -> None:
        with suppress(ProcessLookupError):
            process.send_signal(self.unit.program.stop_signal)
        try:
            async with asyncio.timeout(grace):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _keep(self) -> None:
        backoff = Backoff(self._timing)
        while True:
            born = time.monotonic()
            await self._live()
            self._become(Status.RESTARTING, pid=None)
            pause = backoff.pause_after(time.monotonic() - born)
            if pause > self._timing.hopeless_pause and not self.served.done():
                self.served.set_exception(StartFailed(f"{self.unit.name} ends whenever it starts."))
            await asyncio.sleep(pause)

    async def _live(self) -> None:
        self._process = await self._spawn()
        self._become(Status.STARTING, pid=self._process.pid)
        watch = asyncio.create_task(self._watch(), name=f"watch {self.unit.name}")
        try:
            await self._process.wait()
        finally:
            watch.cancel()

    async def _spawn(self) -> asyncio.subprocess.Process:
        log = self._directory.open_log(self.unit.name)
        try:
            return await asyncio.create_subprocess_exec(
                *self.unit.program.command(),
                env=self.unit.program.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the supervisor, which stops its processes in order.
                start_new_session=True,
            )
        finally:
            os.close(log)

    async def _watch(self) -> None:
        while True:
            ready = await self.unit.probe()
            if ready:
                if not self.served.done():
                    self.served.set_result(None)
                self._become(Status.READY, pid=self.pid)
            elif self.status is Status.READY:
                self._become(Status.UNREADY, pid=self.pid)
            await asyncio.sleep(self._timing.probe_while_ready if ready else self._timing.probe_while_starting)

    def _become(self, status: Status, pid: int | None) -> None:
        if (status, pid) == (self.status, self.pid):
            return
        if pid != self.pid:
            self.birth = birth_of(pid) if pid else ""
        self.status, self.pid = status, pid
        self._changed(self)
