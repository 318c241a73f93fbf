"""Owns events, and what users' scores of them add up to.

Invariants:
- An event's aggregate is a function of its scores: each score counts once, with the rate of its highest revision that
  was not revoked, or not at all where that revision is a withdrawal.
- A revision is counted only if it was submitted before the event's deadline and before the event was finished, however
  late it arrives.
- An event's version rises with every change of anything that is shown of it.
"""
