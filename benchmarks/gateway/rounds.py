"""The measuring: rounds of each front in turn, which begin with another front each time."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median, quantiles

from benchmarks.gateway.fronts import BACKEND, FRONTS, Stage
from benchmarks.gateway.requests import QUESTIONS, Question
from benchmarks.http_load import saturate_http
from benchmarks.usage import LOAD, Meter

_WARM_UP_SECONDS = 0.3

Progress = Callable[[], None]
"""Called after each round."""


@dataclass(slots=True)
class Rounds:
    """What one front did with one question, a number a round: answered messages a second, processor microseconds a
    message of the front, the backend and the load; and the seconds of every request of all rounds."""

    rates: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])
    backend_cpu: list[float] = field(default_factory=list[float])
    load_cpu: list[float] = field(default_factory=list[float])
    spans: list[float] = field(default_factory=list[float])

    @property
    def rate(self) -> float:
        """Of the median round."""
        return median(self.rates)

    def percentile(self, percent: int) -> float:
        """Milliseconds within which that part of the requests was answered."""
        return quantiles(self.spans, n=100, method="inclusive")[percent - 1] * 1000


@dataclass(frozen=True, slots=True)
class Measured:
    """All rounds by question and front, and bytes of memory of the fronts after them."""

    rounds: dict[Question, dict[str, Rounds]]
    resident: dict[str, int]

    def ratio(self, question: Question, front: str, other: str) -> float:
        """Processor time of one front by that of another: the median over pairs of rounds that followed each other."""
        pairs = zip(self.rounds[question][front].cpu, self.rounds[question][other].cpu, strict=True)
        return median(one / another for one, another in pairs)


async def measure(stage: Stage, *, rounds: int, seconds: float, progress: Progress) -> Measured:
    """`rounds` of `seconds` for each question and front."""
    meter = Meter(stage.pids)
    results = {question: {front: Rounds() for front in FRONTS} for question in QUESTIONS}
    for question in QUESTIONS:
        for front in FRONTS:
            await _ask(stage, front, question, _WARM_UP_SECONDS)
        for number in range(rounds):
            for turn in range(len(FRONTS)):
                front = FRONTS[(number + turn) % len(FRONTS)]
                await _round(stage, meter, front, question, seconds, results[question][front])
                progress()
    return Measured(results, meter.resident())


async def _round(stage: Stage, meter: Meter, front: str, question: Question, seconds: float, into: Rounds) -> None:
    with meter.measured() as spent:
        spans = await _ask(stage, front, question, seconds)
    messages = len(spans) * question.messages
    into.rates.append(messages / spent.wall)
    into.cpu.append(spent.cpu[front] / messages * 1e6)
    into.backend_cpu.append(spent.cpu[BACKEND] / messages * 1e6)
    into.load_cpu.append(spent.cpu[LOAD] / messages * 1e6)
    into.spans += spans


async def _ask(stage: Stage, front: str, question: Question, seconds: float) -> list[float]:
    return await saturate_http(
        stage.address(front), _until(seconds, question.raw), lambda: None, question.status.encode()
    )


def _until(seconds: float, request: bytes) -> Iterator[bytes]:
    end = time.perf_counter() + seconds
    return itertools.takewhile(lambda _: time.perf_counter() < end, itertools.repeat(request))
