"""The relay's rival: an arq worker with one job a message, which delivers it to the same inbox and settles it at the
same outbox. `python -m benchmarks.saga.one_job` runs it, with the settings of our own worker.

It is tuned to be fast: hardly a wait between polls, no results, msgpack, and many jobs at once (10, 50 and 200 did
equally well).
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import msgpack
from arq import create_pool, func
from arq.connections import RedisSettings
from arq.worker import Worker
from sagamesh.mesh.v1 import inbox_pb2, inbox_pb2_grpc, outbox_pb2, outbox_pb2_grpc
from sagamesh.mesh.v1.envelope_pb2 import Envelope, Outcome

from arq_worker.settings import WorkerSettings
from mesh.channel import open_channel
from mesh.identity import ServiceTokens

QUEUE = "benchmark:one-job"
READY = f"{QUEUE}:health-check"
"""The key that says that the worker polls."""

PRODUCER = "score_maker"
_MAX_JOBS = 50
_POLL_DELAY = 0.01
_AT_ONCE = 200
_SERVICES = [
    inbox_pb2.DESCRIPTOR.services_by_name["InboxService"],
    outbox_pb2.DESCRIPTOR.services_by_name["OutboxService"],
]
_pack: Any = msgpack.packb
_unpack: Any = partial(msgpack.unpackb, raw=False)


async def enqueue(dsn: str, envelopes: Sequence[bytes]) -> None:
    """Queues a job a message."""
    pool = await create_pool(RedisSettings.from_dsn(dsn), job_serializer=_pack, default_queue_name=QUEUE)
    for first in range(0, len(envelopes), _AT_ONCE):
        part = envelopes[first : first + _AT_ONCE]
        await asyncio.gather(*(pool.enqueue_job("deliver", envelope) for envelope in part))
    await pool.aclose()


class OneJob:
    """Delivers and settles one message a job."""

    def __init__(self, inboxes: Mapping[str, Any], outbox: Any) -> None:
        self._inboxes = inboxes
        self._outbox = outbox

    async def deliver(self, ctx: dict[str, Any], envelope: bytes) -> None:
        """The job. Whatever became of the message but OK is a failure here."""
        message = Envelope.FromString(envelope)
        inbox = self._inboxes[message.destination]
        outcomes = (await inbox.Deliver(inbox_pb2.DeliverRequest(envelopes=[message]))).outcomes
        if outcomes[0].code != Outcome.OK:
            raise RuntimeError(outcomes[0])
        settlement = outbox_pb2.Settlement(outcome=outcomes[0], epoch=0)  # a success needs no fence
        await self._outbox.Settle(outbox_pb2.SettleRequest(owner=QUEUE, settlements=[settlement]))


async def main() -> None:
    """Runs until SIGTERM."""
    settings = WorkerSettings()  # pyright: ignore[reportCallIssue]  # the environment has the rest
    async with _wired(settings) as job:
        worker = Worker(
            functions=[func(job.deliver, name="deliver", keep_result=0)],
            redis_settings=RedisSettings.from_dsn(settings.redis_dsn.get_secret_value()),
            queue_name=QUEUE,
            max_jobs=_MAX_JOBS,
            poll_delay=_POLL_DELAY,
            keep_result=0,
            job_serializer=_pack,
            job_deserializer=_unpack,
            log_results=False,
        )
        try:
            await worker.async_run()
        except asyncio.CancelledError:
            await worker.close()


@asynccontextmanager
async def _wired(settings: WorkerSettings) -> AsyncGenerator[OneJob]:
    tokens = ServiceTokens(settings.key_file)
    channels = {
        name: open_channel(target, _SERVICES, token=tokens) for name, target in settings.targets_by_name().items()
    }
    try:
        inboxes = {name: inbox_pb2_grpc.InboxServiceStub(channel) for name, channel in channels.items()}
        yield OneJob(inboxes, outbox_pb2_grpc.OutboxServiceStub(channels[PRODUCER]))
    finally:
        await asyncio.gather(*(channel.close() for channel in channels.values()))


if __name__ == "__main__":
    asyncio.run(main())
