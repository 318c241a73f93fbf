"""Alembic's entry to these migrations."""

from mesh.migrate import run_environment

run_environment()
