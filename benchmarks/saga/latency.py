"""From the commit of a score to the commit of its confirmation, at a steady rate of scores through REST.

The saga's log is written once by either transaction and never changed, so the two commits' times are those of the rows
that say SENT and DONE: PostgreSQL keeps them here (track_commit_timestamp), on one clock. `saga.create_time` and
`update_time` would not do: they are the times when their transactions *began*, so the span between them holds the
first transaction and leaves out the second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import quantiles

import asyncpg

from benchmarks.http_load import Progress, offer_http
from benchmarks.saga.scores import Audience
from benchmarks.saga.system import System, wait_until_drained
from benchmarks.usage import Meter, Spent
from mesh.identifiers import lowest_id
from mesh.saga.machine import Report

_SPANS = """
    SELECT extract(epoch FROM pg_xact_commit_timestamp(done.xmin) - pg_xact_commit_timestamp(sent.xmin))::float8 * 1000
    FROM saga_log AS sent JOIN saga_log AS done USING (saga_id)
    WHERE saga_id >= $1 AND sent.kind = $2 AND done.kind = $3"""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of each saga, sorted; the rate that was really offered; what it cost."""

    spans: Sequence[float]
    offered: float
    spent: Spent

    def percentile(self, percent: int) -> float:
        """Milliseconds within which that part of the sagas completed."""
        return quantiles(self.spans, n=100, method="inclusive")[percent - 1]


async def measure(
    system: System, meter: Meter, audience: Audience, *, per_second: float, seconds: float, progress: Progress
) -> Latency:
    """Scores at `per_second` for `seconds`."""
    scores = await audience.scores(int(per_second * seconds))
    requests = [score.http("localhost") for score in scores]
    connection = await asyncpg.connect(system.dsn("score_maker"))
    began = lowest_id(datetime.now(UTC))
    with meter.measured() as spent:
        offered = await offer_http(system.gateway, requests, per_second, progress)
        await wait_until_drained(connection)
    rows = await connection.fetch(_SPANS, began, int(Report.SENT), int(Report.DONE))
    await connection.close()
    return Latency(sorted(row[0] for row in rows), offered, spent)
