"""Trace context as the W3C says it, and how it and facts get into the log."""

import io
import json
import logging

import pytest

from mesh.call import CURRENT, Call, Principal
from mesh.logs import JsonFormatter
from mesh.telemetry import child_traceparent, continued_traceparent, new_traceparent, trace_id_of

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_valid_traceparent_is_continued() -> None:
    assert continued_traceparent(TRACE) == TRACE
    assert continued_traceparent(new_traceparent())[3:35] != continued_traceparent(new_traceparent())[3:35]


def test_a_later_version_is_continued_as_this_one() -> None:
    assert continued_traceparent(f"42{TRACE[2:]}-more") == TRACE


@pytest.mark.parametrize(
    "received",
    [
        None,
        "",
        "nonsense",
        TRACE.upper(),
        f"{TRACE}-more",
        f"{TRACE}\n",
        f"ff{TRACE[2:]}",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
    ],
)
def test_anything_else_starts_a_new_trace(received: str | None) -> None:
    traceparent = continued_traceparent(received)
    assert continued_traceparent(traceparent) == traceparent
    assert trace_id_of(traceparent) not in (received or "")


def test_a_child_keeps_the_trace_and_its_flags_under_another_span() -> None:
    child = child_traceparent(TRACE[:-2] + "00")
    assert (child[:35], child[-3:]) == (TRACE[:35], "-00")
    assert child[36:52] != TRACE[36:52]
    assert continued_traceparent(child) == child
    assert continued_traceparent(child_traceparent("")) != ""


def logged(*, fail: bool = False) -> dict[str, object]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("echo"))
    logger = logging.Logger("test", logging.INFO)
    logger.addHandler(handler)
    try:
        if fail:
            raise ValueError("wrong")
        logger.info("said %s", "something", extra={"facts": {"ms": 1.5}})
    except ValueError:
        logger.exception("failed")
    return json.loads(stream.getvalue())


def test_a_log_line_is_one_json_object_with_its_trace_and_facts() -> None:
    CURRENT.set(Call("/a/b", Principal("user:alice"), None, TRACE))
    line = logged()
    assert isinstance(line.pop("time"), str)
    assert line == {
        "level": "INFO",
        "service": "echo",
        "logger": "test",
        "message": "said something",
        "trace_id": TRACE[3:35],
        "ms": 1.5,
    }


def test_an_exception_is_logged_in_the_same_line() -> None:
    assert "ValueError: wrong" in str(logged(fail=True)["traceback"])
