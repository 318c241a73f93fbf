"""Completed sagas a second through REST, beside what the same machine commits through SubmitScore alone.

Both sorts of rounds alternate, so that a busy moment of the machine hits both. In a round of SubmitScore alone the
worker is stopped: messages stay in the outbox, and nothing runs but score_maker, PostgreSQL, the load, and
line_provider for one look a second at each event. They are relayed before the next round begins.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

import asyncpg
from sagamesh.score_maker.v1.score_pb2 import SubmitScoreRequest

from benchmarks.http_load import Progress, saturate_http
from benchmarks.saga.scores import Audience, NewScore
from benchmarks.saga.submit_load import saturate_submit
from benchmarks.saga.system import System, wait_until_drained
from benchmarks.usage import Meter, Spent


@dataclass(slots=True)
class Throughput:
    """Rates by round, in scores a second, and what all rounds of a sort cost together."""

    count: int
    committed: list[float] = field(default_factory=list[float])
    completed: list[float] = field(default_factory=list[float])
    committing: Spent = field(default_factory=Spent)
    completing: Spent = field(default_factory=Spent)

    @property
    def ratio(self) -> float:
        """Completed by committed, of the median rounds."""
        return median(self.completed) / median(self.committed)


async def measure(
    system: System, meter: Meter, audience: Audience, *, rounds: int, count: int, progress: Progress
) -> Throughput:
    """`count` scores in each of the rounds, of both sorts."""
    result = Throughput(rounds * count)
    connection = await asyncpg.connect(system.dsn("score_maker"))
    for _ in range(rounds):
        scores = await audience.scores(count)
        with system.without_relay(), meter.measured() as spent:
            await saturate_submit(system.address("score_maker"), _requests(scores), progress)
        result.committed.append(count / spent.wall)
        result.committing += spent
        await wait_until_drained(connection)

        scores = await audience.scores(count)
        requests = [score.http("localhost") for score in scores]
        with meter.measured() as spent:
            began = time.time()
            await saturate_http(system.gateway, requests, progress)
            ended = await wait_until_drained(connection)
        result.completed.append(count / (ended - began))
        result.completing += spent
    await expect_confirmed(connection)
    await connection.close()
    return result


async def expect_confirmed(connection: asyncpg.Connection) -> None:
    """A figure counts only if every score was confirmed."""
    others = await connection.fetchval("SELECT count(*) FROM score WHERE status <> 'CONFIRMED'")
    if others:
        raise AssertionError(f"{others} scores are not CONFIRMED")


def _requests(scores: Sequence[NewScore]) -> list[tuple[SubmitScoreRequest, str]]:
    return [(SubmitScoreRequest(event_id=score.event_id, rate=score.rate), score.token) for score in scores]
