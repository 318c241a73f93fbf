"""Whether the other end of a connection is still there, when nobody reads from it. Knows no protocol.

A transport that does not read sees no end: neither a FIN nor a reset. The kernel sees both; but a FIN that waits behind
bytes for which the kernel has no room is nowhere to be seen.
"""

import asyncio
import socket

from uvicorn.protocols.http.flow_control import FlowControl

GONE = "gateway.gone"
"""An ASGI extension: the asyncio.Event that tells of a lost connection those who are not receiving."""

LOOK_EVERY = 1.0
"""Seconds between two looks."""

_TCP_CLOSE = 7
_TCP_CLOSE_WAIT = 8


def is_gone(transport: asyncio.BaseTransport) -> bool:
    """Whether the peer has closed or reset the connection. Never, where the kernel does not tell."""
    connection = transport.get_extra_info("socket")
    if not hasattr(socket, "TCP_INFO") or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    state: int = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state in (_TCP_CLOSE, _TCP_CLOSE_WAIT)


class WatchfulFlow(FlowControl):
    """Flow control that ends a connection whose peer goes away while nothing is read."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self.is_full = False
        """Whether enough has been read: nothing is, until this is over, whoever asks."""
        self._look: asyncio.TimerHandle | None = None

    def pause_reading(self) -> None:
        """Reads nothing, but looks."""
        super().pause_reading()
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look_after_peer)

    def resume_reading(self) -> None:
        """Reads again, unless enough has been read."""
        if self.read_paused and not self.is_full:
            self.stop_looking()
            super().resume_reading()

    def stop_looking(self) -> None:
        """The connection has ended, or is read from."""
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _look_after_peer(self) -> None:
        self._look = None
        if is_gone(self._transport):
            self._transport.abort()
        else:
            self._look = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look_after_peer)
