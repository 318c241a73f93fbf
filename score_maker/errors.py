"""Every refusal that a caller of score_maker can receive.

NotFound
├── EventNotFound
└── ScoreNotFound           or somebody else's
InvalidArgument
└── UserIdInvalid
PermissionDenied
├── NotYourScore            a manager sees it, and may not change it
└── NotYourScores
FailedPrecondition
├── EventFinished
├── DeadlinePassed
└── NothingToWithdraw
Aborted
├── ScorePending
└── EtagMismatch            the mesh's own
Unavailable
└── EventsUnavailable
"""

from mesh.errors import (
    Aborted,
    EtagMismatch,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
)

__all__ = [
    "DeadlinePassed",
    "EtagMismatch",
    "EventFinished",
    "EventNotFound",
    "EventsUnavailable",
    "NotYourScore",
    "NotYourScores",
    "NothingToWithdraw",
    "ScoreNotFound",
    "ScorePending",
    "UserIdInvalid",
]


class EventNotFound(NotFound):
    """There is no such event."""

    reason = "EVENT_NOT_FOUND"


class ScoreNotFound(NotFound):
    """There is no such score of yours."""

    reason = "SCORE_NOT_FOUND"


class UserIdInvalid(InvalidArgument):
    """No user has such an id."""

    reason = "USER_ID_INVALID"


class NotYourScore(PermissionDenied):
    """Only its user may change a score."""

    reason = "NOT_YOUR_SCORE"


class NotYourScores(PermissionDenied):
    """Only a manager may list other users' scores."""

    reason = "NOT_YOUR_SCORES"


class EventFinished(FailedPrecondition):
    """The event is finished."""

    reason = "EVENT_FINISHED"


class DeadlinePassed(FailedPrecondition):
    """The event's deadline has passed."""

    reason = "DEADLINE_PASSED"


class NothingToWithdraw(FailedPrecondition):
    """The score was refused, so it is not counted."""

    reason = "NOTHING_TO_WITHDRAW"


class ScorePending(Aborted):
    """A change of this score is under way; try again when it has settled."""

    reason = "SCORE_PENDING"


class EventsUnavailable(Unavailable):
    """The event cannot be looked up now; try later."""

    reason = "EVENTS_UNAVAILABLE"
