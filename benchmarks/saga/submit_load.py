"""SubmitScore called directly, without the gateway. It shares the processor with what it measures."""

import asyncio
from collections.abc import Iterable

from grpc import aio
from sagamesh.score_maker.v1.score_pb2 import SubmitScoreRequest

from benchmarks.http_load import CONNECTIONS, Progress

_SUBMIT = "/sagamesh.score_maker.v1.ScoreService/SubmitScore"


async def saturate_submit(target: str, requests: Iterable[tuple[SubmitScoreRequest, str]], progress: Progress) -> None:
    """Calls SubmitScore with (request, token) pairs, as many at a time as HTTP connections; bytes in, bytes out."""
    left = [(request.SerializeToString(), (("authorization", f"Bearer {token}"),)) for request, token in requests]
    pending = iter(left)
    async with aio.insecure_channel(target) as channel:
        call: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_SUBMIT)

        async def work() -> None:
            for request, metadata in pending:
                await call(request, metadata=metadata, timeout=10.0)
                progress()

        async with asyncio.TaskGroup() as group:  # the first failure ends the rest
            for _ in range(CONNECTIONS):
                group.create_task(work())
