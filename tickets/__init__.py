"""Owns support tickets, what is said about them, and the history of both.

Invariants:
- A ticket moves only as TRANSITIONS says, by whom it says; nothing of a CLOSED ticket changes, nor of its comments.
- Every version of a ticket was made by exactly one change: the history has 1, 2, 3 ... without a gap, each written with
  what it describes.
- A customer meets only tickets of their own; whose a ticket or a comment is, the token said, never the body.
"""
