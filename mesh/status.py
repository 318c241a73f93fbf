"""The one table of refusal kinds, gRPC codes and HTTP codes, and the google.rpc.Status that carries a refusal.

The gRPC -> HTTP column is the one in the comments of google/rpc/code.proto.
"""

from google.protobuf.any_pb2 import Any as AnyProto
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from mesh.errors import InvalidArgument, Kind, Refusal

CODES: dict[Kind, int] = {
    Kind.INVALID_ARGUMENT: code_pb2.INVALID_ARGUMENT,
    Kind.UNAUTHENTICATED: code_pb2.UNAUTHENTICATED,
    Kind.PERMISSION_DENIED: code_pb2.PERMISSION_DENIED,
    Kind.NOT_FOUND: code_pb2.NOT_FOUND,
    Kind.ALREADY_EXISTS: code_pb2.ALREADY_EXISTS,
    Kind.FAILED_PRECONDITION: code_pb2.FAILED_PRECONDITION,
    Kind.ABORTED: code_pb2.ABORTED,
    Kind.RESOURCE_EXHAUSTED: code_pb2.RESOURCE_EXHAUSTED,
    Kind.UNAVAILABLE: code_pb2.UNAVAILABLE,
}

HTTP_STATUS: dict[int, int] = {
    code_pb2.OK: 200,
    code_pb2.CANCELLED: 499,
    code_pb2.UNKNOWN: 500,
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.DEADLINE_EXCEEDED: 504,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.UNAUTHENTICATED: 401,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.FAILED_PRECONDITION: 400,
    code_pb2.ABORTED: 409,
    code_pb2.OUT_OF_RANGE: 400,
    code_pb2.UNIMPLEMENTED: 501,
    code_pb2.INTERNAL: 500,
    code_pb2.UNAVAILABLE: 503,
    code_pb2.DATA_LOSS: 500,
}


def status_of(refusal: Refusal) -> Status:
    """The wire form of a refusal: ErrorInfo always, BadRequest and RetryInfo where they apply (AIP-193)."""
    details = [ErrorInfo(reason=refusal.reason, domain=refusal.domain, metadata=refusal.metadata)]
    return Status(
        code=CODES[refusal.kind],
        message=refusal.message,
        details=[_packed(detail) for detail in (*details, *_field_violations(refusal), *_retry_info(refusal))],
    )


def reason_of(status: Status) -> str:
    """The machine-readable reason of an error, or the name of its code when it carries none."""
    info = ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return info.reason
    return code_pb2.Code.Name(status.code)


def refusal_of(status: Status) -> Refusal | None:
    """The refusal that a status carries, with its reason, fields, metadata and delay; None if it is no refusal."""
    kind = next((kind for kind, code in CODES.items() if code == status.code), None)
    if kind is None:
        return None
    refusal = next(cls for cls in Refusal.__subclasses__() if cls.kind is kind)(status.message)
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    for detail in status.details:
        if detail.Unpack(info):
            refusal.reason, refusal.domain, refusal.metadata = info.reason, info.domain, dict(info.metadata)
        elif detail.Unpack(bad):
            _take_violations(refusal, {violation.field: violation.description for violation in bad.field_violations})
        elif detail.Unpack(retry):
            refusal.retry_after = retry.retry_delay.ToNanoseconds() / 1e9
    return refusal


def _take_violations(refusal: Refusal, violations: dict[str, str]) -> None:
    refusal.field = next(iter(violations), None)
    if isinstance(refusal, InvalidArgument):
        refusal.violations = violations


def _field_violations(refusal: Refusal) -> list[BadRequest]:
    fields = {refusal.field: refusal.message} if refusal.field else {}
    if isinstance(refusal, InvalidArgument):
        fields = refusal.violations
    violations = [BadRequest.FieldViolation(field=path, description=text) for path, text in fields.items()]
    return [BadRequest(field_violations=violations)] if violations else []


def _retry_info(refusal: Refusal) -> list[RetryInfo]:
    if refusal.retry_after is None:
        return []
    delay = Duration()
    delay.FromNanoseconds(int(refusal.retry_after * 1e9))
    return [RetryInfo(retry_delay=delay)]


def _packed(message: ErrorInfo | BadRequest | RetryInfo) -> AnyProto:
    result = AnyProto()
    result.Pack(message)
    return result
