"""A running score_maker on a real database and real sockets, a client of it, and a relay that a test moves by hand."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from grpc import aio
from pydantic import SecretStr
from sagamesh.mesh.v1 import envelope_pb2, outbox_pb2, outbox_pb2_grpc, saga_pb2
from sagamesh.score_maker.v1 import score_pb2, score_pb2_grpc

from mesh.server import Server
from score_maker.settings import Settings
from score_maker.wiring import wire
from tests.line_provider.service import LineProvider
from tests.mesh.echo import Keys
from tests.services import bearer, of_worker

Score = score_pb2.Score


@dataclass(frozen=True)
class ScoreMaker:
    """The server and stubs of it."""

    server: Server
    channel: aio.Channel
    keys: Keys
    events: LineProvider
    scores: "score_pb2_grpc.ScoreServiceAsyncStub"
    outbox: "outbox_pb2_grpc.OutboxServiceAsyncStub"
    worker: Mapping[str, Any]

    def user(self, name: str = "alice", *roles: str) -> Mapping[str, Any]:
        """Call options of a user."""
        return bearer(self.keys, name, *roles)

    async def submit(self, event_id: str, rate: int, *, by: str = "alice", request_id: str = "") -> Score:
        """Submits a score."""
        request = score_pb2.SubmitScoreRequest(event_id=event_id, rate=rate, request_id=request_id)
        return await self.scores.SubmitScore(request, **self.user(by))

    async def get(self, score_id: str, *, by: str = "alice", role: str = "") -> Score:
        """Reads a score."""
        return await self.scores.GetScore(score_pb2.GetScoreRequest(score_id=score_id), **self.user(by, role))

    async def withdraw(self, score_id: str, *, by: str = "alice", role: str = "", etag: str = "") -> Score:
        """Withdraws a score."""
        request = score_pb2.WithdrawScoreRequest(score_id=score_id, etag=etag)
        return await self.scores.WithdrawScore(request, **self.user(by, role))

    async def saga(self, score_id: str, *, by: str = "alice", role: str = "") -> saga_pb2.Saga:
        """Reads the saga of a score."""
        request = score_pb2.GetScoreSagaRequest(score_id=score_id)
        return await self.scores.GetScoreSaga(request, **self.user(by, role))

    async def pull(self) -> list[outbox_pb2.LeasedEnvelope]:
        """What waits in the outbox."""
        request = outbox_pb2.PullRequest(owner="test", max_envelopes=500)
        return list((await self.outbox.Pull(request, **self.worker)).envelopes)

    async def settle(self, leased: list[outbox_pb2.LeasedEnvelope], outcomes: list[envelope_pb2.Outcome]) -> None:
        """Reports what became of messages."""
        epochs = {one.envelope.message_id: one.epoch for one in leased}
        settlements = [outbox_pb2.Settlement(outcome=outcome, epoch=epochs[outcome.message_id]) for outcome in outcomes]
        request = outbox_pb2.SettleRequest(owner="test", settlements=settlements)
        response = await self.outbox.Settle(request, **self.worker)
        assert not response.failed

    async def relay(self) -> None:
        """Carries all that waits to line_provider, and back what became of it."""
        while leased := await self.pull():
            outcomes = await self.events.deliver(*(one.envelope for one in leased))
            await self.settle(leased, outcomes)

    async def confirmed(self, event_id: str, rate: int, *, by: str = "alice") -> Score:
        """A score that the event counts."""
        score = await self.submit(event_id, rate, by=by)
        await self.relay()
        return await self.get(score.score_id, by=by)


@asynccontextmanager
async def serving(dsn: str, keys: Keys, events: LineProvider, **options: Any) -> AsyncGenerator[ScoreMaker]:
    """score_maker on a migrated database, beside a line_provider."""
    target = f"127.0.0.1:{events.server.port}"
    chosen: dict[str, Any] = {"drain_grace_seconds": 2.0, "line_provider_target": target, **options}
    server = wire(Settings(listen="127.0.0.1:0", database_dsn=SecretStr(dsn), jwks=str(keys.jwks), **chosen))
    async with server, aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield ScoreMaker(
            server,
            channel,
            keys,
            events,
            score_pb2_grpc.ScoreServiceStub(channel),
            outbox_pb2_grpc.OutboxServiceStub(channel),
            worker=of_worker(keys),
        )
