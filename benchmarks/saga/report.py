"""The tables: each figure beside its target, and what it cost by process."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.saga.floor import Floor
from benchmarks.saga.latency import Latency
from benchmarks.saga.relay import Relayed
from benchmarks.saga.system import System
from benchmarks.saga.throughput import Throughput
from benchmarks.usage import LOAD, Spent

_MIB = 1024 * 1024
_SERVICES = ("line_provider", "score_maker", "arq_worker", "gateway")


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything measured. `at_rest` is bytes of memory by process."""

    system: System
    floor: Floor
    at_rest: Mapping[str, int]
    throughput: Throughput
    latency: Latency
    relay: Relayed
    one_job: Relayed


def show(figures: Figures) -> None:
    """Prints all tables to stdout."""
    console = Console(width=120)
    machine = figures.floor
    console.print(
        f"\n[bold]The machine[/]: {machine.cores} cores, Python {machine.python}, PostgreSQL {machine.postgresql}; "
        f"its floor: {machine.commits:,.0f} single-insert commits/s (asyncpg, 16 connections), "
        f"{machine.calls:,.0f} gRPC echoes/s (aio, 32 at a time)\n"
    )
    for table in (_results(figures), _costs(figures), _memory(figures)):
        console.print(table)
    console.print(
        f"The load generator took {figures.throughput.completing.load_share:.0%} of all processor time in (1), "
        f"{figures.throughput.committing.load_share:.0%} beside SubmitScore alone, "
        f"{figures.latency.spent.load_share:.0%} in (2)."
    )


def _results(figures: Figures) -> Table:
    table = Table("", "measured", "target", "", title="Figures of this run", title_justify="left")
    through, steady, relay, jobs = figures.throughput, figures.latency, figures.relay, figures.one_job
    table.add_row("(1) sagas completed through REST", f"{median(through.completed):,.0f}/s")
    table.add_row("    SubmitScore committed by the service alone", f"{median(through.committed):,.0f}/s")
    _add(table, "    ratio", through.ratio, 0.5, unit="x", digits=2)
    table.add_row("(2) scores offered through REST", f"{steady.offered:,.0f}/s")
    _add(table, "    commit -> CONFIRMED, p50", steady.percentile(50), 30, unit=" ms", at_most=True)
    _add(table, "    commit -> CONFIRMED, p99", steady.percentile(99), 100, unit=" ms", at_most=True)
    table.add_row("    slowest", f"{steady.spans[-1]:,.1f} ms")
    table.add_row(f"(3) relay, {relay.messages:,} messages waiting", f"{relay.rate:,.0f}/s")
    table.add_row(f"    one arq job a message, {jobs.messages:,} waiting", f"{jobs.rate:,.0f}/s")
    _add(table, "    ratio", relay.rate / jobs.rate, 10, unit="x")
    _add(table, "(4) `up` to ready, in an empty directory", figures.system.first_start, 15, unit=" s", at_most=True)
    _add(table, "    `up` to ready, again", figures.system.second_start, 15, unit=" s", at_most=True)
    largest = max(figures.at_rest[name] for name in _SERVICES) / _MIB
    _add(table, "    largest service at rest", largest, 120, unit=" MiB", at_most=True)
    return table


def _add(
    table: Table, name: str, value: float, target: float, *, unit: str, digits: int = 1, at_most: bool = False
) -> None:
    met = value < target if at_most else value >= target
    sign, colour = ("<" if at_most else ">="), "green" if met else "red"
    table.add_row(
        name, f"{value:,.{digits}f}{unit}", f"{sign} {target:g}{unit}", f"[{colour}]{'yes' if met else 'no'}[/]"
    )


def _costs(figures: Figures) -> Table:
    """Microseconds of processor time a message: less noisy than rates on a busy machine."""
    through = figures.throughput
    columns: list[tuple[str, Spent, int]] = [
        ("through REST", through.completing, through.count),
        ("service alone", through.committing, through.count),
        ("at a steady rate", figures.latency.spent, len(figures.latency.spans)),
        ("relay", figures.relay.spent, figures.relay.messages),
        ("one arq job", figures.one_job.spent, figures.one_job.messages),
    ]
    table = Table("processor time a score, us", title="Costs", title_justify="left")
    for title, _, _ in columns:
        table.add_column(title, justify="right")
    names = dict.fromkeys(name for _, spent, _ in columns for name in spent.cpu)
    for name in sorted(names, key=lambda name: name == LOAD):
        table.add_row(name, *(f"{spent.cpu.get(name, 0.0) / count * 1e6:,.0f}" for _, spent, count in columns))
    table.add_row("all", *(f"{spent.total / count * 1e6:,.0f}" for _, spent, count in columns))
    return table


def _memory(figures: Figures) -> Table:
    table = Table("at rest, MiB", *figures.at_rest, title="Memory", title_justify="left")
    table.add_row("", *(f"{resident / _MIB:,.0f}" for resident in figures.at_rest.values()))
    return table
