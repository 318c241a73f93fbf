"""How the messages of a stream are written: one class a media type, one object a response."""

from functools import lru_cache
from typing import ClassVar

from gateway.accepting import qualities


class Framing:
    """Turns JSON texts into the bytes of a response. This one writes a text a line (NDJSON)."""

    content_type: ClassVar[bytes] = b"application/x-ndjson"
    heartbeat: ClassVar[bytes] = b""
    """What keeps a silent connection alive; empty where the format has nothing for that."""

    in_band: ClassVar[bool] = True
    """Whether an error can follow messages."""

    def message(self, json: bytes, version: object) -> bytes:
        """A message; `version` is falsy when the message has none."""
        return json + b"\n"

    def error(self, json: bytes) -> bytes:
        """The error that ends the stream."""
        return self.message(json, None)

    def end(self) -> bytes:
        """What follows the last message or the error."""
        return b""


class EventStream(Framing):
    """Server-Sent Events. The version is the event's id, which a browser sends back as Last-Event-ID; an error is an
    event named `error`."""

    content_type = b"text/event-stream"
    heartbeat = b":\n\n"

    def message(self, json: bytes, version: object) -> bytes:
        """An unnamed event."""
        return b"id: %s\ndata: %s\n\n" % (str(version).encode(), json) if version else b"data: %s\n\n" % json

    def error(self, json: bytes) -> bytes:
        """A named event."""
        return b"event: error\ndata: %s\n\n" % json


class JsonArray(Framing):
    """One JSON array; an error is its last element. White space between elements keeps the connection alive."""

    content_type = b"application/json"
    heartbeat = b"\n"

    def __init__(self) -> None:
        self._separator = b"["

    def message(self, json: bytes, version: object) -> bytes:
        """One element."""
        separator, self._separator = self._separator, b","
        return separator + json

    def end(self) -> bytes:
        """The closing bracket, after the opening one when there was no element."""
        return b"[]" if self._separator == b"[" else b"]"


class Raw(Framing):
    """The bytes of google.api.HttpBody, one after the other. An error has no place among them: the response breaks off
    without its end, which a client of HTTP/1.1 notices."""

    in_band = False

    def message(self, json: bytes, version: object) -> bytes:
        """Bytes as they are."""
        return json


_BY_MEDIA_TYPE: dict[str, type[Framing]] = {
    "text/event-stream": EventStream,
    "application/x-ndjson": Framing,
    "application/ndjson": Framing,
    "application/jsonl": Framing,
    "application/json": JsonArray,
}
MEDIA_TYPES = ("text/event-stream", "application/x-ndjson", "application/json")


@lru_cache(maxsize=256)
def framing_for(accept: bytes) -> type[Framing]:
    """The format that an Accept header prefers; lines when it prefers none of ours (`*/*`, or nothing)."""
    best, best_quality = Framing, 0.0
    for media, quality in qualities(accept).items():
        framing = _BY_MEDIA_TYPE.get(media)
        if framing is not None and quality > best_quality:
            best, best_quality = framing, quality
    return best
