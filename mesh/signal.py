"""Wakes tasks that wait for a commit: at once in this process, within milliseconds in the service's other replicas.

Never part of a business transaction: NOTIFY takes a global lock at commit. It rings after commit, and at most one
NOTIFY per `interval` carries the keys of all rings since. A ring may be lost when the database connection is; whoever
waits must also look by itself from time to time.
"""

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Collection, Generator
from typing import Any

import asyncpg

_log = logging.getLogger(__name__)
_PAYLOAD_LIMIT = 7000  # PostgreSQL refuses payloads of 8000 bytes
EVERYTHING = "*"
_LOOK = 1.0  # a dead connection is noticed even when nothing rings
_PATIENCE = 3.0  # a database that takes longer than this for one look hangs


class Signal:
    """A named doorbell with keys. `run()` must be alive for rings to cross to other replicas."""

    def __init__(self, dsn: str, channel: str, *, interval: float = 0.01) -> None:
        self._dsn = dsn
        self._channel = channel
        self._interval = interval
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._waiting_for_others: dict[asyncio.Event, Collection[str]] = {}
        self._rung: set[str] = set()
        self._dirty = asyncio.Event()
        self.is_carried = False
        """Whether rings cross to and from other replicas now, and so whether the database answers."""

    def is_heard(self, key: str = EVERYTHING) -> bool:
        """Whether a ring of `key` would wake anybody here."""
        return key in self._waiting or any(key not in unheard for unheard in self._waiting_for_others.values())

    def ring(self, key: str = EVERYTHING) -> None:
        """Wakes whoever listens to `key`, here and in other replicas."""
        self._wake(key)
        self._rung.add(key)
        self._dirty.set()

    @contextlib.contextmanager
    def listen(self, key: str = EVERYTHING) -> Generator[asyncio.Event]:
        """An event that is set by every ring of `key`. Listen first, then look, then wait: so no ring is missed."""
        event = asyncio.Event()
        self._waiting[key].add(event)
        try:
            yield event
        finally:
            self._waiting[key].discard(event)
            if not self._waiting[key]:
                del self._waiting[key]

    @contextlib.contextmanager
    def listen_to_all_but(self, keys: Collection[str]) -> Generator[asyncio.Event]:
        """An event that is set by every ring of any key but those."""
        event = asyncio.Event()
        self._waiting_for_others[event] = keys
        try:
            yield event
        finally:
            del self._waiting_for_others[event]

    async def run(self) -> None:
        """Carries rings to and from other replicas until cancelled; reconnects after a fault."""
        while True:
            try:
                async with self._connection() as connection:
                    await self._carry(connection)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                _log.warning("signal %s lost its connection: %s", self._channel, type(error).__name__)
            await asyncio.sleep(0.5)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncGenerator[asyncpg.Connection]:
        connection = await asyncpg.connect(self._dsn, timeout=5)
        try:
            await connection.add_listener(self._channel, self._heard)
            self._wake_all()  # something may have been rung while nobody listened
            self.is_carried = True
            yield connection
        finally:
            self.is_carried = False
            connection.terminate()

    async def _carry(self, connection: asyncpg.Connection) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._dirty.wait(), _LOOK)
            self._dirty.clear()
            keys, self._rung = sorted(self._rung), set()
            payload = json.dumps(keys)
            payload = payload if len(payload) < _PAYLOAD_LIMIT else json.dumps([EVERYTHING])
            if keys:
                await connection.execute("SELECT pg_notify($1, $2)", self._channel, payload, timeout=_PATIENCE)
            else:
                await connection.execute("SELECT 1", timeout=_PATIENCE)
            await asyncio.sleep(self._interval)

    def _heard(self, connection: Any, pid: int, _channel: str, payload: object) -> None:
        if pid == connection.get_server_pid():  # an echo: `ring` has woken our own listeners already
            return
        for key in json.loads(str(payload)):
            self._wake(key)

    def _wake(self, key: str) -> None:
        if key == EVERYTHING:
            self._wake_all()
        for event in self._waiting.get(key, ()):
            event.set()
        for event, unheard in self._waiting_for_others.items():
            if key not in unheard:
                event.set()

    def _wake_all(self) -> None:
        for events in (*self._waiting.values(), self._waiting_for_others):
            for event in events:
                event.set()
