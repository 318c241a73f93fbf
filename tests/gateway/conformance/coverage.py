"""The specification of the gateway, row by row, and where each is held: cases here, and test modules for what is more
than one request and its answer."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row marked "must", or one settled line. `cases` are the sources of cases of this suite: documents, and
    places in them with ` | ` between; `tests` are modules."""

    text: str
    cases: Mapping[str, str]
    tests: tuple[str, ...] = ()

    @property
    def sources(self) -> set[str]:
        """The sources as cases state them."""
        return {f"{document}: {place}" for document, places in self.cases.items() for place in places.split(" | ")}


ROWS = (
    Requirement(
        "full template grammar: {name=shelves/*}, **, :verb, nested field paths, anonymous *",
        {
            "http.proto": "path template | * | ** | Variable | verb | LITERAL | FieldPath | path | "
            "primitive path variables",
            "RFC 3986": "6.2.2.2",
            "RFC 9112": "3.2.2",
            "AIP-136": "custom methods",
            "AIP-159": "wildcards",
            "AIP-127": "HTTP and gRPC transcoding",
            "AIP-131": "Get",
            "AIP-132": "List",
            "AIP-231": "BatchGet",
        },
        ("gateway/test_template.py",),
    ),
    Requirement(
        "literal > * > **, with backtracking; 404 and 405 with Allow",
        {
            "gateway.md": "literal > * > ** | backtracking",
            "RFC 9110": "404 | 405 and Allow",
        },
        (
            "gateway/test_trie.py",
            "gateway/test_routes.py",
        ),
    ),
    Requirement(
        "single-segment variables fully percent-decoded, multi-segment keep %2F",
        {
            "http.proto": "single segment decoding | multi segment decoding",
            "RFC 3986": "3.3",
        },
    ),
    Requirement(
        "additional_bindings, custom kinds",
        {
            "http.proto": "additional_bindings | custom | put | delete",
        },
    ),
    Requirement(
        "body *, body field, none; response_body",
        {
            "http.proto": "body | body * | body omitted | body of any type | response_body | JSON array",
            "RFC 9112": "body length",
            "AIP-133": "Create",
        },
    ),
    Requirement(
        "query: scalars, enums by name or number, repeated, nested, maps, well-known types; both spellings",
        {
            "http.proto": "query | nested parameters | repeated parameters | no repeated messages",
            "gateway.md": "query spellings | query enums | query maps",
            "WHATWG URL": "query",
            "AIP-157": "read_mask",
            "AIP-158": "page_token | next_page_token",
        },
    ),
    Requirement(
        "unknown query parameters and unknown JSON fields: a 400 that names them, or ignored by option",
        {
            "gateway.md": "unknown query parameters | unknown JSON fields | option to ignore unknown names",
        },
    ),
    Requirement(
        "a path-bound field cannot be overridden by query or body",
        {
            "gateway.md": "a path-bound field cannot be overridden",
        },
    ),
    Requirement(
        "PATCH: field mask from the body's own keys; an explicit mask wins",
        {
            "gateway.md": "mask from the body's keys",
            "AIP-134": "update_mask | Update | allow_missing",
            "AIP-161": "repeated fields | map fields",
            "AIP-203": "OUTPUT_ONLY",
        },
    ),
    Requirement(
        "server streaming by Accept: event stream, NDJSON, JSON array",
        {
            "RFC 9110": "Accept",
            "WHATWG HTML": "event stream | Last-Event-ID",
            "NDJSON": "lines",
            "gateway.md": "JSON array",
        },
        ("gateway/test_streams.py",),
    ),
    Requirement(
        "client streaming: NDJSON or JSON array; bidi over WebSocket",
        {
            "NDJSON": "lines",
            "gateway.md": "JSON array | bidi streams | bidi over WebSocket | client streaming over WebSocket",
            "RFC 6455": "handshake | Origin | data frames",
        },
        (
            "gateway/test_requests.py",
            "gateway/test_sockets.py",
            "gateway/test_socket_bounds.py",
        ),
    ),
    Requirement(
        "an error after the first streamed message reaches the client in-band",
        {
            "gateway.md": "errors in-band",
        },
    ),
    Requirement(
        "google.api.HttpBody out and in, streamed too",
        {
            "httpbody.proto": "response | request | streaming",
            "RFC 9110": "Content-Type",
        },
        ("gateway/test_files.py",),
    ),
    Requirement(
        "headers -> metadata by an allow-list, -bin, traceparent, X-Forwarded-*; hop-by-hop never",
        {
            "gateway.md": "allow-list | X-Forwarded-*",
            "gRPC": "-bin | ASCII-Value",
            "W3C Trace Context": "traceparent",
            "RFC 9110": "hop-by-hop",
        },
        ("gateway/test_headers.py",),
    ),
    Requirement(
        "Grpc-Timeout and a default deadline per rpc; client disconnect cancels the call",
        {
            "gRPC": "Timeout",
            "gateway.md": "default deadlines | disconnect cancels",
        },
        ("gateway/test_unary.py",),
    ),
    Requirement(
        "errors as AIP-193 with ErrorInfo and BadRequest",
        {
            "AIP-193": "error model | ErrorInfo | BadRequest | details",
            "gateway.md": "untyped errors",
        },
        ("gateway/test_errors.py",),
    ),
    Requirement(
        "ETag, If-Match, If-None-Match -> 304, 409 on mismatch (AIP-154)",
        {
            "AIP-154": "etag | If-Match",
            "AIP-135": "etag",
            "RFC 9110": "If-None-Match",
            "gateway.md": "409 on mismatch",
        },
    ),
    Requirement(
        "Idempotency-Key header -> request_id",
        {
            "AIP-155": "request_id",
        },
    ),
    Requirement(
        "created resources 201 with Location where the contract says so; Empty -> 204",
        {
            "gateway.md": "201 and Location | Empty is 204",
            "AIP-135": "Delete",
        },
    ),
    Requirement(
        "OpenAPI 3.1 with comments, examples, constraints, security, streams",
        {
            "OpenAPI": "3.1",
        },
        ("gateway/test_openapi.py",),
    ),
    Requirement(
        "reflection- or descriptor-set-driven routes, reloaded without restart",
        {
            "gateway.md": "routes of a descriptor set",
        },
        ("gateway/test_reload.py", "gateway/test_reflection.py"),
    ),
    Requirement(
        "compression, CORS, health, request-size limits, slow-client limits",
        {
            "RFC 9110": "Accept-Encoding | Content-Encoding | 413 | 414 | 505",
            "RFC 6585": "431",
            "RFC 9112": "request smuggling | request line",
            "Fetch": "CORS",
            "gateway.md": "health | request-size limits",
        },
        (
            "gateway/test_compression.py",
            "gateway/test_cors.py",
            "gateway/test_limits.py",
            "gateway/test_malformed.py",
        ),
    ),
    Requirement(
        "method override header: never",
        {
            "gateway.md": "method override",
        },
    ),
)

