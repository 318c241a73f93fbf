"""Refusals on the wire and back."""

import grpc
import pytest
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from mesh import errors
from mesh.errors import InvalidArgument, Kind, Refusal, RequestIdReused, ResourceExhausted
from mesh.status import CODES, HTTP_STATUS, reason_of, refusal_of, status_of


def everything_raised() -> list[type[Refusal]]:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    return [cls for cls in classes if issubclass(cls, Refusal) and cls is not Refusal]


def test_every_kind_has_a_code_of_its_own_and_every_code_an_http_status() -> None:
    assert set(CODES) == set(Kind)
    assert len(set(CODES.values())) == len(Kind)
    assert set(HTTP_STATUS) == {code.value[0] for code in grpc.StatusCode}
    assert all(400 <= HTTP_STATUS[code] < 600 for code in CODES.values())


@pytest.mark.parametrize("cls", everything_raised())
def test_a_refusal_survives_the_wire(cls: type[Refusal]) -> None:
    status = Status.FromString(status_of(cls()).SerializeToString())
    back = refusal_of(status)
    assert back is not None
    assert (back.kind, back.reason, back.message) == (cls.kind, cls.reason, cls().message)
    assert issubclass(cls, type(back))


def test_fields_metadata_and_delay_survive_the_wire() -> None:
    violations = {"event.title": "is too long", "items[0].name": "is required"}
    back = refusal_of(status_of(InvalidArgument("two faults", violations=violations)))
    assert isinstance(back, InvalidArgument)
    assert back.violations == violations
    busy = refusal_of(status_of(ResourceExhausted(retry_after=0.25, metadata={"limit": "256"})))
    assert busy is not None
    assert (busy.retry_after, busy.metadata) == (0.25, {"limit": "256"})
    reused = refusal_of(status_of(RequestIdReused(field="request_id")))
    assert reused is not None
    assert (reused.field, reused.reason) == ("request_id", "REQUEST_ID_REUSED")


@pytest.mark.parametrize("code", [code_pb2.INTERNAL, code_pb2.UNKNOWN, code_pb2.CANCELLED, code_pb2.UNIMPLEMENTED])
def test_what_nobody_refused_is_no_refusal(code: int) -> None:
    assert refusal_of(Status(code=code, message="internal error")) is None


def test_the_reason_of_a_status_without_details_is_its_code() -> None:
    assert reason_of(Status(code=code_pb2.INTERNAL)) == "INTERNAL"


def test_reading_a_refusal_from_the_wire_changes_no_class() -> None:
    refusal_of(status_of(RequestIdReused()))
    assert InvalidArgument.reason == "INVALID_ARGUMENT"
