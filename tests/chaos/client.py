"""A client that repeats a request until it has an answer. Knows HTTP, and no score."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

_COME_BACK = frozenset({429, 503, 504})
_LOCKED = "SCORE_PENDING"


class Refused(Exception):
    """The request was refused for good; `reason` is the machine-readable one."""

    def __init__(self, status: int, reason: str, body: str) -> None:
        super().__init__(f"{status} {reason}: {body}")
        self.status = status
        self.reason = reason


class PatientClient:
    """Repeats whatever had no answer (a lost connection, a timeout) or was told to come back, with the same
    Idempotency-Key, so that a repetition is safe. `interruptions` counts why it had to. One that does not `insist`
    takes "come back later" for a refusal.

    A 500 is nobody's answer to a lost process: it fails the test.
    """

    def __init__(
        self, http: httpx.AsyncClient, rng: random.Random, *, insist: bool = True, patience: float = 90
    ) -> None:
        self.interruptions: Counter[str] = Counter()
        self._http = http
        self._rng = rng
        self._insist = insist
        self._patience = patience

    async def call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, str | int] | None = None,
        key: str = "",
    ) -> dict[str, Any]:
        """The body of the acknowledgement. Raises Refused, or TimeoutError when patience ends."""
        sent = {**headers, **({"Idempotency-Key": key} if key else {})}
        async with asyncio.timeout(self._patience):
            for pause in _pauses():
                try:
                    response = await self._http.request(method, path, headers=sent, json=json, params=params)
                except httpx.TransportError as error:
                    self.interruptions[type(error).__name__] += 1
                else:
                    if response.is_success:
                        return response.json()
                    self._take_note(response)
                await asyncio.sleep(self._rng.uniform(0.5, 1) * pause)
        raise AssertionError("pauses end")

    def _take_note(self, response: httpx.Response) -> None:
        reason = reason_of(response)
        come_back = response.status_code in _COME_BACK
        assert come_back or response.status_code < 500, f"{response.request.method} {response.url}: {response.text}"
        if not (come_back and self._insist) and reason != _LOCKED:
            raise Refused(response.status_code, reason, response.text)
        self.interruptions[f"{response.status_code} {reason}"] += 1


def _pauses() -> Iterator[float]:
    """Seconds between attempts: short at first, since most changes settle at once, then easy on the machine."""
    return (min(0.5, 0.05 * 2**attempt) for attempt in itertools.count())


def reason_of(response: httpx.Response) -> str:
    """The reason of an error; every error has the same typed form, whoever failed."""
    details: list[dict[str, Any]] = response.json()["error"]["details"]
    return next((detail["reason"] for detail in details if "reason" in detail), response.json()["error"]["status"])
