"""A batch of messages in one transaction: new ones are handled in rounds, duplicates get their stored outcome.

A round has at most one message a key, so that handlers take sets. When anything fails, the batch runs again with a
savepoint a round, and what still fails with a savepoint a message; a key whose message is to come again stops for the
rest of the batch.
"""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from prometheus_client import Counter
from sagamesh.mesh.v1.envelope_pb2 import Envelope, Outcome, SagaStep
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from mesh.errors import Kind, Refusal, Unavailable
from mesh.inbox import barrier, store
from mesh.inbox.barrier import Pass
from mesh.server.validation import RequestValidator
from mesh.status import status_of
from mesh.telemetry import MECHANISMS
from mesh.uow import UnitOfWork, is_conflict, is_connection_lost

_log = logging.getLogger(__name__)
_MESSAGES = Counter(
    "sagamesh_inbox_messages", "Messages delivered to the inbox", ["type", "outcome"], registry=MECHANISMS
)

Handler = Callable[[UnitOfWork, Sequence[Any]], Awaitable[Sequence[Refusal | Message | None]]]
"""Handles a set of messages with distinct keys, inside the inbox's transaction; a handler of several types gets them
all in one set. One result a message, in order: a Refusal refuses it for good, a Message is its reply. Whatever was done
for a refused one is undone here."""

Run = Callable[[UnitOfWork, Sequence[Envelope]], Awaitable[dict[UUID, Outcome]]]
"""Handles one round."""

_TRIES = 5
_TRANSIENT = {Kind.UNAVAILABLE, Kind.ABORTED, Kind.RESOURCE_EXHAUSTED}
_FAILED = Status(code=code_pb2.INTERNAL, message="The handler failed.")
_UNKNOWN_TYPE = Status(code=code_pb2.UNIMPLEMENTED, message="This service does not know the message's type yet.")
_MALFORMED = Status(code=code_pb2.INVALID_ARGUMENT, message="The payload is not of the message's type.")


class _Refused(Exception):
    """Undoes a round that refused some of its messages; it runs again without them."""

    def __init__(self, outcomes: Mapping[UUID, Outcome]) -> None:
        super().__init__()
        self.outcomes = outcomes


class Delivery:
    """Delivers to one service's handlers, by the type of their message."""

    def __init__(self, engine: AsyncEngine, handlers: Mapping[type[Message], Handler]) -> None:
        self._engine = engine
        self._validator = RequestValidator()
        self._validator.prepare(handlers)
        self._handlers = {message.DESCRIPTOR.full_name: (message, handler) for message, handler in handlers.items()}

    async def deliver(self, envelopes: Sequence[Envelope]) -> list[Outcome]:
        """One outcome an envelope, in order. Raises Unavailable without a database, and when other transactions were
        in the way again and again; then nothing was done."""
        for _ in range(_TRIES):
            try:
                return await self._transaction(envelopes)
            except DBAPIError as error:
                if not is_conflict(error):
                    raise
                _log.info("a batch of %d messages gave way to another; it runs again", len(envelopes))
        raise Unavailable(retry_after=1.0)

    async def _transaction(self, envelopes: Sequence[Envelope]) -> list[Outcome]:
        """Nearly always everything goes well, and then no savepoint was needed. Otherwise nothing was done, and it is
        all done again with savepoints."""
        async with UnitOfWork(self._engine) as work:
            try:
                return await self._handle_all(work, envelopes, self._act)
            except Exception as error:
                if is_connection_lost(error) or is_conflict(error):
                    raise
        async with UnitOfWork(self._engine) as work:
            return await self._handle_all(work, envelopes, self._round)

    async def _handle_all(self, work: UnitOfWork, envelopes: Sequence[Envelope], run: Run) -> list[Outcome]:
        by_id = {UUID(envelope.message_id): envelope for envelope in envelopes}
        new = await store.claim(work.connection, list(by_id))
        known = await store.answers(work.connection, [m for m in by_id if m not in new])
        handled = await self._handle(work, [envelope for m, envelope in by_id.items() if m in new], run)
        await store.conclude(work.connection, handled)
        await work.commit()
        _count(by_id, known, "duplicate")
        _count(by_id, handled)
        outcomes = known | handled
        return [outcomes[UUID(envelope.message_id)] for envelope in envelopes]

    async def _handle(self, work: UnitOfWork, envelopes: Sequence[Envelope], run: Run) -> dict[UUID, Outcome]:
        outcomes: dict[UUID, Outcome] = {}
        stopped: set[str] = set()
        for messages in rounds(envelopes):
            runnable = [e for e in messages if e.ordering_key not in stopped]
            outcomes |= {_id(e): _outcome(e, Outcome.NOT_RUN) for e in messages if e.ordering_key in stopped}
            results = await run(work, runnable)
            stopped |= {e.ordering_key for e in runnable if results[_id(e)].code == Outcome.RETRY}
            outcomes |= results
        return outcomes

    async def _round(self, work: UnitOfWork, envelopes: Sequence[Envelope]) -> dict[UUID, Outcome]:
        """Runs a set until what is left of it is refused no more; falls back to single messages on an error."""
        outcomes: dict[UUID, Outcome] = {}
        while left := [envelope for envelope in envelopes if _id(envelope) not in outcomes]:
            try:
                async with work.connection.begin_nested():
                    outcomes |= await self._act(work, left)
            except _Refused as refused:
                outcomes |= refused.outcomes
            except Exception as error:
                if is_connection_lost(error) or is_conflict(error):
                    raise
                outcomes |= await self._one_by_one(work, left, error)
        await _remember_refusals(work.connection, [e for e in envelopes if outcomes[_id(e)].code == Outcome.REJECT])
        return outcomes

    async def _one_by_one(
        self, work: UnitOfWork, envelopes: Sequence[Envelope], error: Exception
    ) -> dict[UUID, Outcome]:
        if len(envelopes) == 1:
            return {_id(envelopes[0]): _failure(envelopes[0], error)}
        outcomes: dict[UUID, Outcome] = {}
        for envelope in envelopes:
            outcomes |= await self._round(work, [envelope])
        return outcomes

    async def _act(self, work: UnitOfWork, envelopes: Sequence[Envelope]) -> dict[UUID, Outcome]:
        """Passes the barrier and runs the handlers. Raises _Refused when any message is not to take effect."""
        passes = await barrier.enter(work.connection, [e.saga_step for e in envelopes if e.HasField("saga_step")])
        outcomes: dict[UUID, Outcome] = {}
        acting: defaultdict[Handler, list[tuple[Envelope, Message]]] = defaultdict(list)
        refused: dict[UUID, Outcome] = {}
        for envelope in envelopes:
            verdict = passes[barrier.key_of(envelope.saga_step)] if envelope.HasField("saga_step") else Pass.ACT
            if verdict is Pass.CANCELLED:
                refused[_id(envelope)] = _failure(envelope, barrier.StepCancelled())
            elif verdict is Pass.NOTHING_TO_DO:
                outcomes[_id(envelope)] = _outcome(envelope, Outcome.OK)
            elif isinstance(opened := self._open(envelope), Outcome):
                refused[_id(envelope)] = opened
            else:
                acting[self._handlers[envelope.type][1]].append((envelope, opened))
        if refused:
            raise _Refused(refused)
        for handler, messages in acting.items():
            results = await handler(work, [message for _, message in messages])
            for (envelope, _), result in zip(messages, results, strict=True):
                outcomes[_id(envelope)] = _result(envelope, result)
        if refused := {m: o for m, o in outcomes.items() if o.code != Outcome.OK}:
            raise _Refused(refused)
        return outcomes

    def _open(self, envelope: Envelope) -> Message | Outcome:
        """The payload, or the outcome of an envelope that cannot be handled."""
        known = self._handlers.get(envelope.type)
        if known is None:  # a rolling deploy: a newer replica will know it
            return _outcome(envelope, Outcome.RETRY, _UNKNOWN_TYPE)
        try:
            message = known[0].FromString(envelope.payload)
            self._validator.check(message)
        except DecodeError:
            return _outcome(envelope, Outcome.RETRY, _MALFORMED)
        except Refusal as refusal:
            return _failure(envelope, refusal)
        return message


