"""TicketService and CommentService: messages to domain objects and back. Decides nothing.

tickets.py    TicketService
comments.py   CommentService
messages.py   what both say and are asked
"""

from tickets.servicer.comments import CommentServicer
from tickets.servicer.tickets import TicketServicer

__all__ = ["CommentServicer", "TicketServicer"]
