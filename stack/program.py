"""What it takes to start one server process: its command, environment, rights and signals. Starts nothing itself."""

import os
import pwd
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.errors import NotInstalled

_TRAMPOLINE = Path(__file__).with_name("trampoline.py")
_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """The system account a program runs as. `override` keeps root's access to files, and nothing else of root."""

    uid: int
    gid: int
    override: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A server process to be. `environment` is all of its environment (None: ours); secrets go there or into 0600
    files, never into `arguments`. `death_signal` reaches it when its parent dies, `stop_signal` asks it to end."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL

    def command(self) -> list[str]:
        """The command line that starts it as a child of this very process."""
        account = self.account or Account(-1, -1)
        settings = (os.getpid(), self.death_signal.value, account.uid, account.gid, int(account.override))
        return [sys.executable, "-I", "-S", str(_TRAMPOLINE), *map(str, settings), *self.arguments]


def unprivileged_account(*paths: Path) -> Account | None:
    """Whom a server that refuses to be root runs as, able to reach `paths`; None when we are not root anyway."""
    if os.geteuid() != 0:
        return None
    entry = next(_entries(), None)
    if entry is None:
        raise NotInstalled(f"PostgreSQL refuses to run as root, and there is no user {' or '.join(_UNPRIVILEGED)}.")
    return Account(entry.pw_uid, entry.pw_gid, override=not all(map(_open_to_all, paths)))


def birth_of(pid: int) -> str:
    """When a running process was born, as the system tells it; empty when there is none. Together with its number it
    names one process for good: numbers alone are given again."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except OSError:
        return "" if Path("/proc/self").exists() else _listed(pid, "lstart=")


def command_of(pid: int) -> str:
    """The command line of a running process, its arguments separated by blanks; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "" if Path("/proc/self").exists() else _listed(pid, "command=")


def _listed(pid: int, column: str) -> str:
    return subprocess.run(["ps", "-o", column, "-p", str(pid)], capture_output=True, text=True).stdout.strip()


def _entries() -> Iterator[pwd.struct_passwd]:
    for name in _UNPRIVILEGED:
        try:
            yield pwd.getpwnam(name)
        except KeyError:
            continue


def _open_to_all(path: Path) -> bool:
    resolved = path.resolve()
    return all(place.stat().st_mode & stat.S_IXOTH for place in (resolved, *resolved.parents))
