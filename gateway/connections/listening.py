"""How the gateway listens: its socket, and uvicorn with the gateway's own connections. Decides no limit."""

import math
import resource
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from gateway.connections.http import HttpConnection
from gateway.connections.web_sockets import SocketConnection
from gateway.errors import ErrorReply
from gateway.settings import GatewaySettings

_KEEP_ALIVE = 75
_BACKLOG = 2048
_OTHER_FILES = 256
"""Files that are no client's: channels to services, and those that are being refused."""


class DrainingServer(uvicorn.Server):
    """A server that ends the streams before it waits for requests in flight, and for which a signal is a reason to
    stop cleanly, not one to die by."""

    def __init__(self, config: uvicorn.Config, drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: object) -> None:
        """Does not keep the signal: uvicorn would raise it again after the stop."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams first, then uvicorn's own way."""
        self._drain()
        await super().shutdown(sockets)


def server_config(app: ASGIApp, settings: GatewaySettings, refused: Callable[[ErrorReply], None]) -> uvicorn.Config:
    """How uvicorn serves the gateway; `refused` is told of requests that never reach it. A peer that is gone is found
    by the kernel's timeout (`listen`), not by pongs, which nobody reads while a socket is held back."""
    return uvicorn.Config(
        app,
        http=_connections(settings, refused),
        ws=SocketConnection,
        lifespan="on",
        log_config=None,
        log_level="warning",  # it would log the query of every WebSocket
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=math.ceil(settings.drain_grace),
        ws_max_size=settings.max_body_bytes,
        ws_ping_interval=settings.heartbeat,
        ws_ping_timeout=None,
        ws_per_message_deflate=False,  # what a few bytes become has no bound
    )


def _connections(its_limits: GatewaySettings, its_refused: Callable[[ErrorReply], None]) -> type[HttpConnection]:
    """uvicorn makes connections of a class, and gives them nothing of ours."""

    class LimitedConnection(HttpConnection):
        limits = its_limits
        refused = staticmethod(its_refused)

    return LimitedConnection


def allow_connections(count: int) -> None:
    """Lets this process open as many files as that takes, as far as its hard limit goes: the soft one is often 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _OTHER_FILES if hard == resource.RLIM_INFINITY else min(count + _OTHER_FILES, hard)
    if soft not in (resource.RLIM_INFINITY, hard) and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listen(settings: GatewaySettings) -> socket.socket:
    """A listening socket. The kernel ends its connections whose peer has taken nothing for `stall` seconds (closing
    them would wait for what was written to be read), and asks silent peers as often whether they are there. Raises
    OSError."""
    host, _, port = settings.listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named: without it, a response can wait 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.reuse_port:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(settings.stall * 1000))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, math.ceil(settings.stall))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, math.ceil(settings.stall))
    listener.bind((host.strip("[]"), int(port)))
    listener.listen(_BACKLOG)
    return listener
