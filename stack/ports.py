"""Free TCP ports on the loopback. Nothing is reserved: whoever gets a port binds it soon, and tries again if late."""

import random
import socket
from collections.abc import Iterator

# Below the range from which Linux takes the local ends of outgoing connections, so that a server that restarts
# finds its port still free.
_LOWEST, _HIGHEST = 10_240, 32_767


def free_ports(*, besides: int | None = None) -> Iterator[int]:
    """Ports of 127.0.0.1 that nobody listens on, each another, drawn at random so that two stacks rarely collide;
    never `besides`, which somebody is about to take."""
    for port in random.sample(range(_LOWEST, _HIGHEST + 1), _HIGHEST - _LOWEST + 1):
        if port != besides and is_free(port):
            yield port


def free_port() -> int:
    """One such port."""
    return next(free_ports())


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        # As servers do: connections of the server before us, lingering in TIME_WAIT, are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
