"""The tables: what each front took, and the ratios beside their targets."""

import os
import platform
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.gateway.codec import Codecs
from benchmarks.gateway.fronts import ENVOY, FRONTS, HANDWRITTEN, OURS
from benchmarks.gateway.requests import LIST, QUESTIONS
from benchmarks.gateway.rounds import Measured
from benchmarks.http_load import CONNECTIONS

_MIB = 1024 * 1024
_TO_ENVOY, _TO_HANDWRITTEN, _TO_JSON_FORMAT = 1.25, 0.75, 5.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything measured."""

    fronts: Measured
    codecs: Codecs


def show(figures: Figures) -> None:
    """Prints all tables to stdout."""
    console = Console(width=120)
    console.print(
        f"\n[bold]The machine[/]: {os.cpu_count()} cores, Python {platform.python_version()}. {CONNECTIONS} "
        "connections; medians of rounds that alternate; processor time of all threads of a front's process.\n"
    )
    for table in (_costs(figures.fronts), _memory(figures.fronts), _ratios(figures)):
        console.print(table)


def _costs(measured: Measured) -> Table:
    table = Table("", "", title="Costs", title_justify="left")
    for title in ("us of CPU", "answers/s", "p50 ms", "p99 ms", "backend us", "load us"):
        table.add_column(title, justify="right")
    for question in QUESTIONS:
        for front in FRONTS:
            rounds = measured.rounds[question][front]
            table.add_row(
                question.name if front == FRONTS[0] else "",
                front,
                f"{median(rounds.cpu):,.1f}",
                f"{rounds.rate:,.0f}",
                f"{rounds.percentile(50):.1f}",
                f"{rounds.percentile(99):.1f}",
                f"{median(rounds.backend_cpu):,.1f}",
                f"{median(rounds.load_cpu):,.1f}",
                end_section=front == FRONTS[-1],
            )
    return table


def _memory(measured: Measured) -> Table:
    table = Table("resident, MiB", *FRONTS, title="Memory, after all requests", title_justify="left")
    table.add_row("", *(f"{measured.resident[front] / _MIB:,.0f}" for front in FRONTS))
    return table


def _ratios(figures: Figures) -> Table:
    table = Table("", "to Envoy", "", "to handwritten", "", title="Our CPU by theirs", title_justify="left")
    measured = figures.fronts
    for question in QUESTIONS:
        to_envoy = measured.ratio(question, OURS, ENVOY)
        to_handwritten = measured.ratio(question, OURS, HANDWRITTEN)
        table.add_row(
            question.name,
            f"{to_envoy:.2f}",
            _judged(to_envoy, _TO_ENVOY) if question.small_unary else "",
            f"{to_handwritten:.2f}",
            _judged(to_handwritten, _TO_HANDWRITTEN) if question.small_unary else "",
        )
    codecs = figures.codecs
    cheaper = codecs.json_format / codecs.ours
    table.caption = (
        f"{codecs.size / 1000:.0f} KB from protobuf to JSON, the step alone: {codecs.ours:,.0f} us, json_format "
        f"{codecs.json_format:,.0f} us: {cheaper:.1f} times cheaper (target {_TO_JSON_FORMAT:g}: "
        f"{_word(cheaper >= _TO_JSON_FORMAT)}); the whole request of that size "
        f"{1 / measured.ratio(LIST, OURS, HANDWRITTEN):.1f} times cheaper than the handwritten route's"
    )
    return table


def _judged(ratio: float, at_most: float) -> str:
    return f"<= {at_most:g}: {_word(ratio <= at_most)}"


def _word(met: bool) -> str:
    return "[green]yes[/]" if met else "[red]no[/]"
