"""Errors as clients see them: AIP-193 JSON, the HTTP status of google/rpc/code.proto, and the headers that go with it.

    RequestRefused           the gateway itself refuses a request
    ├── InvalidRequest       400
    ├── OriginRefused        403
    ├── NoRoute              404
    ├── MethodNotAllowed     405
    ├── RequestTimeout       408
    ├── BodyTooLarge         413
    ├── TargetTooLong        414
    ├── UnsupportedMediaType 415
    ├── UpgradeRequired      426
    ├── HeadTooLarge         431
    ├── UnreadableAnswer     500
    ├── NotImplementedHere   501
    ├── NoContract           503
    ├── TooManyConnections   503
    └── VersionNotSupported  505

Everything else comes from the service, as google.rpc.Status in `grpc-status-details-bin`. Texts that gRPC libraries
make up (addresses of a failed connection, the text of an uncaught exception) never reach a client.
"""

import base64
import json
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

import grpc
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as AnyProto
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from mesh.codec import Codec
from mesh.status import HTTP_STATUS

DOMAIN = "gateway"
CANCELLED = 499
DEFAULT_RETRY_SECONDS = 1
Headers = list[tuple[bytes, bytes]]

_DETAILS_KEY = "grpc-status-details-bin"
_RETRYABLE = frozenset({code_pb2.UNAVAILABLE, code_pb2.RESOURCE_EXHAUSTED})
_UNTYPED_MESSAGES: dict[int, str] = {
    code_pb2.UNAVAILABLE: "The service does not answer; try again.",
    code_pb2.DEADLINE_EXCEEDED: "The call did not end within its deadline.",
    code_pb2.UNKNOWN: "The service failed.",
    code_pb2.UNIMPLEMENTED: "The service does not have this rpc.",
}


