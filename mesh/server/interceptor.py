"""What happens around every rpc, whatever its cardinality, in one layer.

    trace context -> deadline -> identity -> access -> admission -> validation -> handler -> outcome

A handler may raise a Refusal (mesh/errors.py), which reaches the caller as google.rpc.Status; call context.abort; or
fail, which the caller sees as INTERNAL without a word about why.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc_interceptor.server import AsyncServerInterceptor

from mesh.idempotency import Replayed
from mesh.server.served_call import Guards, ServedCall

# grpc's context and handlers have no precise public types.
Context = Any
Handler = Callable[[Any, Context], Any]


_wrap: Any = AsyncServerInterceptor.intercept_service  # the package is typed, but not this method


class MeshInterceptor(AsyncServerInterceptor):
    """The only interceptor of a server."""

    def __init__(self, guards: Guards) -> None:
        self._guards = guards
        self._handlers: dict[str, Any] = {}

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Wraps the handler of an rpc once, not at every call as the base class does."""
        path = handler_call_details.method
        if path not in self._handlers:

            def find(_: object) -> Any:
                return continuation(handler_call_details)

            # The base class keeps the details, so it gets its own: those of the call hold its caller's token.
            handler: Any = await _wrap(self, find, _Details(path))
            if handler is None:  # there is no such rpc; grpc answers UNIMPLEMENTED
                return None
            self._handlers[path] = handler
        return self._handlers[path]

    def intercept(self, method: Handler, request_or_iterator: Any, context: Context, method_name: str) -> Any:
        """The base class awaits a coroutine and iterates an async generator, so both are returned from here."""
        served = ServedCall(self._guards, self._guards.methods[method_name], context)
        answer = self._stream if served.method.policy.cardinality.response_streaming else self._unary
        return answer(served, method, request_or_iterator, context)

    async def _unary(self, served: ServedCall, handler: Handler, request: Any, context: Context) -> Message:
        async with served:
            await served.admit(request)
            try:
                return served.checked(await served.in_time(handler(request, context)))
            except Replayed as replayed:
                return served.method.response.FromString(replayed.response)

    async def _stream(
        self, served: ServedCall, handler: Handler, request: Any, context: Context
    ) -> AsyncGenerator[Message]:
        async with served:
            await served.admit(request)
            responses = handler(request, context)
            if not hasattr(responses, "__aiter__"):  # a handler that calls context.write() itself
                await served.in_time(responses)
                return
            async with aclosing(responses):
                while (response := await served.in_time(anext(responses, None))) is not None:
                    yield served.checked(response)


@dataclass(frozen=True, slots=True)
class _Details(grpc.HandlerCallDetails):
    method: str
    invocation_metadata: tuple[()] = ()
