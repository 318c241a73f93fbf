"""Starts tiers of processes in order, keeps them running, and stops them in reverse. Knows no service by name."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

from stack.directory import DataDirectory
from stack.errors import StartFailed
from stack.keeper import Keeper, Timing, Unit
from stack.program import Program, birth_of
from stack.status import Status

_DEFAULT_TIMING = Timing()
_LINES_SHOWN = 5


class Supervisor:
    """The processes of one stack. Use as `async with`; leaving it stops them all.

    `changed` hears of every change (name, status, address); the same is in the state file, for other commands.
    """

    def __init__(
        self,
        directory: DataDirectory,
        changed: Callable[[str, Status, str], None] = lambda name, status, address: None,
        *,
        facts: dict[str, Any] | None = None,
        timing: Timing = _DEFAULT_TIMING,
    ) -> None:
        self._directory = directory
        self._heard = changed
        self._facts = facts or {}
        self._timing = timing
        self._tiers: list[list[Keeper]] = []

    async def __aenter__(self) -> "Supervisor":
        await end_former_processes(self._directory)
        self._write_state()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def start(self, units: Sequence[Unit], patience: float = 60) -> None:
        """Starts a tier and returns when each of it serves. Raises StartFailed when one cannot, or not in time."""
        keepers = [Keeper(unit, self._directory, self._changed, self._timing) for unit in units]
        self._tiers.append(keepers)
        for keeper in keepers:
            self._changed(keeper)
            keeper.start()
        try:
            async with asyncio.timeout(patience):
                await asyncio.gather(*(self._serving(keeper) for keeper in keepers))
        except TimeoutError:
            late = next(keeper.unit.name for keeper in keepers if keeper.status is not Status.READY)
            raise StartFailed(f"{late} is not ready after {patience:.0f} s.{self._end_of_log(late)}") from None

    async def run_once(self, program: Program) -> None:
        """Runs a program to its end. Raises StartFailed with the end of its log when it fails."""
        log = self._directory.open_log(program.name)
        try:
            process = await asyncio.create_subprocess_exec(
                *program.command(), env=program.environment, stdout=log, stderr=log, start_new_session=True
            )
        finally:
            os.close(log)
        if await process.wait() != 0:
            raise StartFailed(f"{program.name} failed.{self._end_of_log(program.name)}")

    def all_started(self) -> None:
        """Says in the state file that everything serves, which `up --detach` waits for."""
        self._facts["ready"] = True
        self._write_state()

    async def _serving(self, keeper: Keeper) -> None:
        try:
            await keeper.served
        except StartFailed as error:
            raise StartFailed(f"{error}{self._end_of_log(keeper.unit.name)}") from None

    async def _stop(self) -> None:
        began = time.monotonic()
        tiers = list(reversed(self._tiers))
        for tier, limit in zip(tiers, self._timing.stop_by[-len(tiers) :] if tiers else (), strict=True):
            grace = max(0.1, began + limit - time.monotonic())
            await asyncio.gather(*(keeper.stop(grace) for keeper in tier))

    def _changed(self, keeper: Keeper) -> None:
        self._write_state()
        self._heard(keeper.unit.name, keeper.status, keeper.unit.address)

    def _write_state(self) -> None:
        keepers = [keeper for tier in self._tiers for keeper in tier]
        me = {"pid": os.getpid(), "birth": birth_of(os.getpid())}
        self._directory.write_state({**self._facts, "supervisor": me, "processes": [_row(k) for k in keepers]})

    def _end_of_log(self, name: str) -> str:
        lines = self._directory.log(name).read_text(errors="replace").strip().splitlines()[-_LINES_SHOWN:]
        return "".join(f"\n    {line}" for line in lines)


async def end_former_processes(directory: DataDirectory, patience: float = 10) -> None:
    """Ends what a killed supervisor left running. On Linux its processes die with it and this only sees to it that
    they are gone; elsewhere this is what ends them. Numbers of processes that were given again are left alone."""
    former = [row for row in directory.state().get("processes", ()) if row["pid"]]
    alive = [row for row in former if row["birth"] and birth_of(row["pid"]) == row["birth"]]
    for row in alive:
        os.kill(row["pid"], signal.Signals[row["death_signal"]])
    deadline = time.monotonic() + patience
    while any(birth_of(row["pid"]) == row["birth"] for row in alive):
        if time.monotonic() > deadline:
            raise StartFailed(f"Processes of a former stack in {directory.path} do not end.")
        await asyncio.sleep(0.05)


def _row(keeper: Keeper) -> dict[str, Any]:
    return {
        "name": keeper.unit.name,
        "pid": keeper.pid,
        "birth": keeper.birth,
        "address": keeper.unit.address,
        "metrics": keeper.unit.metrics,
        "status": keeper.status.value,
        "death_signal": keeper.unit.program.death_signal.name,
    }
