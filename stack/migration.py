"""Migrates the databases of services: those that the environment names, else those of the running stack."""

import os
from collections.abc import Sequence

import typer
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from mesh.migrate import downgrade, upgrade
from stack.directory import DataDirectory
from stack.errors import NothingRuns, StackError
from stack.postgres import Cluster
from stack.services import Service
from stack.stores import POSTGRES_DSN, Stores, own_dsn


async def migrate(directory: DataDirectory, services: Sequence[Service], revision: str, *, back: bool) -> None:
    """Migrates each to the revision, forward or back, and says so. Raises StackError."""
    stores = _stores(directory, services)
    for service in services:
        dsn = await stores.database_dsn(service)
        try:
            await (downgrade if back else upgrade)(dsn, service.name, revision)
        except (DBAPIError, CommandError, OSError) as error:
            raise StackError(f"{service.name} was not migrated: {getattr(error, 'orig', None) or error}.") from None
        typer.echo(f"{service.name}: {revision}")


def _stores(directory: DataDirectory, services: Sequence[Service]) -> Stores:
    if os.environ.get(POSTGRES_DSN) or all(map(own_dsn, services)):
        return Stores(directory, None, {})
    address = next((row["address"] for row in directory.running() if row["name"] == "postgres"), None)
    if address is None:
        raise NothingRuns(f"The stack in {directory.path} runs no PostgreSQL, and the environment names none.")
    port = int(address.rpartition(":")[2])
    return Stores(directory, Cluster(directory.path / "postgres", directory.secret("postgres"), port), {})
