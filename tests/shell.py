"""Blocks of shell as a page shows them, run by bash."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path


async def output_of(session: str, directory: Path) -> list[str]:
    """The lines that bash printed; fails when a command of the session that is not in the background does."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-eu", "-o", "pipefail", "-c", session),
        cwd=directory,
        env={**os.environ, "NO_PROXY": "*"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(60):
            output, errors = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):  # what is still in the background
            os.killpg(process.pid, signal.SIGTERM)
    assert process.returncode == 0, errors.decode()
    return output.decode().splitlines()
