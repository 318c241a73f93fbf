"""What is said about a ticket. Whether it may be said is the ticket's business."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

from tickets.domain.ticket import Caller, Ticket, valid_text
from tickets.errors import EtagMismatch, NotYourComment

# Not after a word: that is an address. A full stop or dash at the end is the sentence's.
_MENTION = re.compile(r"(?<![\w.@-])@(\w(?:[\w.-]*\w)?)")


class Role(Enum):
    """As whom somebody speaks."""

    CUSTOMER = "CUSTOMER"
    AGENT = "AGENT"


@dataclass(frozen=True, slots=True)
class Comment:
    """Something said about a ticket. `number` is its place among the ticket's: 1, 2, 3 ..."""

    comment_id: UUID
    ticket_id: UUID
    number: int
    author_id: str
    author_role: Role
    text: str
    create_time: datetime
    update_time: datetime
    edit: int = 1

    @property
    def etag(self) -> str:
        """The version tag."""
        return str(self.edit)

    @property
    def mentions(self) -> tuple[str, ...]:
        """The users whom the text names as `@user`, each once, in the order in which they come first."""
        return tuple(dict.fromkeys(_MENTION.findall(self.text)))

    def expect(self, etag: str) -> None:
        """Raises EtagMismatch when the comment has changed since `etag` was read; an empty etag expects nothing."""
        if etag and etag != self.etag:
            raise EtagMismatch(field="etag")

    def rewritten(self, text: str | None, caller: Caller, now: datetime) -> "Comment":
        """The comment with another text; itself when that is the same, or None. Raises NotYourComment, TextInvalid."""
        if caller.user_id != self.author_id:
            raise NotYourComment(field="comment.comment_id")
        if text is None or valid_text(text, field="comment.text") == self.text:
            return self
        return replace(self, text=text, edit=self.edit + 1, update_time=max(now, self.update_time))


def new_comment(comment_id: UUID, ticket: Ticket, text: str, caller: Caller, *, field: str) -> Comment:
    """The newest comment of a ticket that counts it already, said by the caller. `field` names the text in the
    request. Raises TextInvalid."""
    return Comment(
        comment_id=comment_id,
        ticket_id=ticket.ticket_id,
        number=ticket.comment_count,
        author_id=caller.user_id,
        author_role=Role.AGENT if caller.is_agent else Role.CUSTOMER,
        text=valid_text(text, field=field),
        create_time=ticket.update_time,
        update_time=ticket.update_time,
    )
