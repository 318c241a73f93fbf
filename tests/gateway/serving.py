"""A real gateway in front of a real gRPC server, each on a port of its own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from gateway.app import Gateway, create_gateway
from gateway.connections.listening import DrainingServer, listen, server_config
from gateway.settings import GatewaySettings
from tests.gateway.contracts import Message, library, library_message

Handler = Callable[[Message, Any], Awaitable[Message]]
"""Takes the request and grpc's context, which has no type."""


def aborting(code: grpc.StatusCode, text: str) -> Handler:
    """A service that answers with a code and a text only."""

    async def act(request: Message, context: Any) -> Message:
        await context.abort(code, text)

    return act


@dataclass
class Library:
    """What the service behind the gateway does and has seen; tests change it."""

    book: Message
    seen: list[Message] = field(default_factory=list[Message])
    metadata: dict[str, str | bytes] = field(default_factory=dict[str, str | bytes])
    time_remaining: float | None = None
    act: Handler | None = None
    stream: Callable[[Message, Any], Any] | None = None
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Running:
    """A gateway that serves: its port, and the service behind it with its address."""

    port: int
    target: str
    library: Library
    server: DrainingServer


@asynccontextmanager
async def running_gateway(settings: GatewaySettings) -> AsyncGenerator[tuple[int, DrainingServer]]:
    """The gateway's port and server, from its first request to its drained end."""
    async with serving(create_gateway(settings), settings) as running:
        yield running


@asynccontextmanager
async def serving(gateway: Gateway, settings: GatewaySettings) -> AsyncGenerator[tuple[int, DrainingServer]]:
    """A gateway's port and server, while it serves."""
    listener = listen(settings)
    server = DrainingServer(server_config(gateway.app, settings, gateway.refused), gateway.drain)
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0)
    try:
        yield listener.getsockname()[1], server
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def running_library(tmp_path: Path, **options: Any) -> AsyncGenerator[Running]:
    """A gateway for library.proto; `options` are settings of the gateway."""
    image = tmp_path / "library.binpb"
    image.write_bytes(library())
    state = Library(book=library_message("Book")(book_id="b1", title="Emma", etag="1.2", version=2))
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(_handlers(state))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    settings = GatewaySettings(
        listen="127.0.0.1:0", upstreams={"test.library.v1": f"127.0.0.1:{port}"}, descriptor_set=image, **options
    )
    async with running_gateway(settings) as (gateway_port, gateway_server):
        yield Running(gateway_port, f"127.0.0.1:{port}", state, gateway_server)
    await server.stop(None)


def _handlers(state: Library) -> tuple[grpc.GenericRpcHandler, ...]:
    book = state.book
    unary = {
        "CreateBook": _unary(state, "CreateBookRequest", lambda request: book),
        "GetBook": _unary(state, "GetBookRequest", lambda request: book),
        "UpdateBook": _unary(state, "UpdateBookRequest", lambda request: request),
        "DeleteBook": _unary(state, "GetBookRequest", lambda request: None),
        "WatchBook": _stream(state, "WatchBookRequest", grpc.unary_stream_rpc_method_handler),
    }
    streams = {
        "Collect": _stream(state, "CollectRequest", grpc.stream_unary_rpc_method_handler),
        "Talk": _stream(state, "Inner", grpc.stream_stream_rpc_method_handler),
        "Tell": _stream(state, "Inner", grpc.unary_stream_rpc_method_handler),
        "GetFile": _unary(state, "FileRequest", lambda request: request.content),
        "Download": _stream(state, "FileRequest", grpc.unary_stream_rpc_method_handler),
        "Upload": _stream(state, "FileRequest", grpc.stream_unary_rpc_method_handler),
        "Listen": _stream(state, "Inner", grpc.stream_unary_rpc_method_handler),
    }
    echoes = {name: _unary(state, "Everything", lambda request: request) for name in ("Get", "Post")}
    return (
        grpc.method_handlers_generic_handler("test.library.v1.BookService", unary),
        grpc.method_handlers_generic_handler("test.library.v1.EchoService", echoes),
        grpc.method_handlers_generic_handler("test.library.v1.StreamService", streams),
        grpc.method_handlers_generic_handler("test.library.v1.FileService", streams),
    )


def _unary(
    state: Library, request_type: str, answer: Callable[[Message], Message]
) -> "grpc.RpcMethodHandler[Message, Message]":
    async def handle(request: Message, context: Any) -> Message:
        _note(state, request, context)
        if state.act is not None:
            try:
                return await state.act(request, context)
            except asyncio.CancelledError:
                state.cancelled.set()
                raise
        return answer(request)

    return grpc.unary_unary_rpc_method_handler(
        handle,
        request_deserializer=library_message(request_type).FromString,
        response_serializer=_serialized,
    )


async def _one_empty(request: Any, context: Any) -> AsyncIterator[Message]:
    if hasattr(request, "__anext__"):
        while await anext(request, None) is not None:
            pass
    yield None


def _stream(
    state: Library, request_type: str, make_handler: Callable[..., "grpc.RpcMethodHandler[Message, Message]"]
) -> "grpc.RpcMethodHandler[Message, Message]":
    """Runs `state.stream`, which gets the request, or the requests, and yields the responses."""

    async def relay(request: Any, context: Any) -> AsyncIterator[Message]:
        _note(state, request, context)
        try:
            async for message in (state.stream or _one_empty)(request, context):
                yield message
        except BaseException:  # a cancelled write fails with an error of grpc's own
            state.cancelled.set()
            raise

    async def only(request: Any, context: Any) -> Message:
        return await anext(relay(request, context))

    return make_handler(
        only if make_handler is grpc.stream_unary_rpc_method_handler else relay,
        request_deserializer=library_message(request_type).FromString,
        response_serializer=_serialized,
    )


def _serialized(message: Message) -> bytes:
    return b"" if message is None else message.SerializeToString()


def _note(state: Library, request: Message, context: Any) -> None:
    state.seen.append(request)
    state.metadata = dict(context.invocation_metadata())
    state.time_remaining = context.time_remaining()
