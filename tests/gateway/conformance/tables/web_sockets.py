"""Handshakes that are refused; what is said on a socket is in test_web_sockets.py."""

from tests.gateway.conformance.cases import Case, finds_nothing, refuses, request

HANDSHAKE, ORIGIN = "RFC 6455: handshake", "RFC 6455: Origin"
TALK = "/f/talks/s"
_UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def opens(target: str, **headers: str) -> bytes:
    """A handshake."""
    return request("GET", target, {**_UPGRADE, **{name.replace("_", "-"): value for name, value in headers.items()}})


CASES: tuple[Case, ...] = (
    finds_nothing("no path", HANDSHAKE, opens("/nowhere")),
    finds_nothing("no stream", HANDSHAKE, opens("/t/things")),
    refuses(
        "another page's", ORIGIN, opens(TALK, origin="https://evil.example"), "ORIGIN_NOT_ALLOWED", "origin", status=403
    ),
    refuses("a bad deadline", HANDSHAKE, opens(TALK, grpc_timeout="soon"), "INVALID_HEADER", "grpc-timeout"),
    Case(
        "another version",
        HANDSHAKE,
        opens(TALK, sec_websocket_version="8"),
        426,
        "",
        headers={"sec-websocket-version": "13"},
    ),
)
