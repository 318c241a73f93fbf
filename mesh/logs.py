"""Structured logs: one JSON object a line on stderr. What is logged is decided elsewhere; secrets never are."""

import json
import logging
import sys
from datetime import UTC, datetime
from functools import lru_cache

from mesh.call import current_call
from mesh.telemetry import trace_id_of

_encode = json.JSONEncoder(default=str).encode  # json.dumps would make an encoder for every line


class JsonFormatter(logging.Formatter):
    """Formats a record with its trace id and the mapping passed as `extra={"facts": {...}}`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON without a newline."""
        line: dict[str, object] = {
            "time": f"{_second(int(record.created))}.{int(record.msecs):03d}+00:00",
            "service": self._service,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace_id := trace_id_of(current_call().traceparent):
            line["trace_id"] = trace_id
        line.update(getattr(record, "facts", {}))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _encode(line)


@lru_cache(maxsize=1)
def _second(since_epoch: int) -> str:
    return datetime.fromtimestamp(since_epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def configure(service: str, level: str) -> None:
    """Makes the root logger write JSON lines to stderr. `level` is a name of stdlib logging, such as INFO.

    What no line shows is not found out, which made every line dearer by a third (Python's logging HOWTO)."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]  # where a line is written
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("asyncio", "grpc"):  # several lines a call at DEBUG
        logging.getLogger(chatty).setLevel(logging.WARNING)
