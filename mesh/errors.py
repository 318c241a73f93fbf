"""What a caller may be told when a call is refused. No transport code here: mesh/status.py maps kinds to codes.

Refusal
├── InvalidArgument      the request itself is wrong
│   ├── RequestIdReused  a request_id came back with another body
│   └── UpdateMaskInvalid   an update_mask names what is no field
├── Unauthenticated      no valid token
├── PermissionDenied     a valid token that is not enough
├── NotFound             no such thing, or not the caller's to see
├── AlreadyExists        such a thing is there already
├── FailedPrecondition   the state of the thing forbids it
├── Aborted              somebody else is changing it; try again
│   └── EtagMismatch     the caller's copy is old
├── ResourceExhausted    too much at once; try later
└── Unavailable          something behind this service does not answer
"""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import ClassVar


class Kind(Enum):
    """The classes of refusal that callers distinguish."""

    INVALID_ARGUMENT = auto()
    UNAUTHENTICATED = auto()
    PERMISSION_DENIED = auto()
    NOT_FOUND = auto()
    ALREADY_EXISTS = auto()
    FAILED_PRECONDITION = auto()
    ABORTED = auto()
    RESOURCE_EXHAUSTED = auto()
    UNAVAILABLE = auto()


class Refusal(Exception):
    """The request is refused."""

    kind: ClassVar[Kind] = Kind.FAILED_PRECONDITION
    reason: str = "REFUSED"  # not a ClassVar: a refusal read from the wire has its own
    domain: str = "sagamesh"

    def __init__(
        self,
        message: str | None = None,
        *,
        field: str | None = None,
        metadata: Mapping[str, str] = MappingProxyType({}),
        retry_after: float | None = None,
    ) -> None:
        """Takes a sentence for the caller (default: the class docstring's first line), the path of the field at
        fault in proto names (`event.title`), facts for machines, and seconds after which a retry makes sense."""
        super().__init__(message or (self.__doc__ or "").strip().splitlines()[0])
        self.field = field
        self.metadata = dict(metadata)
        self.retry_after = retry_after

    @property
    def message(self) -> str:
        """The sentence for the caller."""
        return str(self.args[0])


class InvalidArgument(Refusal):
    """The request is not valid."""

    kind = Kind.INVALID_ARGUMENT
    reason = "INVALID_ARGUMENT"

    def __init__(
        self,
        message: str | None = None,
        *,
        field: str | None = None,
        violations: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Takes one field at fault, or `violations`: field path -> what is wrong with it."""
        super().__init__(message, field=field)
        self.violations = dict(violations) or ({field: self.message} if field else {})


class RequestIdReused(InvalidArgument):
    """This request_id was used before with another request."""

    reason = "REQUEST_ID_REUSED"


class UpdateMaskInvalid(InvalidArgument):
    """The update_mask names a field that there is not."""

    reason = "UPDATE_MASK_INVALID"


class Unauthenticated(Refusal):
    """A valid bearer token is required."""

    kind = Kind.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"


class PermissionDenied(Refusal):
    """The caller may not do this."""

    kind = Kind.PERMISSION_DENIED
    reason = "PERMISSION_DENIED"


class NotFound(Refusal):
    """There is no such thing."""

    kind = Kind.NOT_FOUND
    reason = "NOT_FOUND"


class AlreadyExists(Refusal):
    """Such a thing exists already."""

    kind = Kind.ALREADY_EXISTS
    reason = "ALREADY_EXISTS"


class FailedPrecondition(Refusal):
    """The present state forbids this."""

    kind = Kind.FAILED_PRECONDITION
    reason = "FAILED_PRECONDITION"


class Aborted(Refusal):
    """Somebody else is changing this; try again."""

    kind = Kind.ABORTED
    reason = "ABORTED"


class EtagMismatch(Aborted):
    """The resource has changed since the etag was read."""

    reason = "ETAG_MISMATCH"


class ResourceExhausted(Refusal):
    """Too much at once; try later."""

    kind = Kind.RESOURCE_EXHAUSTED
    reason = "RESOURCE_EXHAUSTED"


class Unavailable(Refusal):
    """A service behind this one does not answer; try later."""

    kind = Kind.UNAVAILABLE
    reason = "UNAVAILABLE"
