"""What happened to a ticket. A change is made of the ticket before and after, so that it cannot tell another story."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from tickets.domain.comment import Comment
from tickets.domain.ticket import Caller, Ticket

TOLD = ("subject", "text", "status", "priority", "tags", "assignee_id")
"""The fields of a ticket whose changes are told. The others follow from the change itself."""


class Kind(Enum):
    """What happened."""

    CREATED = "CREATED"
    MOVED = "MOVED"
    ASSIGNED = "ASSIGNED"
    EDITED = "EDITED"
    COMMENTED = "COMMENTED"
    COMMENT_EDITED = "COMMENT_EDITED"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field's old and new value, as JSON would show them; empty for none."""

    field: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """What made a version of a ticket."""

    ticket_id: UUID
    version: int
    kind: Kind
    actor_id: str
    time: datetime
    fields: tuple[FieldChange, ...] = ()
    comment_id: UUID | None = None


def change_of(
    before: Ticket | None, after: Ticket, kind: Kind, caller: Caller, comment: Comment | None = None
) -> Change:
    """The change that the caller made of a ticket, which was not there at all when `before` is None."""
    pairs = ((name, _shown(before, name), _shown(after, name)) for name in TOLD)
    fields = tuple(FieldChange(name, old, new) for name, old, new in pairs if old != new)
    comment_id = None if comment is None else comment.comment_id
    return Change(after.ticket_id, after.version, kind, caller.user_id, after.update_time, fields, comment_id)


def edit_of(ticket: Ticket, before: Comment, after: Comment, caller: Caller) -> Change:
    """The change that rewrote a comment; `ticket` is the one that it made."""
    told = (FieldChange("comment.text", before.text, after.text),)
    kind, time = Kind.COMMENT_EDITED, ticket.update_time
    return Change(ticket.ticket_id, ticket.version, kind, caller.user_id, time, told, after.comment_id)


def _shown(ticket: Ticket | None, name: str) -> str:
    value = getattr(ticket, name, None)
    if not value:
        return ""
    if isinstance(value, Enum):
        return value.name
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
