"""Tickets: what their authors and agents may make of them. A change returns a new ticket, one version higher."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

from mesh.etags import etag_of, expect_edit
from mesh.texts import is_line, is_prose, is_word
from tickets.domain.states import TRANSITIONS, Exit, Move, Party, Status
from tickets.errors import (
    AgentsOnly,
    NotYourText,
    SubjectInvalid,
    TagInvalid,
    TextInvalid,
    TicketClosed,
    TicketNotFound,
    TransitionNotAllowed,
    UserIdInvalid,
)

SUBJECT_LENGTH = 200
TEXT_LENGTH = 20_000
TAG_LENGTH = 50
MOST_TAGS = 20
USER_ID_LENGTH = 200


class Priority(Enum):
    """How urgent a ticket is."""

    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"
    URGENT = "URGENT"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks: a user, and whether as one who supports others."""

    user_id: str
    is_agent: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody writes of a ticket; None says nothing."""

    subject: str | None = None
    text: str | None = None
    priority: Priority | None = None
    tags: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A customer's question, and what became of it. `version` rises with every change of the ticket or its comments,
    `edit` with those of the ticket itself: with everything but a comment that moves nothing."""

    ticket_id: UUID
    subject: str
    text: str
    author_id: str
    create_time: datetime
    update_time: datetime
    status: Status = Status.OPEN
    priority: Priority = Priority.NORMAL
    tags: tuple[str, ...] = ()
    assignee_id: str | None = None
    comment_count: int = 0
    close_time: datetime | None = None
    edit: int = 1
    version: int = 1

    @property
    def etag(self) -> str:
        """`<edit>.<version>`: only the first part is compared, so that comments do not disturb an agent's edit."""
        return etag_of(self.edit, self.version)

    def expect(self, etag: str) -> None:
        """Raises EtagMismatch when the ticket itself was changed since `etag` was read; an empty etag expects
        nothing."""
        expect_edit(etag, self.edit)

    def expect_sight(self, caller: Caller, *, field: str) -> None:
        """Raises TicketNotFound for a ticket that is not the caller's to see. `field` names it in the request."""
        if not self.parties(caller):
            raise TicketNotFound(field=field)

    def parties(self, caller: Caller) -> frozenset[Party]:
        """What the caller is to the ticket: nothing at all, where it is not theirs to see."""
        author = {Party.AUTHOR} if caller.user_id == self.author_id else set[Party]()
        return frozenset(author | ({Party.AGENT} if caller.is_agent else set()))

    def exits(self, caller: Caller) -> dict[Move, Exit]:
        """The moves that the caller may make from here."""
        parties = self.parties(caller)
        return {move: way for move, way in TRANSITIONS[self.status].items() if way.by & parties}

    def allowed(self, caller: Caller) -> tuple[Status, ...]:
        """Where the caller may move it from here."""
        return tuple(way.to for way in self.exits(caller).values())

    def moved(self, move: Move, caller: Caller, now: datetime) -> "Ticket":
        """The ticket where the move leads. Raises TransitionNotAllowed, which says which moves are."""
        way = self.exits(caller).get(move)
        if way is None:
            allowed = ",".join(status.name for status in self.allowed(caller))
            raise TransitionNotAllowed(
                field="ticket_id", metadata={"status": self.status.name, "allowed_transitions": allowed}
            )
        edited = self._edited(now)
        return replace(edited, status=way.to, close_time=None if TRANSITIONS[way.to] else edited.update_time)

    def answered(self, caller: Caller, now: datetime) -> "Ticket":
        """The ticket with one comment more, which answers it. Raises TransitionNotAllowed."""
        return replace(self.moved(Move.ANSWER, caller, now), comment_count=self.comment_count + 1)

    def assigned(self, assignee_id: str | None, now: datetime) -> "Ticket":
        """The ticket in the hands of an agent, or of nobody; itself when it is there already.

        Raises TicketClosed, UserIdInvalid.
        """
        self.expect_open(field="ticket_id")
        if assignee_id is not None and not is_user_id(assignee_id):
            raise UserIdInvalid(field="assignee_id")
        return self if assignee_id == self.assignee_id else replace(self._edited(now), assignee_id=assignee_id)

    def edited(self, draft: Draft, caller: Caller, now: datetime) -> "Ticket":
        """The ticket as the draft says; itself when that changes nothing. Only what changes needs a right.

        Raises TicketClosed, SubjectInvalid, TextInvalid, TagInvalid, NotYourText, AgentsOnly.
        """
        self.expect_open(field="ticket.ticket_id")
        changed = _written(self, draft)
        parties = self.parties(caller)
        for name in ("subject", "text"):
            if getattr(changed, name) != getattr(self, name) and Party.AUTHOR not in parties:
                raise NotYourText(field=f"ticket.{name}")
        _expect_agent(self, changed, caller)
        return self if changed == self else changed._edited(now)

    def commented(self, caller: Caller, now: datetime) -> "Ticket":
        """The ticket with one comment more. Its author's comment moves one that was answered. Raises TicketClosed."""
        self.expect_open(field="ticket_id")
        is_reply = self.status is Status.ANSWERED and Party.AUTHOR in self.parties(caller)
        after = self.moved(Move.AWAIT_REPLY, caller, now) if is_reply else self.later(now)
        return replace(after, comment_count=self.comment_count + 1)

    def later(self, now: datetime) -> "Ticket":
        """The ticket one version later, with nothing of its own changed: one of its comments has."""
        return replace(self, version=self.version + 1, update_time=max(now, self.update_time))

    def expect_open(self, *, field: str) -> None:
        """Raises TicketClosed where nothing changes any more. `field` names the ticket in the request."""
        if not TRANSITIONS[self.status]:
            raise TicketClosed(field=field)

    def _edited(self, now: datetime) -> "Ticket":
        return replace(self.later(now), edit=self.edit + 1)


