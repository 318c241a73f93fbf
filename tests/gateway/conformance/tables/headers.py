"""Headers that become metadata, and those that never do."""

from tests.gateway.conformance.cases import Case, get, refuses, request

ALLOWED, HOP, BINARY = "gateway.md: allow-list", "RFC 9110: hop-by-hop", "gRPC: -bin"
TRACE, FORWARDED = "W3C Trace Context: traceparent", "gateway.md: X-Forwarded-*"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TARGET = "/t/things"


def carries(id: str, source: str, headers: dict[str, str], **metadata: str | bytes | None) -> Case:
    """A request whose headers become this metadata; underscores in names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in metadata.items()}
    return Case(id, source, request("GET", TARGET, headers), received="Batch()", metadata=named)


CASES: tuple[Case, ...] = (
    carries(
        "on the list",
        ALLOWED,
        {"authorization": "Bearer abc", "x-tenant": "t"},
        authorization="Bearer abc",
        x_tenant="t",
    ),
    carries("in any case", ALLOWED, {"AUTHORIZATION": "Bearer abc"}, authorization="Bearer abc"),
    carries(
        "not on the list", ALLOWED, {"x-secret": "s", "cookie": "c=d", "user-agent": "u"}, x_secret=None, cookie=None
    ),
    carries(
        "no metadata of another gateway's kind",
        ALLOWED,
        {"grpc-metadata-admin": "yes"},
        admin=None,
        grpc_metadata_admin=None,
    ),
    carries("no token of the gateway's own", ALLOWED, {}, authorization=None),
    carries(
        "what belongs to the connection",
        HOP,
        {"connection": "x-tenant", "te": "gzip", "keep-alive": "5", "proxy-authorization": "p"},
        connection=None,
        keep_alive=None,
        proxy_authorization=None,
        host=None,
    ),
    carries("bytes", BINARY, {"x-data-bin": "AP8="}, x_data_bin=b"\x00\xff"),
    carries("bytes without padding", BINARY, {"x-data-bin": "AP8"}, x_data_bin=b"\x00\xff"),
    refuses("no base64", BINARY, get(TARGET, x_data_bin="!"), "INVALID_HEADER", "x-data-bin"),
    refuses(
        "what metadata cannot carry", "gRPC: ASCII-Value", get(TARGET, x_tenant="caf\xe9"), "INVALID_HEADER", "x-tenant"
    ),
    carries("is continued", TRACE, {"traceparent": PARENT, "tracestate": "a=b"}, traceparent=PARENT, tracestate="a=b"),
    carries(
        "where from",
        FORWARDED,
        {},
        x_forwarded_for="127.0.0.1",
        x_forwarded_host="api.example.com",
        x_forwarded_proto="http",
    ),
    carries(
        "where from, through a proxy",
        FORWARDED,
        {"x-forwarded-for": "1.2.3.4", "x-forwarded-host": "a.example", "x-forwarded-proto": "https"},
        x_forwarded_for="1.2.3.4, 127.0.0.1",
        x_forwarded_host="a.example",
        x_forwarded_proto="https",
    ),
    *(
        refuses(f"in {name}", "gRPC: ASCII-Value", request("GET", TARGET, {name: "caf\xe9"}), "INVALID_HEADER", name)
        for name in ("authorization", "x-forwarded-for", "x-forwarded-proto")
    ),
)
