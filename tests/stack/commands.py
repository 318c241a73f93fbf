"""The `sagamesh` command, as tests look at it and run it."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE

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

    process: subprocess.Popen[bytes]
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


@contextmanager
def running_up(*arguments: str | Path, prefix: Sequence[str] = ()) -> Generator[Up]:
    """`sagamesh up` on a free port, from its announcement to the end of the block; ended with us if we are killed.

    `prefix` runs the command. Raises ChildProcessError with what it said instead of its announcement.
    """
    command = (*prefix, *SAGAMESH, "up", "--port", "0", *map(str, arguments))
    program = Program("up", command, death_signal=signal.SIGTERM)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(program.command(), stdin=DEVNULL, stdout=PIPE, stderr=errors)
        assert process.stdout is not None
        try:
            ready, _, _ = select.select([process.stdout], [], [], _PATIENCE)
            announced = process.stdout.readline().decode() if ready else ""
            if not announced.startswith("ready "):
                errors.seek(0)
                raise ChildProcessError(errors.read().decode())
            yield Up(process, announced.removeprefix("ready ").strip())
        finally:
            process.terminate()
            process.communicate(timeout=_PATIENCE)
