"""What a ready stack prints: where it is, and requests that one can paste. Tokens are shown here and nowhere else."""

from datetime import UTC, datetime, timedelta

from stack.directory import DataDirectory
from stack.operator import token

_TOKEN_LIFE = 12 * 3600.0


def ready_line(url: str) -> str:
    """The line by which programs learn that everything serves."""
    return f"ready {url}"


def first_steps(directory: DataDirectory, url: str) -> str:
    """A first event and a first score, with tokens that last twelve hours."""
    deadline = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"""
A manager creates an event:
  MANAGER={token(directory, "maria", ["manager"], _TOKEN_LIFE)}
  curl -s {url}/v1/events -H "Authorization: Bearer $MANAGER" -H "Content-Type: application/json" \\
    -d '{{"title": "The final", "deadline": "{deadline}"}}'

A user scores it, with its eventId in place of EVENT:
  ALICE={token(directory, "alice", [], _TOKEN_LIFE)}
  curl -s {url}/v1/events/EVENT/scores -H "Authorization: Bearer $ALICE" -H "Content-Type: application/json" \\
    -d '{{"rate": 5}}'

Documentation: {url}/docs    Processes: sagamesh ps --data-dir {directory.path}
"""
