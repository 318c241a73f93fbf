"""Every refusal that a caller of line_provider can receive.

NotFound
└── EventNotFound
InvalidArgument
├── TitleInvalid
├── DeadlineInvalid
└── UpdateMaskInvalid   the mesh's own
FailedPrecondition
├── EventFinished
└── DeadlinePassed
Aborted
└── EtagMismatch     the mesh's own
"""

from mesh.errors import EtagMismatch, FailedPrecondition, InvalidArgument, NotFound, UpdateMaskInvalid

__all__ = [
    "DeadlineInvalid",
    "DeadlinePassed",
    "EtagMismatch",
    "EventFinished",
    "EventNotFound",
    "TitleInvalid",
    "UpdateMaskInvalid",
]


class EventNotFound(NotFound):
    """There is no such event."""

    reason = "EVENT_NOT_FOUND"


class TitleInvalid(InvalidArgument):
    """An event's title has 1 to 200 characters that are not all blank, and no control characters."""

    reason = "TITLE_INVALID"


class DeadlineInvalid(InvalidArgument):
    """An event's deadline is a time in the future."""

    reason = "DEADLINE_INVALID"


class EventFinished(FailedPrecondition):
    """The event is finished."""

    reason = "EVENT_FINISHED"


class DeadlinePassed(FailedPrecondition):
    """The event's deadline has passed."""

    reason = "DEADLINE_PASSED"
