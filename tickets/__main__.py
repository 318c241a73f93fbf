"""Runs tickets: `python -m tickets`. Settings -> wiring -> serve."""

import sys

from mesh import logs
from mesh.server import run, serve
from tickets.settings import Settings
from tickets.wiring import NAME, wire


async def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    settings = Settings()  # pyright: ignore[reportCallIssue]  # the environment has the rest
    logs.configure(NAME, settings.log_level)
    await serve(wire(settings))


if __name__ == "__main__":
    sys.exit(run(main))
