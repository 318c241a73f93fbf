"""Every refusal that a caller of tickets can receive.

NotFound
├── TicketNotFound          or somebody else's
└── CommentNotFound
InvalidArgument
├── SubjectInvalid
├── TextInvalid
├── TagInvalid
├── UserIdInvalid
├── QueryInvalid
└── UpdateMaskInvalid       the mesh's own
PermissionDenied
├── NotYourTickets
├── NotYourText             an agent sees it, and may not change it
├── NotYourComment          everybody on the ticket sees it, and may not change it
└── AgentsOnly
FailedPrecondition
├── TransitionNotAllowed    its metadata says which are
└── TicketClosed
Aborted
├── TicketChanged
└── EtagMismatch            the mesh's own
"""

from mesh.errors import (
    Aborted,
    EtagMismatch,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    UpdateMaskInvalid,
)

__all__ = [
    "AgentsOnly",
    "CommentNotFound",
    "EtagMismatch",
    "NotYourComment",
    "NotYourText",
    "NotYourTickets",
    "QueryInvalid",
    "SubjectInvalid",
    "TagInvalid",
    "TextInvalid",
    "TicketChanged",
    "TicketClosed",
    "TicketNotFound",
    "TransitionNotAllowed",
    "UpdateMaskInvalid",
    "UserIdInvalid",
]


class TicketNotFound(NotFound):
    """There is no such ticket of yours."""

    reason = "TICKET_NOT_FOUND"


class CommentNotFound(NotFound):
    """The ticket has no such comment."""

    reason = "COMMENT_NOT_FOUND"


class SubjectInvalid(InvalidArgument):
    """A subject is one line of 1 to 200 characters that are not all blank, without control characters."""

    reason = "SUBJECT_INVALID"


class TextInvalid(InvalidArgument):
    """A text has 1 to 20,000 characters that are not all blank; of control characters, only line ends and tabs."""

    reason = "TEXT_INVALID"


class TagInvalid(InvalidArgument):
    """A tag is a word of 1 to 50 characters, without control characters; a ticket has at most 20."""

    reason = "TAG_INVALID"


class UserIdInvalid(InvalidArgument):
    """No user has such an id."""

    reason = "USER_ID_INVALID"


class QueryInvalid(InvalidArgument):
    """What to look for has 1 to 200 characters that are not all blank, and no control characters."""

    reason = "QUERY_INVALID"


class NotYourTickets(PermissionDenied):
    """Only an agent may list other users' tickets."""

    reason = "NOT_YOUR_TICKETS"


class NotYourText(PermissionDenied):
    """Only its author may change what a ticket says."""

    reason = "NOT_YOUR_TEXT"


class NotYourComment(PermissionDenied):
    """Only its author may change a comment."""

    reason = "NOT_YOUR_COMMENT"


class AgentsOnly(PermissionDenied):
    """Only an agent may say this of a ticket."""

    reason = "AGENTS_ONLY"


class TransitionNotAllowed(FailedPrecondition):
    """The ticket cannot be moved there from where it stands."""

    reason = "TRANSITION_NOT_ALLOWED"


class TicketClosed(FailedPrecondition):
    """The ticket is closed: nothing changes any more."""

    reason = "TICKET_CLOSED"


class TicketChanged(Aborted):
    """Somebody else has changed the ticket meanwhile; try again."""

    reason = "TICKET_CHANGED"