class RequestRefused(Exception):
    """The request cannot be served."""

    http_status: ClassVar[int] = 400
    code: ClassVar[int] = code_pb2.INVALID_ARGUMENT

    def __init__(
        self,
        message: str | None = None,
        *,
        reason: str,
        field: str | tuple[str, ...] = (),
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        """Takes a sentence (default: the docstring), a constant for machines, and the field, parameter or header at
        fault as the client wrote it, or the two that contradict each other."""
        super().__init__(message or (self.__doc__ or ""))
        self.reason = reason
        self.fields = tuple(filter(None, (field,) if isinstance(field, str) else field))
        self.headers = headers

    def at(self, place: str) -> "RequestRefused":
        """The same refusal of one message among many."""
        return type(self)(f"{place}: {self}", reason=self.reason, field=self.fields, headers=self.headers)


class InvalidRequest(RequestRefused):
    """The request is not valid."""


class OriginRefused(RequestRefused):
    """Pages of this origin may not do this."""

    http_status = 403
    code = code_pb2.PERMISSION_DENIED


class NoRoute(RequestRefused):
    """There is nothing at this path."""

    http_status = 404
    code = code_pb2.NOT_FOUND


class MethodNotAllowed(RequestRefused):
    """This path does not have this method."""

    http_status = 405
    code = code_pb2.UNIMPLEMENTED


class BodyTooLarge(RequestRefused):
    """The body is too large."""

    http_status = 413


class UnsupportedMediaType(RequestRefused):
    """The body must be application/json."""

    http_status = 415


class RequestTimeout(RequestRefused):
    """The request came too slowly."""

    http_status = 408
    code = code_pb2.DEADLINE_EXCEEDED


class TargetTooLong(RequestRefused):
    """The path and the query are too long."""

    http_status = 414


class UpgradeRequired(RequestRefused):
    """This WebSocket version is not served."""

    http_status = 426


class HeadTooLarge(RequestRefused):
    """The headers are too large."""

    http_status = 431


class UnreadableAnswer(RequestRefused):
    """The service's answer has no JSON form."""

    http_status = 500
    code = code_pb2.INTERNAL


class NotImplementedHere(RequestRefused):
    """The body has a transfer coding that is not served."""

    http_status = 501
    code = code_pb2.UNIMPLEMENTED


class TooManyConnections(RequestRefused):
    """The gateway has no place for another connection; try again."""

    http_status = 503
    code = code_pb2.UNAVAILABLE


class NoContract(RequestRefused):
    """What is at this path is not known yet; try again."""

    http_status = 503
    code = code_pb2.UNAVAILABLE


class VersionNotSupported(RequestRefused):
    """Only HTTP/1.1 and HTTP/1.0 are served here."""

    http_status = 505
    code = code_pb2.UNIMPLEMENTED


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """An error, rendered. `code` is the name of a google.rpc.Code, for logs and metrics."""

    http_status: int
    code: str
    headers: Headers
    body: bytes


def reply_to_refusal(refusal: RequestRefused) -> ErrorReply:
    """The reply to a request that the gateway refuses."""
    details = [_packed(ErrorInfo(reason=refusal.reason, domain=DOMAIN))]
    if refusal.fields:
        violations = [BadRequest.FieldViolation(field=field, description=str(refusal)) for field in refusal.fields]
        details.append(_packed(BadRequest(field_violations=violations)))
    status = Status(code=refusal.code, message=str(refusal), details=details)
    return _reply(status, refusal.http_status, [*refusal.headers])


def reply_to_rpc_error(error: grpc.aio.AioRpcError, codec: Codec, *, token_sent: bool = False) -> ErrorReply:
    """The reply to a failed call, whose details may be of the contract's types. `token_sent` decides what
    WWW-Authenticate says about a 401."""
    status = status_of_rpc_error(error)
    http_status = HTTP_STATUS.get(status.code, 500)
    headers: Headers = []
    if http_status == 401:
        headers.append((b"www-authenticate", b'Bearer error="invalid_token"' if token_sent else b"Bearer"))
    if (seconds := _retry_after(status)) is not None:
        headers.append((b"retry-after", b"%d" % seconds))
    return _reply(status, http_status, headers, codec)


def reply_to_bug() -> ErrorReply:
    """The reply when the gateway itself fails; what failed is in the log."""
    details = [_packed(ErrorInfo(reason="INTERNAL", domain=DOMAIN))]
    return _reply(Status(code=code_pb2.INTERNAL, message="The gateway failed.", details=details), 500, [])


def reply_to_draining() -> ErrorReply:
    """The end of a stream when the gateway stops, or its contract is no more: the client should come back, and will
    find another gateway or contract."""
    details = [_packed(ErrorInfo(reason="DRAINING", domain=DOMAIN))]
    message = "The gateway ends this stream; come again."
    return _reply(Status(code=code_pb2.UNAVAILABLE, message=message, details=details), 503, [])


def status_of_rpc_error(error: grpc.aio.AioRpcError) -> Status:
    """The typed status that the service sent, or one made of the code when it sent none."""
    code = int(error.code().value[0])
    for key, value in error.trailing_metadata():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            return Status.FromString(value)
    message = _UNTYPED_MESSAGES.get(code) or error.details() or ""
    details = [_packed(ErrorInfo(reason=code_pb2.Code.Name(code), domain=DOMAIN))]
    return Status(code=code, message=message, details=details)


def _retry_after(status: Status) -> int | None:
    info = RetryInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return max(1, math.ceil(info.retry_delay.ToNanoseconds() / 1e9))
    return DEFAULT_RETRY_SECONDS if status.code in _RETRYABLE else None


def _reply(status: Status, http_status: int, headers: Headers, codec: Codec | None = None) -> ErrorReply:
    code = code_pb2.Code.Name(status.code) if status.code in HTTP_STATUS else "UNKNOWN"
    details = [_json_of(detail, codec) for detail in status.details]
    error = {"code": http_status, "status": code, "message": status.message, "details": details}
    return ErrorReply(http_status, code, headers, json.dumps({"error": error}, ensure_ascii=False).encode())


def _json_of(detail: AnyProto, codec: Codec | None) -> dict[str, object]:
    """A detail of a type that neither this process nor the contract knows, or whose bytes are not of it, is kept as
    bytes."""
    with suppress(TypeError, ValueError):
        return json_format.MessageToDict(detail)
    with suppress(ValueError):
        if codec is not None:
            return json.loads(codec.encode_json("google.protobuf.Any", detail.SerializeToString()))
    return {"@type": detail.type_url, "value": base64.b64encode(detail.value).decode()}


def _packed(message: ErrorInfo | BadRequest) -> AnyProto:
    result = AnyProto()
    result.Pack(message)
    return result
