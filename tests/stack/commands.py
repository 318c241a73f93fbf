"""The `sagamesh` command, as tests look at it and run it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from typer.core import TyperGroup

from stack.program import Program

SAGAMESH = (sys.executable, "-m", "stack")
_PATIENCE = 90


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended."""

    code: int | None
    output: str
    errors: str


@dataclass(frozen=True, slots=True)
class Up:
    """A running `sagamesh up`: the process, and the URL that it announced."""

    process: Process
    url: str


def group(app: typer.Typer) -> TyperGroup:
    """The command line as it is parsed."""
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return command


def command_names(app: typer.Typer) -> set[str]:
    """The commands of the first level."""
    return set(group(app).commands)


async def sagamesh(*arguments: str | Path, **environment: str) -> Finished:
    """Runs a command to its end, with variables added to the environment."""
    process = await asyncio.create_subprocess_exec(
        *SAGAMESH, *map(str, arguments), stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env={**os.environ, **environment}
    )
    async with asyncio.timeout(_PATIENCE):
        output, errors = await process.communicate()
    return Finished(process.returncode, output.decode(), errors.decode())


@asynccontextmanager
async def running_up(*arguments: str | Path, prefix: Sequence[str] = ()) -> AsyncGenerator[Up]:
    """`sagamesh up` from its announcement to the end of the block, and ended with us should we be killed."""
    command = (*prefix, *SAGAMESH, "up", "--port", "0", *map(str, arguments))
    program = Program("up", command, death_signal=signal.SIGTERM)
    process = await asyncio.create_subprocess_exec(*program.command(), stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(_PATIENCE):
            announced = (await process.stdout.readline()).decode()
        if not announced.startswith("ready "):
            raise ChildProcessError((await process.stderr.read()).decode())
        yield Up(process, announced.removeprefix("ready ").strip())
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(_PATIENCE):
            await process.communicate()
