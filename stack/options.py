"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="SAGAMESH_DATA_DIR", help="The data directory of the stack.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
OneService = Annotated[str | None, typer.Option("--service", help="Only this service; all without it.")]
