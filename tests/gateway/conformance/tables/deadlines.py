"""Deadlines: Grpc-Timeout as the gRPC protocol has it, the policy's, the gateway's; and clients that go away."""

from tests.gateway.conformance.cases import Case, get, refuses, send

TIMEOUT, DEFAULT, GONE = "gRPC: Timeout", "gateway.md: default deadlines", "gateway.md: disconnect cancels"


def lasts(id: str, source: str, sends: bytes, seconds: float) -> Case:
    """A call with so much time; less a second on a slow machine, and gRPC rounds up on the wire."""
    return Case(id, source, sends, deadline=(seconds * 0.5, seconds * 1.02))


CASES: tuple[Case, ...] = (
    lasts("hours", TIMEOUT, get("/t/things", grpc_timeout="1H"), 3600),
    lasts("minutes", TIMEOUT, get("/t/things", grpc_timeout="2M"), 120),
    lasts("seconds", TIMEOUT, get("/t/things", grpc_timeout="5S"), 5),
    lasts("milliseconds", TIMEOUT, get("/t/things", grpc_timeout="5000m"), 5),
    lasts("microseconds", TIMEOUT, get("/t/things", grpc_timeout="5000000u"), 5),
    lasts("of a stream", TIMEOUT, get("/f/gauges/g:watch", grpc_timeout="5S"), 5),
    lasts("beyond every clock", TIMEOUT, get("/t/things", grpc_timeout="99999999H"), 365 * 24 * 3600),
    refuses("no unit", TIMEOUT, get("/t/things", grpc_timeout="5"), "INVALID_HEADER", "grpc-timeout"),
    refuses("no number", TIMEOUT, get("/t/things", grpc_timeout="S"), "INVALID_HEADER", "grpc-timeout"),
    refuses("a fraction", TIMEOUT, get("/t/things", grpc_timeout="1.5S"), "INVALID_HEADER", "grpc-timeout"),
    refuses("nine digits", TIMEOUT, get("/t/things", grpc_timeout="123456789S"), "INVALID_HEADER", "grpc-timeout"),
    lasts("the policy's", DEFAULT, get("/v1/publishers/p/volumes/v"), 7),
    lasts("the client's before the policy's", DEFAULT, get("/v1/publishers/p/volumes/v", grpc_timeout="90S"), 90),
    lasts("the gateway's", DEFAULT, get("/t/things"), 30),
    Case("that passes", TIMEOUT, get("/t/things", grpc_timeout="50m"), 504, waits=True, reason="DEADLINE_EXCEEDED"),
    Case("of a GET", GONE, get("/t/things"), hangs_up=True),
    Case("of a POST", GONE, send("POST", "/json", "{}"), hangs_up=True),
    Case("of an upload", GONE, send("POST", "/f/files/a:upload", "abc"), hangs_up=True),
    lasts("more milliseconds than a second has", TIMEOUT, get("/t/things", grpc_timeout="15000m"), 15),
    *(
        refuses(f"{value!r}", TIMEOUT, get("/t/things", grpc_timeout=value), "INVALID_HEADER", "grpc-timeout")
        for value in ("", "5s", "-1S", "5 S")
    ),
)
