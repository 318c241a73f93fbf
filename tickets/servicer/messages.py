"""Domain objects as messages, and what requests say in the domain's words."""

from sagamesh.tickets.v1 import comment_pb2, ticket_pb2

from mesh.call import current_call
from mesh.masks import masked
from tickets.domain import Caller, Change, Comment, Draft, Priority, Status, Ticket, is_tag, is_user_id
from tickets.errors import TagInvalid, UserIdInvalid
from tickets.queries import TicketFilter


def caller() -> Caller:
    """Who calls, as the token says."""
    principal = current_call().principal
    return Caller(principal.subject, principal.has_role("agent"))


def ticket_message(ticket: Ticket, caller: Caller) -> ticket_pb2.Ticket:
    """A ticket as it is shown to the caller."""
    message = ticket_pb2.Ticket(
        ticket_id=str(ticket.ticket_id),
        subject=ticket.subject,
        text=ticket.text,
        author_id=ticket.author_id,
        status=ticket.status.name,
        allowed_transitions=[status.name for status in ticket.allowed(caller)],
        priority=ticket.priority.name,
        tags=ticket.tags,
        assignee_id=ticket.assignee_id or "",
        comment_count=ticket.comment_count,
        etag=ticket.etag,
        version=ticket.version,
    )
    message.create_time.FromDatetime(ticket.create_time)
    message.update_time.FromDatetime(ticket.update_time)
    if ticket.close_time is not None:
        message.close_time.FromDatetime(ticket.close_time)
    return message


def comment_message(comment: Comment) -> comment_pb2.Comment:
    """A comment."""
    message = comment_pb2.Comment(
        comment_id=str(comment.comment_id),
        ticket_id=str(comment.ticket_id),
        author_id=comment.author_id,
        author_role=comment.author_role.name,
        text=comment.text,
        mentions=comment.mentions,
        etag=comment.etag,
    )
    message.create_time.FromDatetime(comment.create_time)
    message.update_time.FromDatetime(comment.update_time)
    return message


def change_message(change: Change) -> ticket_pb2.Change:
    """A change."""
    message = ticket_pb2.Change(
        version=change.version,
        kind=change.kind.name,
        actor_id=change.actor_id,
        fields=[
            ticket_pb2.FieldChange(field=told.field, old_value=told.old, new_value=told.new) for told in change.fields
        ],
        comment_id=str(change.comment_id or ""),
    )
    message.time.FromDatetime(change.time)
    return message


def new_draft(ticket: ticket_pb2.Ticket) -> Draft:
    """What is said of a ticket to open."""
    return Draft(ticket.subject, ticket.text, _priority(ticket.priority), ticket.tags)


def edit_draft(request: ticket_pb2.UpdateTicketRequest) -> Draft:
    """What is said of a ticket to change. Raises UpdateMaskInvalid."""
    ticket, fields = request.ticket, masked(request.ticket, request.update_mask)
    return Draft(
        subject=ticket.subject if "subject" in fields else None,
        text=ticket.text if "text" in fields else None,
        priority=_priority(ticket.priority) or Priority.NORMAL if "priority" in fields else None,
        tags=ticket.tags if "tags" in fields else None,
    )


def ticket_filter(request: ticket_pb2.ListTicketsRequest) -> TicketFilter:
    """Which tickets are asked for. Raises UserIdInvalid, TagInvalid."""
    for field in ("assignee_id", "author_id"):
        value: str = getattr(request, field)
        if value and not is_user_id(value):
            raise UserIdInvalid(field=field)
    if request.tag and not is_tag(request.tag):
        raise TagInvalid(field="tag")
    return TicketFilter(
        status=Status[ticket_pb2.Ticket.Status.Name(request.status)] if request.status else None,
        priority=_priority(request.priority),
        assignee_id=request.assignee_id or None,
        author_id=request.author_id or None,
        tag=request.tag or None,
    )


def _priority(priority: ticket_pb2.Ticket.Priority.ValueType) -> Priority | None:
    return Priority[ticket_pb2.Ticket.Priority.Name(priority)] if priority else None