def rounds(envelopes: Sequence[Envelope]) -> list[list[Envelope]]:
    """Cuts a batch into rounds with at most one message a key, in order."""
    result: list[list[Envelope]] = []
    seen: defaultdict[str, int] = defaultdict(int)
    for envelope in envelopes:
        turn = seen[envelope.ordering_key]
        seen[envelope.ordering_key] += 1
        if turn == len(result):
            result.append([])
        result[turn].append(envelope)
    return result


async def _remember_refusals(connection: AsyncConnection, envelopes: Sequence[Envelope]) -> None:
    """The refusal undid the step's claim with its effects; the claim comes back as REFUSED."""
    await barrier.refuse(connection, [e.saga_step for e in envelopes if e.HasField("saga_step")])


def _result(envelope: Envelope, result: Refusal | Message | None) -> Outcome:
    if isinstance(result, Refusal):
        return _failure(envelope, result)
    outcome = _outcome(envelope, Outcome.OK)
    if result is not None:
        outcome.reply.Pack(result)
    return outcome


def _failure(envelope: Envelope, error: Exception) -> Outcome:
    """REJECT for a refusal of a message that may be refused, else RETRY."""
    if not isinstance(error, Refusal):
        _log.error("handling of %s %s failed", envelope.type, envelope.message_id, exc_info=error)
        return _outcome(envelope, Outcome.RETRY, _FAILED)
    may_be_refused = envelope.saga_step.direction in (SagaStep.DIRECTION_UNSPECIFIED, SagaStep.DO)
    code = Outcome.REJECT if may_be_refused and error.kind not in _TRANSIENT else Outcome.RETRY
    return _outcome(envelope, code, status_of(error))


def _outcome(envelope: Envelope, code: "Outcome.Code", error: Status | None = None) -> Outcome:
    return Outcome(message_id=envelope.message_id, code=code, error=error)


def _id(envelope: Envelope) -> UUID:
    return UUID(envelope.message_id)


def _count(by_id: Mapping[UUID, Envelope], outcomes: Mapping[UUID, Outcome], label: str | None = None) -> None:
    for message_id, outcome in outcomes.items():
        name = label or Outcome.Code.Name(outcome.code).lower()
        _MESSAGES.labels(by_id[message_id].type, name).inc()
