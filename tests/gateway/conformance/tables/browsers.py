"""Pages of other origins, and cookies that hold a token: gateway.md settled 9, and the Fetch standard.

The gateway of these cases knows the origin https://app.example and the cookie __Host-token."""

from tests.gateway.conformance.cases import ABSENT, Case, get, refuses, request, send, takes

COOKIE, CORS = "gateway.md: settled 9", "Fetch: CORS"
APP, EVIL = "https://app.example", "https://evil.example"
TARGET, VOLUME = "/t/things", "/v1/publishers/p/volumes/v"
SETTINGS = {"allowed_origins": (APP,), "auth_cookie": "__Host-token"}
_COOKIE = {"cookie": "a=b; __Host-token=abc"}


def asks(id: str, target: str, origin: str, **headers: str | None) -> Case:
    """A preflight for a deletion, and what it is told."""
    asked = {"origin": origin, "access-control-request-method": "DELETE"}
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Case(id, CORS, request("OPTIONS", target, asked), 204, "", headers=told)


CASES: tuple[Case, ...] = (
    Case(
        "is the token of a read",
        COOKIE,
        request("GET", TARGET, _COOKIE),
        received="Batch()",
        metadata={"authorization": "Bearer abc", "cookie": ABSENT},
    ),
    Case(
        "but not before a token",
        COOKIE,
        request("GET", TARGET, {**_COOKIE, "authorization": "Bearer own"}),
        metadata={"authorization": "Bearer own"},
    ),
    Case("of another name is none", COOKIE, get(TARGET, cookie="token=abc"), metadata={"authorization": ABSENT}),
    Case(
        "writes from a known page",
        COOKIE,
        request("DELETE", VOLUME, {**_COOKIE, "origin": APP}),
        204,
        metadata={"authorization": "Bearer abc"},
    ),
    Case(
        "writes from the own page",
        COOKIE,
        request("DELETE", VOLUME, {**_COOKIE, "origin": "http://api.example.com"}),
        204,
        metadata={"authorization": "Bearer abc"},
    ),
    refuses(
        "no write from another page",
        COOKIE,
        request("DELETE", VOLUME, {**_COOKIE, "origin": EVIL}),
        "ORIGIN_NOT_ALLOWED",
        "origin",
        status=403,
    ),
    refuses(
        "no write from nowhere", COOKIE, request("DELETE", VOLUME, _COOKIE), "ORIGIN_NOT_ALLOWED", "origin", status=403
    ),
    Case(
        "a token needs no origin",
        COOKIE,
        request("DELETE", VOLUME, {"authorization": "Bearer abc"}),
        204,
        metadata={"authorization": "Bearer abc"},
    ),
    refuses("no token in the query", COOKIE, get(f"{TARGET}?access_token=abc"), "UNKNOWN_PARAMETER", "access_token"),
    refuses(
        "nor of a write", COOKIE, send("POST", "/json?access_token=abc", "{}"), "UNKNOWN_PARAMETER", "access_token"
    ),
    asks(
        "a known page may ask",
        VOLUME,
        APP,
        access_control_allow_origin=APP,
        access_control_allow_credentials="true",
        access_control_allow_methods="DELETE, GET, HEAD, OPTIONS, PATCH",
    ),
    asks(
        "another is told nothing",
        VOLUME,
        EVIL,
        access_control_allow_origin=ABSENT,
        access_control_allow_methods=ABSENT,
        vary="origin",
    ),
    Case("a known page may read", CORS, get(TARGET, origin=APP), headers={"access-control-allow-origin": APP}),
    Case("errors too", CORS, get("/nowhere", origin=APP), 404, headers={"access-control-allow-origin": APP}),
    takes("another is answered, and its browser keeps the answer", CORS, get(TARGET, origin=EVIL), "Batch()"),
)
