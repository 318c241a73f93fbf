"""Keeps the gateway's contract the newest that compiles, while requests go on.

Each source is followed by a task. What it says is compiled in a thread, together with what the other sources last
said, and takes the old contract's place in one assignment. What does not compile changes nothing: it is logged,
counted, and seen at `/readyz`.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge

from gateway.binding import RouteError
from gateway.contract import ContractError
from gateway.generation import Generation
from gateway.sources import Snapshot, Source, SourceError
from gateway.transcoder import Transcoder
from mesh import background

_SWITCH_INTERVAL = 0.0005
_log = logging.getLogger("gateway.reload")


class ContractState:
    """What is told about the contract, as metrics and at `/readyz`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._generation = Gauge("gateway_contract_generation", "Contracts served so far.", registry=registry)
        self._loaded = Gauge(
            "gateway_contract_loaded_timestamp_seconds", "When the contract was loaded.", registry=registry
        )
        self._failures = Counter(
            "gateway_contract_failures", "Contracts that could not be read or compiled.", registry=registry
        )
        self.retiring = Gauge(
            "gateway_contracts_retiring", "Former contracts with requests in flight.", registry=registry
        )
        self._number = 0
        self._loaded_at: datetime | None = None
        self._failed_at: datetime | None = None

    def loaded(self, number: int) -> None:
        """A generation has begun to serve."""
        self._number = number
        self._loaded_at = datetime.now(UTC)
        self._generation.set(number)
        self._loaded.set(self._loaded_at.timestamp())

    def failed(self) -> None:
        """A source could not be read, or what it said could not be compiled."""
        self._failed_at = datetime.now(UTC)
        self._failures.inc()

    def told(self) -> dict[str, object]:
        """JSON. Why a load failed is in the log only: it may name files and hosts."""
        return {
            "generation": self._number,
            "loadedAt": self._loaded_at and self._loaded_at.isoformat(timespec="milliseconds"),
            "lastFailureAt": self._failed_at and self._failed_at.isoformat(timespec="milliseconds"),
        }


class Reloader:
    """Follows the sources of the contract that a transcoder serves."""

    def __init__(
        self,
        transcoder: Transcoder,
        said: Mapping[Source, Snapshot | None],
        make: Callable[[int, Mapping[str, Snapshot | None]], Generation],
        state: ContractState,
        stream_grace: float,
    ) -> None:
        """`said` holds every source with what the transcoder's generation has of it; `make` makes the next ones, in a
        thread."""
        self._transcoder = transcoder
        self._said = dict(said)
        self._make = make
        self._state = state
        self._stream_grace = stream_grace
        self._loading = asyncio.Lock()
        self._complaints: dict[Source, str] = {}
        self._retiring: dict[asyncio.Task[None], Generation] = {}
        self._is_draining = False

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None]:
        """Serves and follows while the block lasts."""
        self._begin()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._close)
            for source in self._said:
                stack.push_async_callback(source.close)
                follow = background.running(f"the reload from {source.name}", partial(self._follow, source))
                await stack.enter_async_context(follow)
            yield

    def _begin(self) -> None:
        generation = self._transcoder.generation
        generation.open()
        if generation.number:
            self._state.loaded(generation.number)

    def reload(self) -> None:
        """Reads every source soon."""
        for source in self._said:
            source.call()

    def drain(self) -> None:
        """Ends every stream, of this contract, former and later ones, with an error that asks its client to come
        back."""
        self._is_draining = True
        for generation in (self._transcoder.generation, *self._retiring.values()):
            generation.drain()

    async def _follow(self, source: Source) -> None:
        while True:
            try:
                snapshot = await source.next()
            except SourceError as error:
                self._complain(source, error)
                continue
            self._complaints.pop(source, None)
            async with self._loading:
                await self._load(source, snapshot)

    async def _load(self, source: Source, snapshot: Snapshot) -> None:
        if snapshot == self._said[source]:
            return
        self._said[source] = snapshot
        said = {source.name: snapshot for source, snapshot in self._said.items()}
        make = partial(self._make, self._transcoder.generation.number + 1, said)
        try:
            generation = await asyncio.to_thread(_beside_the_loop, make)
        except (ContractError, RouteError) as error:
            self._complain(source, error)
            return
        except Exception:  # a bug, which the task's supervisor logs
            self._state.failed()
            raise
        self._replace_by(generation)

    def _replace_by(self, new: Generation) -> None:
        old = self._transcoder.generation
        new.open()
        if self._is_draining:
            new.drain()
        self._transcoder.generation = new
        self._state.loaded(new.number)
        facts = {"generation": new.number, "routes": len(new.plan.table.routes), "missing": new.missing}
        _log.info("contract loaded", extra={"facts": facts})
        task = asyncio.create_task(old.retire(self._stream_grace))
        self._retiring[task] = old
        self._state.retiring.set(len(self._retiring))
        task.add_done_callback(self._retired)

    def _retired(self, task: "asyncio.Task[None]") -> None:
        del self._retiring[task]
        self._state.retiring.set(len(self._retiring))

    async def _close(self) -> None:
        generations = [self._transcoder.generation, *self._retiring.values()]
        for task in self._retiring:
            task.cancel()
        for generation in generations:
            await generation.close()

    def _complain(self, source: Source, error: Exception) -> None:
        """Once in the log, however often it is tried."""
        self._state.failed()
        if self._complaints.get(source) != str(error):
            self._complaints[source] = str(error)
            level = logging.WARNING if isinstance(error, SourceError) else logging.ERROR
            facts = {"source": source.name, "error": str(error), "generation": self._transcoder.generation.number}
            _log.log(level, "contract not loaded", extra={"facts": facts})


def _beside_the_loop(make: Callable[[], Generation]) -> Generation:
    """In a thread. It lets the loop's thread run every half a millisecond: with Python's own 5 ms, everything that the
    loop does takes 5 ms longer while a contract is compiled, with this 0.7 ms. Raises ContractError, RouteError."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        return make()
    finally:
        sys.setswitchinterval(interval)
