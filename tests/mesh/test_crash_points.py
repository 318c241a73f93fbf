"""A process that is killed at any await of produce -> pull -> deliver -> settle loses nothing and repeats nothing.

The whole path runs in a child process that kills itself (SIGKILL) at its n-th suspension; n goes over all of them. Then
this process, which knows only the database, relays what is left.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any

import pytest

from tests.mesh.messaging import Forbidden, World, three_steps, world

_ACKNOWLEDGED = "acknowledged"


class _Mortal:
    """Runs a coroutine and kills the process at its n-th suspension; `suspensions` counts them."""

    def __init__(self, work: Coroutine[Any, Any, None], die_at: int | None) -> None:
        self._work = work
        self._die_at = die_at
        self.suspensions = 0

    def __await__(self) -> Generator[Any, Any, None]:
        step: Callable[[], Any] = partial(self._work.send, None)
        while True:
            try:
                awaited = step()
            except StopIteration:
                return
            self.suspensions += 1
            if self.suspensions == self._die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                step = partial(self._work.send, (yield awaited))
            except BaseException as error:  # a cancellation or timeout belongs to the work
                step = partial(self._work.throw, error)


async def _path(w: World, entity: str) -> None:
    w.participants["c"].behave = _refuse_odd
    await w.begin(entity)
    sys.stdout.write(f"{_ACKNOWLEDGED}\n")
    sys.stdout.flush()
    await w.run()


def _refuse_odd(what: str, key: str) -> Forbidden | None:
    return Forbidden() if what == "do" and key.startswith("refused") else None


async def _child(dsn: str, entity: str, die_at: int | None) -> int:
    w = World(dsn, three_steps())
    mortal = _Mortal(_path(w, entity), die_at)
    await mortal
    await w.engine.dispose()
    return mortal.suspensions


def _fork(dsn: str, entity: str, die_at: int | None) -> tuple[bool, int, int]:
    """Runs a life in a forked child: (acknowledged, exit status, suspensions). Forking spares an import a life."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(writing, 1)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        suspensions = asyncio.run(_child(dsn, entity, die_at))
        os.write(1, f"{suspensions}\n".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as output:
        said = output.read().split()
    _, status = os.waitpid(pid, 0)
    return _ACKNOWLEDGED in said, status, int(said[-1]) if said and said[-1].isdigit() else 0


def main(dsn: str, prefix: str) -> None:
    """The zygote: imports once, then lives and dies at every suspension; prints what was acknowledged."""
    _, status, suspensions = _fork(dsn, f"{prefix}-whole", None)
    if status != 0:
        raise SystemExit("the path does not even run to its end")
    for n in range(1, suspensions + 1):
        entity = f"{prefix}-{n}"
        acknowledged, status, _ = _fork(dsn, entity, n)
        sys.stdout.write(f"{entity} {int(acknowledged)} {os.WIFSIGNALED(status) and os.WTERMSIG(status)}\n")


@pytest.mark.parametrize("prefix", ["confirmed", "refused"])
async def test_a_kill_at_any_await_loses_nothing_and_repeats_nothing(database: str, prefix: str) -> None:
    async with world(database, ttl=0.2) as w:
        zygote = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.mesh.test_crash_points", database, prefix, stdout=subprocess.PIPE
        )
        output, _ = await asyncio.wait_for(zygote.communicate(), 120)
        assert zygote.returncode == 0
        lives = [line.split() for line in output.decode().splitlines()]
        died = [life for life in lives if life[2] == str(int(signal.SIGKILL))]
        assert len(died) >= 50
        assert {life[1] for life in died} == {"0", "1"}  # before and after the commit

        w.participants["c"].behave = _refuse_odd
        await w.lease_is_lost()
        await w.run(turns=1000)
        final = {"confirmed": "CONFIRMED", "refused": "REJECTED"}[prefix]
        effects = {"confirmed": ["do a", "do b", "do c"], "refused": ["do a", "do b", "undo b", "undo a"]}[prefix]
        settled = {str(row[0]): row[1] for row in await w.query("SELECT entity_id, status FROM entity")}
        for entity, acknowledged, _ in lives:
            assert settled.get(entity) in ((final,) if acknowledged == "1" else (final, None))
            assert await w.effects(entity) == (effects if entity in settled else [])
        assert await w.query("SELECT count(*) FROM outbox") == [(0,)]


if __name__ == "__main__":
    main(*sys.argv[1:])
