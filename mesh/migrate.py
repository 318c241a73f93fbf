"""Runs a service's Alembic migrations on its database, one runner at a time.

`python -m mesh.migrate line_provider` reads LINE_PROVIDER_DATABASE_DSN. A service's `migrations/env.py` calls
`run_environment()`; its revisions call the frozen DDL of mesh/schema.py for the mesh's own tables.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec

from alembic import command, context
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from mesh.uow import open_engine

_LOCK = 7_103_581_442  # any constant that no other program of this database uses


async def upgrade(dsn: str, package: str, revision: str = "head") -> None:
    """Migrates the service `package` forward; waits while another runner does."""
    await _locked(open_engine(dsn, pool_size=1), package, lambda config: command.upgrade(config, revision))


async def downgrade(dsn: str, package: str, revision: str) -> None:
    """Migrates the service `package` back to `revision` (`base`: to nothing)."""
    await _locked(open_engine(dsn, pool_size=1), package, lambda config: command.downgrade(config, revision))


def revisions(package: str) -> list[str]:
    """The service's revisions, first to last."""
    script = ScriptDirectory.from_config(_config(package))
    return [revision.revision for revision in reversed(list(script.walk_revisions()))]


def run_environment() -> None:
    """What a service's `migrations/env.py` does: runs the revisions on the connection given, each in its own
    transaction."""
    context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def _locked(engine: AsyncEngine, package: str, run: Callable[[Config], None]) -> None:
    def migrate(connection: Connection) -> None:
        config = _config(package)
        config.attributes["connection"] = connection
        run(config)

    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
            await connection.commit()  # the lock is the session's; migrations have transactions of their own
            await connection.run_sync(migrate)
            await connection.commit()
    finally:
        await engine.dispose()  # closing the session gives the lock back


def _config(package: str) -> Config:
    if find_spec(f"{package}.migrations") is None:
        raise SystemExit(f"{package} has no migrations")
    config = Config()
    config.set_main_option("script_location", f"{package}:migrations")
    config.set_main_option("path_separator", "os")
    return config


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m mesh.migrate", description=__doc__)
    parser.add_argument("package", help="the service, such as line_provider")
    parser.add_argument("--to", default="head", metavar="REVISION", help="revision to reach (default: head)")
    parser.add_argument("--down", action="store_true", help="go back to REVISION; `base` is nothing")
    args = parser.parse_args()
    variable = f"{args.package.upper()}_DATABASE_DSN"
    if variable not in os.environ:
        sys.exit(f"{variable} is not set")
    run = downgrade if args.down else upgrade
    asyncio.run(run(os.environ[variable], args.package, args.to))


if __name__ == "__main__":
    main()
