"""`python -m benchmarks.gateway [--quick]`: starts the fronts, measures them, prints the tables."""

import argparse
from dataclasses import dataclass

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.gateway import codec, rounds
from benchmarks.gateway.agreement import expect_agreement
from benchmarks.gateway.fronts import FRONTS, running_fronts
from benchmarks.gateway.report import Figures, show
from benchmarks.gateway.requests import QUESTIONS


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int = 7
    seconds: float = 1.5


_QUICK = Plan(rounds=3, seconds=0.5)


async def measure(plan: Plan, progress: Progress) -> Figures:
    """All figures."""
    progress.console.print("Starting the fronts; Envoy is installed when it is not there yet.")
    async with running_fronts() as stage:
        expect_agreement(stage)
        total = plan.rounds * len(FRONTS) * len(QUESTIONS)
        task = progress.add_task("rounds", total=total)
        fronts = await rounds.measure(
            stage, rounds=plan.rounds, seconds=plan.seconds, progress=lambda: progress.advance(task)
        )
    return Figures(fronts, codec.measure())


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description="What a request costs.")
    parser.add_argument("--quick", action="store_true", help="short rounds: figures come soon, and vary more")
    plan = _QUICK if parser.parse_args().quick else Plan()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=1) as progress:
        figures = uvloop.run(measure(plan, progress))
    show(figures)


if __name__ == "__main__":
    main()
