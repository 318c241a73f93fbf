"""Owns users' scores of events: one per user and event.

Invariants:
- A score has at most one change under way; until its saga settles, the score takes no other change.
- What a score shows once settled is what the event counts: a refused change leaves what stood before.
- Revisions of a score are drawn once, in order, and never used again.
"""
