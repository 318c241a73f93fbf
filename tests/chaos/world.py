"""Events and the users who score them, as a manager of the system sees them through REST."""

import asyncio
import random
import uuid
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.chaos.client import PatientClient
from tests.chaos.raters import Rater
from tests.system import System

_UNSETTLED = ("PENDING", "WITHDRAWING")
_PAGE = 100


class World:
    """The events of one test, and the scores of them."""

    def __init__(self, system: System, client: PatientClient, rng: random.Random) -> None:
        self.system = system
        self.client = client
        self.rng = rng
        self.raters: list[Rater] = []
        self._manager = system.manager()
        self._headers: dict[str, dict[str, str]] = {}

    async def create_event(self) -> str:
        """A new event that is open for a day; its id."""
        deadline = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        body = {"title": "Chaos", "deadline": deadline}
        key = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        return (await self.client.call("POST", "/v1/events", self._manager, json=body, key=key))["eventId"]

    async def finish(self, event_id: str) -> None:
        """Finishes the event."""
        await self.client.call("POST", f"/v1/events/{event_id}:finish", self._manager, json={})

    async def event(self, event_id: str) -> dict[str, Any]:
        """The event as it reads now."""
        return await self.client.call("GET", f"/v1/events/{event_id}", {})

    def rater(self, user: str, event_id: str, *, actions: int, doomed: bool = False) -> Rater:
        """A user who has not scored the event yet."""
        headers = self._headers.setdefault(user, self.system.user(user))
        rater = Rater(user, headers, event_id, doomed, actions, random.Random(self.rng.getrandbits(64)))
        self.raters.append(rater)
        return rater

    async def scores(self, event_id: str) -> Sequence[dict[str, Any]]:
        """All scores of an event, page by page."""
        return [score async for score in self._scores(event_id)]

    async def calm(self, within: float = 60) -> None:
        """Waits until no change of a score is under way. Raises TimeoutError."""
        async with asyncio.timeout(within):
            for event_id in {rater.event_id for rater in self.raters}:
                while any([score["status"] in _UNSETTLED async for score in self._scores(event_id)]):
                    await asyncio.sleep(0.2)

    async def _scores(self, event_id: str) -> AsyncGenerator[dict[str, Any]]:
        token = ""
        while True:
            params = {"event_id": event_id, "page_size": _PAGE, "page_token": token}
            page = await self.client.call("GET", "/v1/scores", self._manager, params=params)
            for score in page.get("scores", ()):
                yield score
            token = page.get("nextPageToken", "")
            if not token:
                return
