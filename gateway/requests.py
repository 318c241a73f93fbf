"""The request messages of a client-streaming call, made one by one as the service takes them.

A piece of the body, or a frame, is read only when the messages before it have been written to the service, so that a
slow service holds the client back. What a route binds by path, query and headers is bound in every message.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from starlette.types import Receive

from gateway.body import ClientGone, pieces_of, require_identity, require_no_body
from gateway.connections.peers import GONE
from gateway.errors import InvalidRequest, RequestRefused
from gateway.exchange import Cancellable, DisconnectWatch, Exchange, Preparation
from gateway.routes import Route
from gateway.splitting import splitter_for

HALF_CLOSE = ""
"""The text frame by which a WebSocket client says that it sends nothing more; what it sends then is not looked at."""


class RequestStream:
    """The messages of one call. Whatever goes wrong with them cancels the call; `failure` and `gone` then say why."""

    def __init__(
        self,
        texts: AsyncIterator[bytes],
        bind: Callable[[bytes], bytes],
        receive: Receive,
        lost: asyncio.Event | None = None,
    ) -> None:
        """`bind` makes a request of a text. `receive` is watched when the texts have ended; `lost`, where the server
        has it, also while the service takes none of them."""
        self.failure: Exception | None = None
        self._gone = False
        self._texts = texts
        self._bind = bind
        self._receive = receive
        self._lost = lost
        self._loss: asyncio.Task[None] | None = None
        self._call: Cancellable | None = None
        self._task: asyncio.Task[None] | None = None
        self._watch: DisconnectWatch | None = None

    @property
    def gone(self) -> bool:
        """Whether the client went away."""
        is_lost = self._lost is not None and self._lost.is_set()
        return self._gone or is_lost or (self._watch is not None and self._watch.gone)

    def feeds(self, call: Cancellable) -> None:
        """Says which call takes the messages, before it takes the first."""
        self._call = call
        if self._lost is not None:
            self._loss = asyncio.get_running_loop().create_task(_cancel_after(self._lost, call))

    async def messages(self) -> AsyncIterator[bytes]:
        """Requests as they go on the wire."""
        number = 0
        self._task = asyncio.current_task()
        try:
            async for text in self._texts:
                number += 1
                yield self._bind(text)
        except ClientGone:
            self._gone = True
            raise
        except RequestRefused as refusal:
            self.failure = refusal.at(f"message {number}") if number else refusal
            raise
        except Exception as failure:
            self.failure = failure
            raise
        if self._call is not None:
            self._watch = DisconnectWatch(self._receive, self._call, 0)

    def explain(self) -> None:
        """Raises what cancelled the call, if it was in here: RequestRefused, ClientGone, a bug."""
        if self.failure is not None:
            raise self.failure
        if self.gone:
            raise ClientGone

    def stop(self) -> None:
        """Ends the reading and the watch: the call has ended, perhaps before its messages."""
        for task in (self._task, self._loss):
            if task is not None:
                task.cancel()
        if self._watch is not None:
            self._watch.stop()


def request_stream(
    preparation: Preparation, route: Route, exchange: Exchange, segments: Sequence[str], texts: AsyncIterator[bytes]
) -> RequestStream:
    """The messages that a route makes of texts."""
    lost = exchange.scope.get("extensions", {}).get(GONE)
    return RequestStream(texts, lambda text: preparation.bound(route, exchange, segments, text), exchange.receive, lost)


async def _cancel_after(lost: asyncio.Event, call: Cancellable) -> None:
    await lost.wait()
    call.cancel()


async def texts_of_body(exchange: Exchange, route: Route, limit: int) -> AsyncIterator[bytes]:
    """The texts of an HTTP body, of at most `limit` bytes each; one that is empty when the rule has no body;
    its pieces as they come when it is a google.api.HttpBody. Raises RequestRefused, ClientGone."""
    if not route.rule.body:
        await require_no_body(exchange.receive, exchange.headers)
        yield b""
        return
    require_identity(exchange.headers)
    if route.binder.takes_raw:
        async for piece in pieces_of(exchange.receive, exchange.headers):
            yield piece
        return
    splitter = splitter_for(exchange.headers.get(b"content-type"), limit)
    async for piece in pieces_of(exchange.receive, exchange.headers):
        for text in splitter.feed(piece):
            yield text
    for text in splitter.end():
        yield text


async def texts_of_frames(receive: Receive, route: Route) -> AsyncIterator[bytes]:
    """The texts of WebSocket frames until the client half-closes; one where the rpc takes one message, and one that
    is empty when the rule has no body. Raises RequestRefused, ClientGone."""
    if not route.rule.body:
        yield b""
    elif not route.rpc.client_streaming:
        yield (await _text_of_frame(receive)).encode()
    else:
        while (text := await _text_of_frame(receive)) != HALF_CLOSE:
            yield text.encode()


async def _text_of_frame(receive: Receive) -> str:
    """The next frame. A close frame ends more than a half: the client then hears no answer, so its call is cancelled.

    Raises InvalidRequest for a binary frame, ClientGone."""
    event: Any = await receive()
    if event["type"] == "websocket.disconnect":
        raise ClientGone
    if (text := event.get("text")) is None:
        raise InvalidRequest("A message is a text frame.", reason="INVALID_FRAME", field="body")
    return text
