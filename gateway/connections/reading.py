"""How much of a connection is read, and when: uvicorn's protocol, fed by one request at a time. Knows no clock.

The parser is given one request, and the next when that is answered, so that a connection costs one request and what
one read brings. What is too large or no HTTP becomes a refusal, which is for `HttpConnection` to tell.
"""

import asyncio
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

import httptools
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.server import ServerState

from gateway.connections.coalescing import CoalescingConnection
from gateway.connections.heads import check_handshake, check_head, check_upgrade, refusal_of, too_large
from gateway.connections.peers import WatchfulFlow
from gateway.errors import HeadTooLarge, InvalidRequest, RequestRefused
from gateway.settings import GatewaySettings

_END = b"\r\n\r\n"
_SLICE, _SLICES = 4096, 4
"""Bytes of a chunked body that are parsed at a time, and how often before others have their turn: a chunk may be one
byte, and requests that follow the last one are parsed with it."""


class At(Enum):
    """Where among the requests the parser is."""

    BETWEEN = auto()
    HEAD = auto()
    BODY = auto()
    OVER = auto()


_BETWEEN, _HEAD, _BODY, _OVER = At  # a lookup less, some ten times a request


class HttpReading(CoalescingConnection):
    """The reading half of a connection."""

    limits: GatewaySettings

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._application: Any = self.app
        self._at = _BETWEEN
        self._data = b""  # up to three bytes that the parser has had, and those that it has not
        self._fed = 0
        self._size = 0  # of this head; of a chunked body, since its last data
        self._left: int | None = None  # of this body; None when it is chunked
        self._heard = 0.0
        self._refusal: RequestRefused | None = None  # raised where the parser hides it

    def refuse(self, refusal: RequestRefused) -> None:
        """Answers what cannot be read on."""
        raise NotImplementedError

    def become_socket(self, rest: bytes) -> None:
        """Gives the connection to the WebSocket protocol."""
        raise NotImplementedError

    def wait_for_more(self) -> None:
        """Everything that may be parsed has been."""
        raise NotImplementedError

    def answered(self) -> None:
        """A request is, and nothing more is read."""
        raise NotImplementedError

    async def serve_open(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request whose body is still to come."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.Transport) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self.flow = self._flow = WatchfulFlow(self.transport)

    def stop_reading(self) -> None:
        """What comes now is not heard."""
        self._at = _OVER
        self._data = b""
        self._fed = 0
        self._flow.is_full = False
        self._flow.stop_looking()

    def is_answering(self) -> bool:
        """Whether the last request that has been read is not answered."""
        return self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    def data_received(self, data: bytes) -> None:
        """Takes what has come; most often that is one request."""
        if self._at is not _OVER:
            self._unset_keepalive_if_required()
            self._data += data
            self._read()

    def on_response_complete(self) -> None:
        """Reads what has been kept waiting."""
        super().on_response_complete()
        if self._at is _OVER:
            self.answered()
        elif (self._at is _HEAD or self._fed < len(self._data)) and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._read()

    def _read(self) -> None:
        """Feeds the parser until it has a request that is to be answered, or all there is."""
        slices = 0
        try:
            while self._fed < len(self._data) and slices < _SLICES:
                if self._at is _OVER or (self._at is _BETWEEN and self.is_answering()):
                    break
                slices += self._at is _BODY and self._left is None
                self._feed(self._next_piece())
        except RequestRefused as refusal:
            self.refuse(refusal)
        except httptools.HttpParserError as error:
            self.refuse(self._refusal or refusal_of(error))
        if slices == _SLICES:
            self.loop.call_soon(self._read)
        if self._at is not _OVER:
            self._keep()
            self.wait_for_more()

    def _next_piece(self) -> bytes:
        """Bytes that end where a head does, or a body of known length, at the latest. Of a head that is too large, only
        as much as shows it."""
        if self._at is _BODY:
            end = self._fed + (_SLICE if self._left is None else self._left)
        else:
            enough = self._fed + self.limits.max_head_bytes - self._size + 1
            found = self._data.find(_END, max(0, self._fed - len(_END) + 1), enough)
            end = enough if found < 0 else found + len(_END)
        piece = self._data[self._fed : end]
        self._fed += len(piece)
        self._size += len(piece)
        return piece

    def _feed(self, piece: bytes) -> None:
        parser: Any = self.parser
        try:
            parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            self._fed -= len(piece) - upgrade.args[0]
            if self._should_upgrade():
                self.become_socket(self._data[self._fed :])
        if self._size > self.limits.max_head_bytes:
            if self._at in (_BETWEEN, _HEAD):
                raise too_large(self.url if self._at is _HEAD else b"", self.limits.max_head_bytes)
            if self._at is _BODY:
                raise HeadTooLarge("There is too much between two chunks.", reason="CHUNK_TOO_LARGE", field="body")

    def _keep(self) -> None:
        """Keeps no more than is needed, and takes no more than is bearable."""
        left = len(self._data) - self._fed
        if not left:
            self._data = self._data[1 - len(_END) :] if self._at is _HEAD else b""
            self._fed = len(self._data)
        if left > HIGH_WATER_LIMIT:
            self._flow.is_full = True
            self._flow.pause_reading()
        elif self._flow.is_full:
            self._flow.is_full = False
            if len(self.cycle.body) <= HIGH_WATER_LIMIT:
                self._flow.resume_reading()

    # What the parser finds --------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._at = _HEAD

    def on_headers_complete(self) -> None:
        """Starts the application, unless the head is refused."""
        fields = dict(self.headers)
        try:
            self._check_head(fields)
        except RequestRefused as refusal:
            self._refusal = refusal
            raise
        length = fields.get(b"content-length")
        self._left = int(length) if length is not None else None
        is_whole = length in (None, b"0") and b"transfer-encoding" not in fields
        self.app = self._application if is_whole else self.serve_open
        super().on_headers_complete()
        if not is_whole:
            self.headers = []  # trailers are for nobody: the application has begun
        self._size = 0
        self._at = _BODY

    def _check_head(self, fields: Mapping[bytes, bytes]) -> None:
        if self._size > self.limits.max_head_bytes:
            raise too_large(self.url, self.limits.max_head_bytes)
        if len(self.headers) > self.limits.max_headers:
            raise HeadTooLarge(f"There are more than {self.limits.max_headers} headers.", reason="TOO_MANY_HEADERS")
        parser: Any = self.parser
        version: str = parser.get_http_version()
        check_head(version, self.headers, fields)
        if parser.should_upgrade():
            if self._should_upgrade():
                if self.is_answering():
                    raise InvalidRequest("A WebSocket waits for the answer before it.", reason="MALFORMED_REQUEST")
                check_handshake(parser.get_method().decode(), version, self.url, self.headers)
            else:
                check_upgrade(fields)

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        super().on_body(body)
        self._heard = self.loop.time()
        self._size = 0
        if self._left is not None:
            self._left -= len(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        super().on_message_complete()
        self._size = 0
        self._at = _BETWEEN
