"""Events, and scores of them that nobody has given yet: every request starts a saga of its own."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.http_load import HttpConnection
from benchmarks.saga.system import System

USERS = 64
_DEADLINE = "2100-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class NewScore:
    """A score to give."""

    event_id: str
    token: str
    rate: int

    def http(self, host: str) -> bytes:
        """The request to the gateway."""
        body = b'{"rate": %d}' % self.rate
        head = (
            f"POST /v1/events/{self.event_id}/scores HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Audience:
    """Users with tokens, and the events that they score."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._tokens = [system.token(f"user-{number}") for number in range(USERS)]
        self._random = random.Random(20261121)

    async def scores(self, count: int) -> list[NewScore]:
        """New events, and `count` scores of them in no order."""
        events = await self.events(-(-count // USERS))
        pairs = [(event, token) for event in events for token in self._tokens]
        self._random.shuffle(pairs)
        return [NewScore(event, token, self._random.randint(1, 5)) for event, token in pairs[:count]]

    async def events(self, count: int) -> list[str]:
        """The ids of new events."""
        manager = self._system.token("manager", "manager")
        connection = await HttpConnection.open(*self._system.gateway)
        bodies = self._event_bodies(count)
        replies = [await connection.ask(_post("/v1/events", manager, body)) for body in bodies]
        connection.close()
        return [json.loads(reply)["eventId"] for reply in replies]

    def _event_bodies(self, count: int) -> Iterator[bytes]:
        for number in range(count):
            yield json.dumps({"title": f"Event {number}", "deadline": _DEADLINE}).encode()


def _post(path: str, token: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
