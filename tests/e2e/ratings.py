"""Ratings over REST, as clients use them. Knows the paths and how to wait; what is right is the tests' business."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from sagamesh.mesh.v1 import outbox_pb2, outbox_pb2_grpc

from tests.system import System

Json = dict[str, Any]
Headers = Mapping[str, str]

_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Ratings:
    """A running system and a client of its gateway."""

    system: System
    http: httpx.AsyncClient

    def somebody(self, *roles: str) -> Headers:
        """The headers of a user whom no other test knows."""
        return self.system.user(f"user-{uuid.uuid4().hex}", *roles)

    async def create_event(self, title: str = "The final", closes_in: float = 3600) -> Json:
        """A new event, whose deadline is in that many seconds."""
        body = {"title": title, "deadline": in_seconds(closes_in)}
        return done(await self.http.post("/v1/events", headers=self.system.manager(), json=body), 201)

    async def event(self, event_id: str) -> Json:
        """An event as anybody sees it."""
        return done(await self.http.get(f"/v1/events/{event_id}"))

    async def finish(self, event_id: str) -> Json:
        """The event, which takes no score from now on."""
        return done(await self.http.post(f"/v1/events/{event_id}:finish", headers=self.system.manager(), json={}))

    async def submit(self, user: Headers, event_id: str, rate: int) -> httpx.Response:
        """The answer to a score."""
        return await self.http.post(f"/v1/events/{event_id}/scores", headers=user, json={"rate": rate})

    async def withdraw(self, user: Headers, score_id: str) -> httpx.Response:
        """The answer to a withdrawal."""
        return await self.http.delete(f"/v1/scores/{score_id}", headers=user)

    async def score(self, user: Headers, score_id: str) -> Json:
        """A score as its user sees it."""
        return done(await self.http.get(f"/v1/scores/{score_id}", headers=user))

    async def settled(self, user: Headers, score_id: str) -> Json:
        """The score when no saga of it runs any more."""

        async def look() -> Json | None:
            score = await self.score(user, score_id)
            return None if score["status"] in ("PENDING", "WITHDRAWING") else score

        return await soon(look)

    async def rate(self, user: Headers, event_id: str, rate: int) -> Json:
        """Submits a score that is confirmed."""
        submitted = done(await self.submit(user, event_id, rate))
        score = await self.settled(user, submitted["scoreId"])
        assert score["status"] == "CONFIRMED"
        return score

    @asynccontextmanager
    async def paused(self, destination: str) -> AsyncGenerator[None]:
        """score_maker's messages to that service wait until the block ends."""
        async with self.system.operator_session("score_maker") as session:
            outbox = outbox_pb2_grpc.OutboxServiceStub(session.channel)
            pause = outbox_pb2.PauseDestinationRequest(destination=destination)
            resume = outbox_pb2.ResumeDestinationRequest(destination=destination)
            await outbox.PauseDestination(pause, metadata=session.metadata, timeout=session.timeout)
            try:
                yield
            finally:
                await outbox.ResumeDestination(resume, metadata=session.metadata, timeout=session.timeout)


def done(response: httpx.Response, status: int = 200) -> Any:
    """The body of an answer that went well; its type is the caller's knowledge."""
    assert response.status_code == status, response.text
    return response.json()


def reason_of(response: httpx.Response) -> str:
    """The machine-readable reason of a refusal (AIP-193)."""
    return next(detail["reason"] for detail in response.json()["error"]["details"] if "reason" in detail)


def in_seconds(seconds: float) -> str:
    """A time, so many seconds from now, as ProtoJSON writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


async def soon(look: Callable[[], Awaitable[Json | None]]) -> Json:
    """What `look` finds as soon as it finds something. Raises TimeoutError."""
    async with asyncio.timeout(_PATIENCE):
        while (found := await look()) is None:
            await asyncio.sleep(0.01)
    return found
