"""A real gRPC service for any contract: it records what it gets, and does what the case at hand says."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from tests.gateway.conformance.cases import Fails
from tests.gateway.conformance.contract import as_text, error_detail, message, methods

_to_status: Any = rpc_status.to_status  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # grpc_status has no types


@dataclass
class Call:
    """What reached the service in one call."""

    rpc: str
    requests: list[bytes]
    metadata: dict[str, str | bytes]
    time_remaining: float | None

    def __str__(self) -> str:
        """As the comments of google/api/http.proto write it, a line a message."""
        descriptor: Any = methods()[self.rpc].input_type
        return "\n".join(f"{self.rpc}({as_text(descriptor, request)})" for request in self.requests)


@dataclass
class Backend(grpc.GenericRpcHandler):
    """Every rpc of the contract. Without `answers` it sends back its requests where the types allow it, else one empty
    message. `waits`: it answers nothing, until it is cancelled."""

    answers: tuple[str | bytes, ...] | None = None
    fails: Fails | None = None
    waits: bool = False
    calls: list[Call] = field(default_factory=list[Call])
    called: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, answers: tuple[str | bytes, ...] | None, fails: Fails | None, *, waits: bool) -> None:
        """Sets the scene of a case."""
        self.answers, self.fails, self.waits = answers, fails, waits
        self.calls = []
        self.called.clear()
        self.cancelled.clear()

    def service(self, handler_call_details: Any) -> Any:
        """Bytes in and out: on the wire every kind of rpc is a stream both ways."""
        path: str = handler_call_details.method
        if path not in methods():
            return None

        async def handle(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
            try:
                async for answer in self._answer(path, requests, context):
                    yield answer
            except BaseException:
                self.cancelled.set()
                raise

        make_handler: Any = grpc.stream_stream_rpc_method_handler
        return make_handler(handle)

    async def _answer(self, path: str, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        method: Any = methods()[path]
        call = Call(method.name, [], dict(context.invocation_metadata()), context.time_remaining())
        self.calls.append(call)
        self.called.set()
        says_nothing = self.answers is None and self.fails is None and not self.waits
        echoes = says_nothing and method.input_type is method.output_type
        async for request in requests:
            call.requests.append(request)
            if echoes:
                yield request
        for answer in ("",) if says_nothing and not echoes else self.answers or ():
            yield answer if isinstance(answer, bytes) else message(method.output_type, answer).SerializeToString()
        if self.waits:
            await asyncio.Event().wait()
        if self.fails is not None:
            await _abort(context, self.fails)


async def _abort(context: Any, fails: Fails) -> None:
    if not fails.typed:
        await context.abort(getattr(grpc.StatusCode, fails.code), fails.message)
    status = Status(code=code_pb2.Code.Value(fails.code), message=fails.message)
    for detail in fails.details:
        status.details.add().MergeFromString(error_detail(detail).SerializeToString())
    await context.abort_with_status(_to_status(status))
