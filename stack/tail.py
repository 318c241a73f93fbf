"""Reads the logs of a stack's processes."""

import os
import time
from typing import TextIO

from stack.directory import DataDirectory
from stack.errors import NothingRuns


def last_lines(directory: DataDirectory, name: str, count: int) -> str:
    """The last lines of a process's log. Raises NothingRuns, naming the logs there are, when it has none."""
    path = directory.log(name)
    if not path.is_file() or path.parent != directory.logs:
        known = ", ".join(sorted(log.stem for log in directory.logs.glob("*.log"))) or "none"
        raise NothingRuns(f"There is no log of {name} in {directory.path}. There are: {known}.")
    return "".join(path.read_text(errors="replace").splitlines(keepends=True)[-count:])


def follow_log(directory: DataDirectory, name: str, output: TextIO) -> None:
    """Writes what is appended to the log, across its moving aside, until interrupted."""
    path = directory.log(name)
    log = path.open(errors="replace")
    log.seek(0, 2)
    try:
        while True:
            output.write(log.read())
            output.flush()
            if path.exists() and path.stat().st_ino != os.fstat(log.fileno()).st_ino:
                log.close()
                log = path.open(errors="replace")
            time.sleep(0.2)
    except KeyboardInterrupt:
        return
    finally:
        log.close()
