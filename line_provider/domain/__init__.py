"""What line_provider is about. Pure: no I/O, no clock, no framework.

event.py   events and their aggregates
score.py   the revisions of scores, and how events count them
"""

from line_provider.domain.event import Aggregate, Event, Status, new_event
from line_provider.domain.score import Change, Count, Entry, History, Ledger, Posting, Revision, Revoke, post

__all__ = [
    "Aggregate",
    "Change",
    "Count",
    "Entry",
    "Event",
    "History",
    "Ledger",
    "Posting",
    "Revision",
    "Revoke",
    "Status",
    "new_event",
    "post",
]
