"""The schema that each service's migrations make, against the tables that its code reads."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Enum, MetaData, inspect

from mesh.migrate import downgrade, revisions, upgrade
from mesh.uow import open_engine

ROOT = Path(__file__).parents[1]
SERVICES = sorted(folder.parent.parent.name for folder in ROOT.glob("*/migrations/env.py"))
STEPS = [(service, revision) for service in SERVICES for revision in ("base", *revisions(service))]

each_service = pytest.mark.parametrize("service", SERVICES)


def differences(connection: Connection, metadata: MetaData) -> list[Any]:
    """What Alembic would change to get from the database to the tables. Indexes, constraints and the mesh's own
    tables are the migrations' business alone."""

    def differ(_context: object, _inspected: object, column: Any, *_types: object) -> bool | None:
        return False if isinstance(column.type, Enum) else None  # text with a CHECK in the database

    context = MigrationContext.configure(connection, opts={"compare_type": differ})
    found: list[Any] = compare_metadata(context, metadata)
    return [one for one in found if one[0] not in ("remove_index", "remove_table", "remove_constraint")]


@each_service
async def test_the_tables_of_the_code_are_those_of_the_migrations(database: str, service: str) -> None:
    await upgrade(database, service)
    engine = open_engine(database, pool_size=1)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences, import_module(f"{service}.tables").metadata) == []
    await engine.dispose()


@pytest.mark.parametrize(("service", "revision"), STEPS)
async def test_going_back_and_forward_again_works(database: str, service: str, revision: str) -> None:
    await upgrade(database, service)
    await downgrade(database, service, revision)
    await upgrade(database, service)


@each_service
async def test_going_back_to_nothing_leaves_nothing(database: str, service: str) -> None:
    await upgrade(database, service)
    await downgrade(database, service, "base")
    engine = open_engine(database, pool_size=1)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await engine.dispose()
    assert names == ["alembic_version"]
