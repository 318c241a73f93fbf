"""What a case is, and the short forms in which the tables are written.

A case sends the bytes of one HTTP request, and says what comes back and what the service behind the gateway received.
Where the case comes from is its `source`: a document and a place in it. `gateway.md` is this system's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

ABSENT = None
"""In expected headers and metadata: there is none of this name."""


@dataclass(frozen=True, slots=True)
class Fails:
    """How the service fails: with a typed google.rpc.Status, whose details are in text format, or, untyped, with a
    code and a text only."""

    code: str
    message: str = "why"
    details: tuple[str, ...] = ()
    typed: bool = True


@dataclass(frozen=True, slots=True)
class Case:
    """One request and everything that must be true of its answer.

    `received` is what the service must have got, written as in http.proto: `GetMessage(message_id: "123456")`, a line
    a message; `""` says that it was not called, and None that nobody looks.
    `body` is the exact body, `has` are parts of it. `reason` and `fields` are what an AIP-193 error must say: the
    reason of its ErrorInfo, the fields of its BadRequest.
    `answers` is what the service answers, in text format or as raw bytes; then it `fails`, or `waits` until it is
    cancelled. `hangs_up`: the client goes away when the service was called, which must cancel the call."""

    id: str
    source: str
    sends: bytes
    status: int = 200
    received: str | None = None
    body: bytes | None = None
    has: tuple[bytes, ...] = ()
    headers: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    reason: str | None = None
    fields: tuple[str, ...] = ()
    message: str | None = None
    metadata: Mapping[str, str | bytes | None] = field(default_factory=dict[str, str | bytes | None])
    deadline: tuple[float, float] | None = None
    answers: tuple[str | bytes, ...] | None = None
    fails: Fails | None = None
    waits: bool = False
    hangs_up: bool = False


def request(method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> bytes:
    """The bytes of a request; its length is told unless it is chunked."""
    lines = [f"{method} {target} HTTP/1.1", "host: api.example.com"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None and "transfer-encoding" not in (headers or {}):
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def get(target: str, **headers: str) -> bytes:
    """A GET; underscores in the names of headers stand for hyphens."""
    return request("GET", target, {name.replace("_", "-"): value for name, value in headers.items()})


def send(method: str, target: str, json: str, **headers: str) -> bytes:
    """A request with a JSON body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request(method, target, {"content-type": "application/json", **named}, json.encode())


def takes(id: str, source: str, sends: bytes, received: str, body: bytes | None = None) -> Case:
    """A request that reaches the service as this."""
    return Case(id, source, sends, received=received, body=body)


def refuses(
    id: str, source: str, sends: bytes, reason: str, *fields: str, status: int = 400, message: str | None = None
) -> Case:
    """A request that the gateway refuses, and the service never sees."""
    return Case(id, source, sends, status, "", reason=reason, fields=fields, message=message)


def finds_nothing(id: str, source: str, sends: bytes) -> Case:
    """A request for a path that is not there."""
    return refuses(id, source, sends, "NO_ROUTE", status=404)
