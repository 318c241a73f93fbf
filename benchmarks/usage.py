"""Processor time and memory of processes, the load generator among them."""

import os
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

LOAD = "load generator"


@dataclass(slots=True)
class Spent:
    """What a stretch of time cost: seconds on the clock, and processor seconds by process."""

    wall: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def total(self) -> float:
        """Processor seconds of all processes."""
        return sum(self.cpu.values())

    @property
    def load_share(self) -> float:
        """The load generator's part of all processor time."""
        return self.cpu[LOAD] / self.total

    def __add__(self, other: "Spent") -> "Spent":
        names = self.cpu | other.cpu
        cpu = {name: self.cpu.get(name, 0.0) + other.cpu.get(name, 0.0) for name in names}
        return Spent(self.wall + other.wall, cpu)


class Meter:
    """Reads processes by name."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._processes[LOAD] = psutil.Process(os.getpid())

    @contextmanager
    def measured(self) -> Generator[Spent]:
        """What the block costs, known at its end."""
        spent = Spent()
        began, before = time.perf_counter(), self._seconds()
        yield spent
        spent.wall = time.perf_counter() - began
        spent.cpu = {name: seconds - before[name] for name, seconds in self._seconds().items()}

    def resident(self) -> dict[str, int]:
        """Bytes of memory by process; those of PostgreSQL's children are left out, since they share most of it."""
        return {name: process.memory_info().rss for name, process in self._processes.items()}

    def _seconds(self) -> dict[str, float]:
        return {name: _seconds_of(process, children=name != LOAD) for name, process in self._processes.items()}


def _seconds_of(process: psutil.Process, *, children: bool) -> float:
    """Processor time of a process, and of its children, living and dead (PostgreSQL has one a connection)."""
    members = [process, *(process.children(recursive=True) if children else [])]
    total = 0.0
    for member in members:
        try:
            times = member.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if children:
            total += times.children_user + times.children_system
    return total
