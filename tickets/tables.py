"""The tables of tickets, and its rows as domain objects. Only this service reads or writes them."""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Enum, ForeignKey, MetaData, Row, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

from mesh.idempotency import request_table
from tickets.domain import Change, Comment, FieldChange, Kind, Priority, Role, Status, Ticket

metadata = MetaData()

ticket = Table(
    "ticket",
    metadata,
    Column("ticket_id", Uuid, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("status", Enum(Status, native_enum=False), nullable=False),
    Column("priority", Enum(Priority, native_enum=False), nullable=False),
    Column("tags", ARRAY(Text, dimensions=1), nullable=False),
    Column("assignee_id", Text),  # NULL: nobody looks after it
    Column("comment_count", BigInteger, nullable=False),
    Column("edit", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
    Column("close_time", DateTime(timezone=True)),
    Column("words", TSVECTOR, nullable=False),  # generated from subject, text and tags; only ever searched
)

comment = Table(
    "comment",
    metadata,
    Column("comment_id", Uuid, primary_key=True),
    Column("ticket_id", Uuid, ForeignKey(ticket.c.ticket_id), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("author_role", Enum(Role, native_enum=False), nullable=False),
    Column("text", Text, nullable=False),
    Column("edit", BigInteger, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("update_time", DateTime(timezone=True), nullable=False),
)

change = Table(
    "change",
    metadata,
    Column("ticket_id", Uuid, ForeignKey(ticket.c.ticket_id), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("kind", Enum(Kind, native_enum=False), nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("fields", JSONB, nullable=False),  # a list of [field, old, new]
    Column("comment_id", Uuid, ForeignKey(comment.c.comment_id, deferrable=True, initially="DEFERRED")),
)

request = request_table(metadata)

TICKET = [column for column in ticket.c if column.name != "words"]
"""What is read of a ticket."""


def ticket_of(row: Row[Any]) -> Ticket:
    """A row of TICKET as a ticket."""
    return Ticket(
        ticket_id=row.ticket_id,
        subject=row.subject,
        text=row.text,
        author_id=row.author_id,
        create_time=row.create_time,
        update_time=row.update_time,
        status=row.status,
        priority=row.priority,
        tags=tuple(row.tags),
        assignee_id=row.assignee_id,
        comment_count=row.comment_count,
        close_time=row.close_time,
        edit=row.edit,
        version=row.version,
    )


def comment_of(row: Row[Any]) -> Comment:
    """A row of `comment` as a comment."""
    return Comment(
        comment_id=row.comment_id,
        ticket_id=row.ticket_id,
        number=row.number,
        author_id=row.author_id,
        author_role=row.author_role,
        text=row.text,
        create_time=row.create_time,
        update_time=row.update_time,
        edit=row.edit,
    )


def change_of(row: Row[Any]) -> Change:
    """A row of `change` as a change."""
    fields = tuple(FieldChange(*told) for told in row.fields)
    return Change(row.ticket_id, row.version, row.kind, row.actor_id, row.time, fields, row.comment_id)


def row_of_ticket(ticket: Ticket) -> dict[str, Any]:  # one type a column
    """A ticket as a row of `ticket`."""
    return {
        "ticket_id": ticket.ticket_id,
        "subject": ticket.subject,
        "text": ticket.text,
        "author_id": ticket.author_id,
        "status": ticket.status,
        "priority": ticket.priority,
        "tags": list(ticket.tags),
        "assignee_id": ticket.assignee_id,
        "comment_count": ticket.comment_count,
        "edit": ticket.edit,
        "version": ticket.version,
        "create_time": ticket.create_time,
        "update_time": ticket.update_time,
        "close_time": ticket.close_time,
    }


def row_of_comment(comment: Comment) -> dict[str, Any]:  # one type a column
    """A comment as a row of `comment`."""
    return {
        "comment_id": comment.comment_id,
        "ticket_id": comment.ticket_id,
        "number": comment.number,
        "author_id": comment.author_id,
        "author_role": comment.author_role,
        "text": comment.text,
        "edit": comment.edit,
        "create_time": comment.create_time,
        "update_time": comment.update_time,
    }


def row_of_change(change: Change) -> dict[str, Any]:  # one type a column
    """A change as a row of `change`."""
    return {
        "ticket_id": change.ticket_id,
        "version": change.version,
        "kind": change.kind,
        "actor_id": change.actor_id,
        "time": change.time,
        "fields": [[told.field, told.old, told.new] for told in change.fields],
        "comment_id": change.comment_id,
    }
