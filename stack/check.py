"""`python -m stack.check grpc PORT` or `... http PORT PATH`: ends with 0 when the loopback server serves, else 1.

For containers' health checks.
"""

import asyncio
import sys

from stack import probes


def main(arguments: list[str]) -> int:
    """The exit code."""
    kind, port, *path = arguments
    probe = probes.grpc_health(int(port)) if kind == "grpc" else probes.http(int(port), *path)
    return 0 if asyncio.run(_ask(probe)) else 1


async def _ask(probe: probes.Probe) -> bool:
    return await probe()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