SETTLED = (
    Requirement(
        "** variables decode everything but %2F",
        {
            "gateway.md": "settled 1",
        },
    ),
    Requirement(
        "unannotated methods have no REST route",
        {
            "gateway.md": "settled 2",
        },
    ),
    Requirement(
        "JSON out: lowerCamelCase, enums by name, int64 as strings, defaults omitted; in: both names, unknown enum "
        "names are 400, the top-level type must match, null is unset",
        {
            "gateway.md": "settled 3",
            "ProtoJSON": "field names | json_name | null | enum | int32 | int64 | float | bool | string | bytes | "
            "repeated | map | oneof | duplicate fields | Timestamp | Duration | FieldMask | Struct and Value | "
            "wrappers | Any | Empty | NullValue",
            "RFC 8259": "grammar | UTF-8",
            "protobuf": "presence | oneof | recursion limit",
        },
        (
            "mesh/test_codec.py",
            "mesh/test_codec_peer.py",
        ),
    ),
    Requirement(
        "a body sent to a rule without `body` is 400, a wrong content type 415",
        {
            "gateway.md": "settled 4",
            "RFC 6839": "+json",
        },
    ),
    Requirement(
        "codes as google/rpc/code.proto documents; UNAVAILABLE and RESOURCE_EXHAUSTED carry Retry-After",
        {
            "gateway.md": "settled 5",
            "code.proto": "HTTP mapping",
            "RFC 9110": "WWW-Authenticate",
        },
    ),
    Requirement(
        "HEAD follows GET; OPTIONS answers Allow; FAILED_PRECONDITION is 400, ABORTED and ALREADY_EXISTS are 409",
        {
            "gateway.md": "settled 6",
            "RFC 9110": "OPTIONS",
        },
    ),
    Requirement(
        "an etag may have two parts: If-Match compares the first, If-None-Match both",
        {
            "gateway.md": "settled 7",
        },
    ),
    Requirement(
        "the policy option `alias` adds exact extra paths",
        {
            "gateway.md": "settled 8",
        },
    ),
    Requirement(
        "browsers may authenticate by a __Host- cookie with an Origin check on writes and WebSocket; never by query",
        {
            "gateway.md": "settled 9",
        },
        ("gateway/test_cookies.py",),
    ),
)
