"""One call being served, from its arrival to its outcome. Knows nothing of cardinalities."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from time import monotonic, perf_counter
from types import TracebackType
from typing import Any, TypeVar

from google.protobuf.message import Message

from mesh.call import ANONYMOUS, CURRENT, Call, Principal
from mesh.errors import PermissionDenied
from mesh.identity import TokenInvalid, TokenMissing, TokenVerifier
from mesh.server.admission import Draining, Pool, WaitingCalls
from mesh.server.outcome import DeadlinePassed, Observer, outcome_of
from mesh.server.registration import MALFORMED, Malformed, Method
from mesh.server.validation import RequestValidator
from mesh.telemetry import continued_traceparent

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Guards:
    """What stands between a call and its handler. `methods` and `pools` are by path."""

    methods: Mapping[str, Method]
    pools: Mapping[str, Pool]
    verifier: TokenVerifier
    validator: RequestValidator
    waiting: WaitingCalls
    observer: Observer


class ServedCall:
    """Enter it when a call arrives, `admit` it, run its handler `in_time`; leaving it tells the caller of an error."""

    __slots__ = ("_authorization", "_call", "_context", "_guards", "_pool", "_started", "_task", "method")

    def __init__(self, guards: Guards, method: Method, context: Any) -> None:
        """Takes grpc's context of the call, which has no precise public type."""
        self.method = method
        self._guards = guards
        self._context = context
        self._pool: Pool | None = None
        self._task: asyncio.Task[object] | None = None

    async def __aenter__(self) -> None:
        self._started = perf_counter()
        metadata = dict(self._context.invocation_metadata())
        self._authorization: str | None = metadata.get("authorization")
        allowed = self._context.time_remaining()
        if allowed is None:
            allowed = self.method.policy.default_deadline
        deadline = None if allowed is None else monotonic() + allowed
        self._call = Call(self.method.path, ANONYMOUS, deadline, continued_traceparent(metadata.get("traceparent")))
        # Each call is a task of its own, so this needs no reset; async generators run in their caller's context.
        CURRENT.set(self._call)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.leave()
        if self._task is not None:
            evicted = self._guards.waiting.leave(self._task)
            if evicted and isinstance(error, asyncio.CancelledError):
                self._task.uncancel()
                error = Draining()
        outcome = outcome_of(error, self._context, self._call)
        self._guards.observer.observe(self.method, outcome, self._call, self._started)
        await outcome.tell(self._context)

    async def admit(self, request: Any) -> None:
        """Lets the call through to its handler. Raises the refusal of whichever guard stops it."""
        policy = self.method.policy
        principal = await self._identify()
        if not policy.access.admits(principal):
            raise TokenMissing if principal is ANONYMOUS else PermissionDenied
        pool = self._guards.pools[self.method.path]
        pool.enter()
        self._pool = pool
        if policy.waits:
            self._task = self._guards.waiting.enter(listens=not self.method.infrastructure)
        if request is MALFORMED:
            raise Malformed
        if isinstance(request, Message):  # the messages of a stream are checked as they are read
            self._guards.validator.check(request)

    async def in_time(self, work: Awaitable[T]) -> T:
        """Awaits work of the handler until the call's deadline. Raises DeadlinePassed."""
        if self._call.deadline is None:
            return await work
        limit = asyncio.timeout(self._call.time_remaining)
        try:
            async with limit:
                return await work
        except TimeoutError:
            if limit.expired():
                raise DeadlinePassed from None
            raise

    def checked(self, response: object) -> Message:
        """The handler's response, unless it is of the wrong type: grpc would tell the caller why it cannot be sent."""
        if type(response) is not self.method.response:
            raise TypeError(f"{self.method.path} answered {type(response).__name__}")
        return response

    async def _identify(self) -> Principal:
        if self._authorization is None:
            return ANONYMOUS
        scheme, _, token = self._authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise TokenInvalid("The authorization is not a bearer token.")
        verifier = self._guards.verifier
        principal = verifier.remembered(token) or await verifier.verify(token)
        self._call = replace(self._call, principal=principal)
        CURRENT.set(self._call)
        return principal