def new_ticket(ticket_id: UUID, draft: Draft, caller: Caller, now: datetime) -> Ticket:
    """A ticket of the caller's. Raises SubjectInvalid, TextInvalid, TagInvalid, AgentsOnly."""
    blank = Ticket(ticket_id, "", "", caller.user_id, create_time=now, update_time=now)
    ticket = _written(blank, replace(draft, subject=draft.subject or "", text=draft.text or ""))
    _expect_agent(blank, ticket, caller)
    return ticket


def valid_text(text: str, *, field: str) -> str:
    """What is said of or about a ticket. Raises TextInvalid."""
    if not is_prose(text, TEXT_LENGTH):
        raise TextInvalid(field=field)
    return text


def is_user_id(text: str) -> bool:
    """Whether it may be the id of a user. Who there is, only tokens know."""
    return is_line(text, USER_ID_LENGTH)


def is_tag(text: str) -> bool:
    """Whether it may be a tag."""
    return is_word(text, TAG_LENGTH)


def _written(ticket: Ticket, draft: Draft) -> Ticket:
    """The ticket as the draft says, of the same version."""
    return replace(
        ticket,
        subject=ticket.subject if draft.subject is None else _valid_subject(draft.subject),
        text=ticket.text if draft.text is None else valid_text(draft.text, field="ticket.text"),
        priority=ticket.priority if draft.priority is None else draft.priority,
        tags=ticket.tags if draft.tags is None else _valid_tags(draft.tags),
    )


def _expect_agent(before: Ticket, after: Ticket, caller: Caller) -> None:
    for name in ("priority", "tags"):
        if getattr(after, name) != getattr(before, name) and not caller.is_agent:
            raise AgentsOnly(field=f"ticket.{name}")


def _valid_subject(subject: str) -> str:
    if not is_line(subject, SUBJECT_LENGTH):
        raise SubjectInvalid(field="ticket.subject")
    return subject


def _valid_tags(tags: Sequence[str]) -> tuple[str, ...]:
    for number, tag in enumerate(tags):
        if not is_tag(tag):
            raise TagInvalid(field=f"ticket.tags[{number}]")
    if len(tags) > MOST_TAGS:
        raise TagInvalid(field="ticket.tags")
    return tuple(sorted(set(tags)))
