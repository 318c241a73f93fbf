"""The `sagamesh` command, as tests look at it."""

import typer
from typer.core import TyperGroup


def group(app: typer.Typer) -> TyperGroup:
    """The command line as it is parsed."""
    command = typer.main.get_command(app)
    assert isinstance(command, TyperGroup)
    return command


def command_names(app: typer.Typer) -> set[str]:
    """The commands of the first level."""
    return set(group(app).commands)
