"""What tickets does: one function per writing rpc, each one transaction.

No SQL, no transport, no clock here: ports and `now` come from the caller. Whatever changes of a ticket or its comments
changes under the ticket's lock, and is written with the change that tells of it.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from mesh.identifiers import new_id
from tickets.domain import (
    Caller,
    Comment,
    Draft,
    Kind,
    Move,
    Ticket,
    change_of,
    edit_of,
    new_comment,
    new_ticket,
)
from tickets.errors import CommentNotFound, TicketNotFound
from tickets.ports import Tickets, Work


async def create_ticket(work: Work, draft: Draft, caller: Caller, now: datetime) -> Ticket:
    """Opens a ticket. Raises SubjectInvalid, TextInvalid, TagInvalid, AgentsOnly."""
    ticket = new_ticket(new_id(), draft, caller, now)
    async with work:
        await work.tickets.add(ticket, change_of(None, ticket, Kind.CREATED, caller))
        await work.commit(ticket)
    return ticket


async def update_ticket(
    work: Work, ticket_id: UUID, draft: Draft, caller: Caller, *, etag: str, now: datetime
) -> Ticket:
    """Changes what the draft says.

    Raises TicketNotFound, EtagMismatch, TicketClosed, SubjectInvalid, TextInvalid, TagInvalid, NotYourText, AgentsOnly,
    TicketChanged.
    """

    def edited(ticket: Ticket) -> Ticket:
        return ticket.edited(draft, caller, now)

    return await _change(work, ticket_id, edited, Kind.EDITED, caller, etag, field="ticket.ticket_id")


async def move_ticket(work: Work, ticket_id: UUID, move: Move, caller: Caller, *, etag: str, now: datetime) -> Ticket:
    """Moves a ticket without a word. Raises TicketNotFound, EtagMismatch, TransitionNotAllowed, TicketChanged."""

    def moved(ticket: Ticket) -> Ticket:
        return ticket.moved(move, caller, now)

    return await _change(work, ticket_id, moved, Kind.MOVED, caller, etag, field="ticket_id")


async def assign_ticket(
    work: Work, ticket_id: UUID, assignee_id: str | None, caller: Caller, *, etag: str, now: datetime
) -> Ticket:
    """Gives a ticket to an agent, or to nobody.

    Raises TicketNotFound, EtagMismatch, TicketClosed, UserIdInvalid, TicketChanged.
    """

    def assigned(ticket: Ticket) -> Ticket:
        return ticket.assigned(assignee_id, now)

    return await _change(work, ticket_id, assigned, Kind.ASSIGNED, caller, etag, field="ticket_id")


async def answer_ticket(work: Work, ticket_id: UUID, text: str, caller: Caller, *, etag: str, now: datetime) -> Ticket:
    """Answers a ticket: the comment and the move are one change.

    Raises TicketNotFound, EtagMismatch, TransitionNotAllowed, TextInvalid, TicketChanged.
    """
    async with work:
        ticket = await _locked(work.tickets, ticket_id, caller, field="ticket_id")
        ticket.expect(etag)
        answered = ticket.answered(caller, now)
        comment = new_comment(new_id(), answered, text, caller, field="text")
        await work.tickets.save(ticket, answered, change_of(ticket, answered, Kind.MOVED, caller, comment))
        await work.comments.add(comment)
        await work.commit(answered)
    return answered


async def create_comment(work: Work, ticket_id: UUID, text: str, caller: Caller, now: datetime) -> Comment:
    """Comments on a ticket; its author's comment moves one that was answered.

    Raises TicketNotFound, TicketClosed, TextInvalid, TicketChanged.
    """
    async with work:
        ticket = await _locked(work.tickets, ticket_id, caller, field="ticket_id")
        commented = ticket.commented(caller, now)
        comment = new_comment(new_id(), commented, text, caller, field="comment.text")
        await work.tickets.save(ticket, commented, change_of(ticket, commented, Kind.COMMENTED, caller, comment))
        await work.comments.add(comment)
        await work.commit(comment)
    return comment


async def update_comment(
    work: Work, ticket_id: UUID, comment_id: UUID, text: str | None, caller: Caller, *, etag: str, now: datetime
) -> Comment:
    """Changes the text of a comment; None does not.

    Raises TicketNotFound, CommentNotFound, NotYourComment, TicketClosed, EtagMismatch, TextInvalid, TicketChanged.
    """
    async with work:
        ticket = await _locked(work.tickets, ticket_id, caller, field="comment.ticket_id")
        comment = await work.comments.get(ticket_id, comment_id)
        if comment is None:
            raise CommentNotFound(field="comment.comment_id")
        ticket.expect_open(field="comment.ticket_id")
        comment.expect(etag)
        rewritten = comment.rewritten(text, caller, now)
        if rewritten is not comment:
            after = ticket.later(now)
            await work.tickets.save(ticket, after, edit_of(after, comment, rewritten, caller))
            await work.comments.save(rewritten)
        await work.commit(rewritten)
    return rewritten


async def _change(
    work: Work,
    ticket_id: UUID,
    changed: Callable[[Ticket], Ticket],
    kind: Kind,
    caller: Caller,
    etag: str,
    *,
    field: str,
) -> Ticket:
    """Changes a ticket itself. What changes nothing writes nothing."""
    async with work:
        before = await _locked(work.tickets, ticket_id, caller, field=field)
        before.expect(etag)
        after = changed(before)
        if after is not before:
            await work.tickets.save(before, after, change_of(before, after, kind, caller))
        await work.commit(after)
    return after


async def _locked(tickets: Tickets, ticket_id: UUID, caller: Caller, *, field: str) -> Ticket:
    ticket = await tickets.lock(ticket_id)
    if ticket is None:
        raise TicketNotFound(field=field)
    ticket.expect_sight(caller, field=field)
    return ticket
