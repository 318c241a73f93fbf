"""What tickets is about. Pure: no I/O, no clock, no framework.

states.py    where tickets stand, and who may move them
ticket.py    what authors and agents may make of a ticket
comment.py   what is said about it
history.py   what happened to it
"""

from tickets.domain.comment import Comment, Role, new_comment
from tickets.domain.history import TOLD, Change, FieldChange, Kind, change_of, edit_of
from tickets.domain.states import STEPS, TRANSITIONS, Exit, Move, Party, Status
from tickets.domain.ticket import Caller, Draft, Priority, Ticket, is_tag, is_user_id, new_ticket

__all__ = [
    "STEPS",
    "TOLD",
    "TRANSITIONS",
    "Caller",
    "Change",
    "Comment",
    "Draft",
    "Exit",
    "FieldChange",
    "Kind",
    "Move",
    "Party",
    "Priority",
    "Role",
    "Status",
    "Ticket",
    "change_of",
    "edit_of",
    "is_tag",
    "is_user_id",
    "new_comment",
    "new_ticket",
]
