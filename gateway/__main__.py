"""`python -m gateway`: settings -> wiring -> serve."""

import asyncio
import logging
import signal
import sys

import uvloop

from gateway.app import create_gateway
from gateway.binding import RouteError
from gateway.connections.listening import DrainingServer, allow_connections, listen, server_config
from gateway.contract import ContractError
from gateway.headers import HeaderError
from gateway.settings import GatewaySettings
from mesh import logs
from mesh.process import StartError, keep_what_is_loaded, run

_log = logging.getLogger("gateway")


def serve(settings: GatewaySettings) -> None:
    """Serves until SIGTERM or SIGINT, then drains. Raises StartError when the contract or the address do not serve."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: GatewaySettings) -> None:
    keep_what_is_loaded()  # before there is a contract, which must go when there is another
    try:
        gateway = create_gateway(settings)
        listener = listen(settings)
        allow_connections(settings.max_connections)
    except (ContractError, RouteError, HeaderError, OSError) as error:
        raise StartError(f"gateway: {error}") from error
    host, port, *_ = listener.getsockname()
    _log.info("listening", extra={"facts": {"address": f"{host}:{port}", "routes": len(gateway.table.routes)}})
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, gateway.reload)
    config = server_config(gateway.app, settings, gateway.refused)
    await DrainingServer(config, gateway.drain).serve([listener])


async def _main() -> None:
    settings = GatewaySettings()  # pyright: ignore[reportCallIssue]  # the environment fills it
    logs.configure("gateway", settings.log_level)
    await _serve(settings)


if __name__ == "__main__":
    sys.exit(run(_main, uvloop.new_event_loop))
