"""`sagamesh migrate`: databases to their newest form, or back."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from stack.directory import DataDirectory
from stack.errors import StackError
from stack.options import DataDir
from stack.services import SERVICES


def migrate(
    names: Annotated[list[str] | None, typer.Argument(metavar="[SERVICE]...", help="All without it.")] = None,
    to: Annotated[str, typer.Option(help="The revision to reach.", metavar="REVISION")] = "head",
    back: Annotated[bool, typer.Option("--down", help="Go back to REVISION; `base` is nothing.")] = False,
    data_dir: DataDir = Path(".sagamesh"),
) -> None:
    """Migrate the databases of services, one runner at a time; role and database are created where they are missing.

    \b
    sagamesh migrate
    sagamesh migrate score_maker --down --to base
    LINE_PROVIDER_DATABASE_DSN=postgresql://... sagamesh migrate line_provider

    The databases are those that the environment names, as `up` takes them, and else those of the running stack.
    """
    known = {service.name: service for service in SERVICES if service.database}
    if unknown := set(names or ()) - known.keys():
        raise StackError(f"There is no service {unknown.pop()} with a database. There are: {', '.join(known)}.")
    # Alembic and SQLAlchemy take a second to import, which no other command should wait for.
    from stack.migration import migrate as run

    asyncio.run(run(DataDirectory(data_dir), [known[name] for name in names or known], to, back=back))
