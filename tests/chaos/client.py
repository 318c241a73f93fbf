"""A client that gives up on nothing: it repeats a request until it has an answer. Knows HTTP, and no score."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
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
    Idempotency-Key, so that a repetition is safe. `interruptions` counts why it had to.

    A 500 is nobody's answer to a lost process: it fails the test.
    """

    def __init__(self, http: httpx.AsyncClient, rng: random.Random, patience: float = 90) -> None:
        self.interruptions: Counter[str] = Counter()
        self._http = http
        self._rng = rng
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
            while True:
                try:
                    response = await self._http.request(method, path, headers=sent, json=json, params=params)
                except httpx.TransportError as error:
                    self.interruptions[type(error).__name__] += 1
                else:
                    if response.is_success:
                        return response.json()
                    self._take_note(response)
                await asyncio.sleep(self._rng.uniform(0.02, 0.2))

    def _take_note(self, response: httpx.Response) -> None:
        reason = reason_of(response)
        if response.status_code not in _COME_BACK and reason != _LOCKED:
            assert response.status_code < 500, f"{response.request.method} {response.request.url}: {response.text}"
            raise Refused(response.status_code, reason, response.text)
        self.interruptions[f"{response.status_code} {reason}"] += 1


def reason_of(response: httpx.Response) -> str:
    """The reason of an error; every error has the same typed form, whoever failed."""
    details: list[dict[str, Any]] = response.json()["error"]["details"]
    return next((detail["reason"] for detail in details if "reason" in detail), response.json()["error"]["status"])
