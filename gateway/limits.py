"""What a client may cost before its request is one. Knows no protocol."""

from dataclasses import dataclass

from gateway.settings import GatewaySettings


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    max_head_bytes: int
    max_headers: int
    max_connections: int
    head_timeout: float
    body_timeout: float


def limits_of(settings: GatewaySettings) -> Limits:
    """The limits that the settings name."""
    return Limits(
        settings.max_head_bytes,
        settings.max_headers,
        settings.max_connections,
        settings.head_timeout,
        settings.body_timeout,
    )
