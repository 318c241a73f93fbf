"""Users who score events, change their minds, and remember what was acknowledged: the truth of the test."""

import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.chaos.client import PatientClient, Refused

_RATES = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Change:
    """An acknowledged change of a score. A `rate` of None withdraws it."""

    revision: int
    rate: int | None
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Expectation:
    """How a score must read when everything has settled. `counted` is the rate that its event counts, if any."""

    status: str
    rate: int
    revision: int
    reason: str
    counted: int | None

    @property
    def shown(self) -> tuple[str, int, int, str]:
        """What a client reads."""
        return self.status, self.rate, self.revision, self.reason


@dataclass(slots=True)
class Rater:
    """A user and their score of one event: `actions` things to do, one after the other. The event of a `doomed` one
    will be finished meanwhile; they only change to rates that they never gave, so that no answer is ambiguous."""

    user: str
    headers: dict[str, str]
    event_id: str
    doomed: bool
    actions: int
    rng: random.Random
    score_id: str = ""
    changes: list[Change] = field(default_factory=list[Change])
    refusals: Counter[str] = field(default_factory=Counter[str])

    @property
    def _rate(self) -> int | None:
        return self.changes[-1].rate if self.changes else None

    async def act(self, client: PatientClient) -> None:
        """Does the next thing, and returns when it is acknowledged or refused."""
        try:
            if self.doomed:
                given = {change.rate for change in self.changes}
                await self._submit(client, self.rng.choice([rate for rate in _RATES if rate not in given]))
            elif self._rate is None:
                await self._submit(client, self.rng.choice(_RATES))
            elif self.rng.random() < 0.3:
                await self._withdraw(client)
            else:
                await self._submit(client, self.rng.choice(_RATES))
        except Refused as refused:
            if not (self.doomed and refused.reason == "EVENT_FINISHED"):
                raise
            self.refusals[refused.reason] += 1

    async def _submit(self, client: PatientClient, rate: int) -> None:
        key = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        path = f"/v1/events/{self.event_id}/scores"
        score = await client.call("POST", path, self.headers, json={"rate": rate}, key=key)
        assert score["rate"] == rate, f"{self.user} gave {rate} and reads {score}"
        if rate == self._rate:
            assert int(score["revision"]) == len(self.changes), f"{self.user} changed nothing and reads {score}"
        else:
            assert score["status"] == "PENDING", f"{self.user} submitted and reads {score}"
            self._acknowledged(score, rate)

    async def _withdraw(self, client: PatientClient) -> None:
        score = await client.call("DELETE", f"/v1/scores/{self.score_id}", self.headers)
        assert score["status"] in ("WITHDRAWING", "WITHDRAWN"), f"{self.user} withdrew and reads {score}"
        self._acknowledged(score, None)

    def _acknowledged(self, score: dict[str, Any], rate: int | None) -> None:
        assert self.score_id in ("", score["scoreId"]), f"{self.user} has a second score: {score}"
        self.score_id = score["scoreId"]
        change = Change(int(score["revision"]), rate, datetime.fromisoformat(score["updateTime"]))
        assert change.revision == len(self.changes) + 1, f"{self.user} made one change and reads {score}"
        self.changes.append(change)

    def expectation(self, finished_at: datetime | None) -> Expectation:
        """What the acknowledged changes come to, judged as the event judges them: by when they were submitted."""
        status, rate, revision, reason, counted = "REJECTED", 0, 0, "", None
        for change in self.changes:
            if finished_at is not None and change.submitted_at >= finished_at:
                reason = "EVENT_FINISHED"
                if status == "REJECTED":
                    rate, revision = change.rate or rate, change.revision
                continue
            status = "WITHDRAWN" if change.rate is None else "CONFIRMED"
            rate, revision, reason, counted = change.rate or rate, change.revision, "", change.rate
        return Expectation(status, rate, revision, reason, counted)
