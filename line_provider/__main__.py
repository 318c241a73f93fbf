"""Runs line_provider: `python -m line_provider`. Settings -> wiring -> serve."""

import sys

from line_provider.settings import Settings
from line_provider.wiring import NAME, wire
from mesh import logs
from mesh.server import run, serve


async def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    settings = Settings()  # pyright: ignore[reportCallIssue]  # the environment has the rest
    logs.configure(NAME, settings.log_level)
    await serve(wire(settings))


if __name__ == "__main__":
    sys.exit(run(main))
