"""The embedded PostgreSQL: separate databases, and what survives what."""

import os
import subprocess
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from mesh.uow import open_engine
from stack.errors import StartFailed
from stack.ports import free_port
from stack.postgres import Cluster, ensure_database, with_account
from stack.probes import POSTGRES_GREETING, POSTGRES_WELCOME
from tests.servers import running


async def ask(dsn: str, *statements: str) -> object:
    """The first value of the last statement's answer."""
    engine = open_engine(dsn, pool_size=1)
    try:
        async with engine.begin() as connection:
            for statement in statements[:-1]:
                await connection.execute(text(statement))
            result = await connection.execute(text(statements[-1]))
            return result.scalar() if result.returns_rows else None
    finally:
        await engine.dispose()


async def test_a_fresh_database_is_empty_and_owned_by_its_role(database: str):
    assert await ask(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert await ask(database, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


async def test_it_is_version_18_and_speaks_utf8(database: str):
    assert await ask(database, "SELECT current_setting('server_version_num')::int / 10000") == 18
    assert await ask(database, "SELECT current_setting('server_encoding')") == "UTF8"


async def test_a_role_cannot_open_the_database_of_another(postgres: str):
    await ensure_database(postgres, "first_owner", "one")
    other = await ensure_database(postgres, "second_owner", "two")
    with pytest.raises(Exception, match="permission denied for database"):
        await ask(other.removesuffix("second_owner") + "first_owner", "SELECT 1")


async def test_a_wrong_password_is_refused(database: str):
    name = database.rpartition("/")[2]
    with pytest.raises(Exception, match="password authentication failed"):
        await ask(with_account(database, name, "wrong"), "SELECT 1")


async def test_a_second_call_keeps_the_data_and_takes_the_new_password(postgres: str):
    dsn = await ensure_database(postgres, "kept", "old")
    await ask(dsn, "CREATE TABLE thing AS SELECT 7 AS n", "SELECT 1")
    dsn = await ensure_database(postgres, "kept", "it's a new/one@home")
    assert await ask(dsn, "SELECT n FROM thing") == 7


async def test_a_failing_statement_leaves_no_password_in_the_log(tmp_path: Path):
    cluster = Cluster(tmp_path / "postgres", "secret", free_port(), ephemeral=True)
    cluster.initialise()
    log = tmp_path / "log"
    with (
        running(cluster.program(), cluster.port, log, POSTGRES_GREETING, POSTGRES_WELCOME),
        pytest.raises(StartFailed) as raised,
    ):
        await ensure_database(cluster.dsn, "pg_reserved_name", "very-secret")
    assert "very-secret" not in log.read_text() + str(raised.value)


async def test_a_server_starts_after_its_predecessor_was_orphaned(tmp_path: Path):
    former = Cluster(tmp_path / "postgres", "secret", free_port(), ephemeral=True)
    former.initialise()
    with running(former.program(), former.port, tmp_path / "log", POSTGRES_GREETING, POSTGRES_WELCOME) as process:
        await ask(former.dsn, "CREATE TABLE thing AS SELECT 7 AS n", "SELECT 1")
        successor = Cluster(former.directory, former.password, free_port(), ephemeral=True)
        _reap_in_background(process)
        successor.initialise()
    with running(successor.program(), successor.port, tmp_path / "log", POSTGRES_GREETING, POSTGRES_WELCOME):
        assert await ask(successor.dsn, "SELECT n FROM thing") == 7


async def test_a_pid_file_that_names_a_stranger_is_no_obstacle(tmp_path: Path):
    cluster = Cluster(tmp_path / "postgres", "secret", free_port(), ephemeral=True)
    cluster.initialise()
    (cluster.directory / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.directory}\n")
    cluster.initialise()
    with running(cluster.program(), cluster.port, tmp_path / "log", POSTGRES_GREETING, POSTGRES_WELCOME):
        assert await ask(cluster.dsn, "SELECT 1") == 1


def test_the_server_has_no_right_of_root_but_to_reach_its_files(tmp_path: Path):
    cluster = Cluster(tmp_path / "postgres", "secret", free_port(), ephemeral=True)
    cluster.initialise()
    with running(cluster.program(), cluster.port, tmp_path / "log", POSTGRES_GREETING, POSTGRES_WELCOME) as process:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    assert "0" not in status["Uid"].split()
    assert int(status["CapEff"], 16) in (0, 1 << 1)


def test_the_password_is_on_no_command_line(tmp_path: Path):
    program = Cluster(tmp_path, "very-secret", 1).program()
    assert "very-secret" not in " ".join(program.command())


def _reap_in_background(process: subprocess.Popen[bytes]) -> None:
    """Stands in for init, which collects an orphan as soon as it ends."""
    threading.Thread(target=process.wait, daemon=True).start()
