"""What a person sees while a stack starts and runs: a live table on a terminal, plain lines elsewhere.

Everything goes to stderr, except the announcement that the stack is ready, which goes to stdout. No secret in either
but the tokens of the announcement.
"""

import time
from contextlib import AbstractContextManager, nullcontext

from rich.console import Console
from rich.live import Live
from rich.table import Column, Table

from stack.status import Status

_WIDE = 400
_COLOURS = {
    Status.WAITING: "dim",
    Status.STARTING: "yellow",
    Status.READY: "green",
    Status.UNREADY: "red",
    Status.RESTARTING: "red",
    Status.STOPPED: "dim",
}


def output(*, markup: bool = False) -> Console:
    """Standard output. Tables that are piped somewhere are not folded to a terminal's width."""
    console = Console(highlight=False, markup=markup, soft_wrap=True)
    if not console.is_terminal:
        console.width = _WIDE
    return console


class Progress:
    """Shows the processes of a stack as they change."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._rows: dict[str, tuple[Status, str]] = {}
        self._began = time.monotonic()
        self._live: Live | None = Live(console=self._console) if self._console.is_terminal else None

    def table(self) -> AbstractContextManager[object]:
        """Shows the table while the block runs; afterwards, and where there is no terminal, changes are lines."""
        return self._live or nullcontext()

    def changed(self, name: str, status: Status, address: str) -> None:
        """Takes note of a change."""
        self._rows[name] = (status, address)
        if self._live and self._live.is_started:
            self._live.update(_table([(name, *row) for name, row in self._rows.items()]))
        elif status not in (Status.WAITING, Status.STARTING):
            after = time.monotonic() - self._began
            self.say(f"{after:6.1f}s  {name:<16} {status.value:<10} {address}")

    def say(self, sentence: str) -> None:
        """A line for the person at the terminal."""
        self._console.print(sentence, soft_wrap=True, markup=False)


def _table(rows: list[tuple[str, Status, str]]) -> Table:
    table = Table(Column("process", min_width=16), Column("status", min_width=10), "address", box=None, pad_edge=False)
    for name, status, address in rows:
        table.add_row(name, f"[{_COLOURS[status]}]{status.value}[/]", address)
    return table


def process_table(rows: list[dict[str, str]]) -> Table:
    """The processes of a running stack, as the state file has them."""
    table = Table("process", "pid", "status", "address", "metrics", box=None, pad_edge=False)
    for row in rows:
        colour = _COLOURS[Status(row["status"])]
        table.add_row(
            row["name"], str(row["pid"] or "-"), f"[{colour}]{row['status']}[/]", row["address"], row["metrics"] or "-"
        )
    return table
