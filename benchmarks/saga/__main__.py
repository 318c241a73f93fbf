"""`python -m benchmarks.saga [--quick]`: brings a stack up, measures it, prints the tables."""

import argparse
import asyncio
from dataclasses import dataclass

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.saga import floor, latency, relay, throughput
from benchmarks.saga.report import Figures, show
from benchmarks.saga.scores import Audience
from benchmarks.saga.system import System, running_system
from benchmarks.usage import Meter

_REST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int = 3
    scores_per_round: int = 4000
    seconds_at_a_rate: float = 10.0
    scores_per_second: float = 200.0
    messages: int = 100_000
    jobs: int = 3000


_QUICK = Plan(rounds=1, scores_per_round=1000, seconds_at_a_rate=3.0, messages=10_000, jobs=500)


class Steps:
    """Shows what is being measured, and how much of it is left. Redrawn seldom: it costs what is measured."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def counted(self, title: str, total: int) -> throughput.Progress:
        """A step that advances by one."""
        task = self._progress.add_task(title, total=total)
        done = 0

        def one_more() -> None:
            nonlocal done
            done += 1
            if done % 100 == 0 or done == total:
                self._progress.update(task, completed=done)

        return one_more

    def emptied(self, title: str, total: int) -> relay.Left:
        """A step that knows what is left."""
        task = self._progress.add_task(title, total=total)
        return lambda left: self._progress.update(task, completed=total - left)

    def say(self, sentence: str) -> None:
        """A line of its own."""
        self._progress.console.print(sentence)


async def measure(plan: Plan, steps: Steps) -> Figures:
    """All figures, of one stack."""
    steps.say("Bringing the stack up, twice.")
    async with running_system() as system:
        await asyncio.sleep(_REST_SECONDS)
        return await _measure(plan, steps, system)


async def _measure(plan: Plan, steps: Steps, system: System) -> Figures:
    meter = Meter(system.pids)
    at_rest = meter.resident()
    steps.say("Measuring what the machine can do at most.")
    machine = await floor.measure(system)
    audience = Audience(system)
    total = 2 * plan.rounds * plan.scores_per_round
    through = await throughput.measure(
        system,
        meter,
        audience,
        rounds=plan.rounds,
        count=plan.scores_per_round,
        progress=steps.counted("scores, through REST and to the service alone", total),
    )
    steady = await latency.measure(
        system,
        meter,
        audience,
        per_second=plan.scores_per_second,
        seconds=plan.seconds_at_a_rate,
        progress=steps.counted(
            f"{plan.scores_per_second:.0f} scores/s", int(plan.scores_per_second * plan.seconds_at_a_rate)
        ),
    )
    jobs = await relay.measure_one_job(system, audience, plan.jobs, steps.emptied("one arq job a message", plan.jobs))
    relayed = await relay.measure_relay(
        system, meter, audience, plan.messages, steps.emptied("a waiting outbox", plan.messages)
    )
    return Figures(system, machine, at_rest, through, steady, relayed, jobs)


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.saga", description="How fast sagas complete.")
    parser.add_argument("--quick", action="store_true", help="small counts: figures come soon, and vary more")
    plan = _QUICK if parser.parse_args().quick else Plan()
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, refresh_per_second=2) as progress:
        figures = uvloop.run(measure(plan, Steps(progress)))
    show(figures)


if __name__ == "__main__":
    main()
