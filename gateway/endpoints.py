"""Routes and channels -> endpoints: which way each route is answered, over HTTP and over WebSocket."""

from dataclasses import dataclass

from gateway.binding import cursor_of, message_of
from gateway.compression import Compression
from gateway.contract import Contract
from gateway.exchange import Endpoint, Preparation
from gateway.origins import Origins
from gateway.routes import Route
from gateway.sockets import SocketEndpoint
from gateway.streams import Live, StreamEndpoint, StreamTiming
from gateway.unary import ClientStreamEndpoint, UnaryEndpoint
from gateway.upstreams import Upstreams


@dataclass(frozen=True, slots=True)
class Terms:
    """What endpoints are made with, whatever their contract."""

    preparation: Preparation
    compression: Compression
    timing: StreamTiming
    origins: Origins


def endpoint_of(route: Route, contract: Contract, upstreams: Upstreams, terms: Terms, live: Live) -> Endpoint:
    """Answers a route's HTTP requests; `live` is told of streams. Needs the running loop."""
    rpc, channel = route.rpc, upstreams.channel(route.rpc)
    if not rpc.is_stream:
        return UnaryEndpoint(route, channel.unary_unary(rpc.path), terms.preparation, terms.compression)
    if not rpc.server_streaming:
        return ClientStreamEndpoint(route, channel.stream_unary(rpc.path), terms.preparation, terms.compression)
    cursor = cursor_of(contract, rpc)
    return StreamEndpoint(
        route=route,
        rpc=channel.stream_stream(rpc.path) if rpc.client_streaming else channel.unary_stream(rpc.path),
        preparation=terms.preparation,
        message_type=message_of(contract, rpc.response).type,
        version=cursor[0] if cursor is not None else None,
        timing=terms.timing,
        live=live,
    )


def socket_endpoint_of(
    route: Route, contract: Contract, upstreams: Upstreams, terms: Terms, live: Live
) -> SocketEndpoint:
    """Answers the WebSockets of a route that streams. Needs the running loop."""
    return SocketEndpoint(
        route=route,
        rpc=upstreams.channel(route.rpc).stream_stream(route.rpc.path),
        preparation=terms.preparation,
        message_type=message_of(contract, route.rpc.response).type,
        origins=terms.origins,
        stall=terms.timing.stall,
        live=live,
    )
