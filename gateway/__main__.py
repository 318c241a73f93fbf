"""`python -m gateway`: settings -> wiring -> serve."""

import asyncio
import logging
import math
import socket
import sys
from collections.abc import Callable

import uvicorn
import uvloop
from starlette.types import ASGIApp

from gateway.app import create_gateway
from gateway.binding import RouteError
from gateway.coalescing import CoalescingConnection
from gateway.contract import ContractError
from gateway.headers import HeaderError
from gateway.settings import GatewaySettings
from mesh import logs
from mesh.process import StartError, keep_what_is_loaded, run

_KEEP_ALIVE = 75
_BACKLOG = 2048
_log = logging.getLogger("gateway")


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


def serve(settings: GatewaySettings) -> None:
    """Serves until SIGTERM or SIGINT, then drains. Raises StartError when the contract or the address do not serve."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: GatewaySettings) -> None:
    try:
        gateway = create_gateway(settings)
        listener = listen(settings)
    except (ContractError, RouteError, HeaderError, OSError) as error:
        raise StartError(f"gateway: {error}") from error
    host, port, *_ = listener.getsockname()
    _log.info("listening", extra={"facts": {"address": f"{host}:{port}", "routes": len(gateway.table.routes)}})
    keep_what_is_loaded()
    await DrainingServer(server_config(gateway.app, settings), gateway.drain).serve([listener])


def server_config(app: ASGIApp, settings: GatewaySettings) -> uvicorn.Config:
    """How uvicorn serves the gateway. A peer that is gone is found by the kernel's timeout (`listen`), not by pongs,
    which nobody reads while a socket is held back."""
    return uvicorn.Config(
        app,
        http=CoalescingConnection,
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


def listen(settings: GatewaySettings) -> socket.socket:
    """A listening socket. The kernel resets its connections whose peer has taken nothing for `stall` seconds: closing
    them would wait for what was written to be read. Raises OSError."""
    host, _, port = settings.listen.rpartition(":")
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.reuse_port:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(settings.stall * 1000))
    listener.bind((host.strip("[]"), int(port)))
    listener.listen(_BACKLOG)
    return listener


async def _main() -> None:
    settings = GatewaySettings()  # pyright: ignore[reportCallIssue]  # the environment fills it
    logs.configure("gateway", settings.log_level)
    await _serve(settings)


if __name__ == "__main__":
    sys.exit(run(_main, uvloop.new_event_loop))
