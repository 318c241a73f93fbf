"""The revisions of scores, and what a set of changes makes of the events that count them.

The theory: a score's history only grows, and a revision in it only goes from standing to revoked. So whatever is
repeated, reordered or taken back, the history tells what counts, and the aggregate is exchanged by the difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from line_provider.domain.event import Event
from line_provider.errors import EventNotFound
from mesh.errors import Refusal


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a score, as it was counted. A `rate` of None is a withdrawal."""

    revision: int
    rate: int | None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """The revisions seen of one score, highest first.

    The two highest that stand and the highest revoked one are enough for every question asked here.
    """

    revisions: tuple[Revision, ...] = ()

    @property
    def counted(self) -> int | None:
        """The rate that counts: that of the highest revision that stands."""
        return next((seen.rate for seen in self.revisions if not seen.revoked), None)

    def applied(self, revision: int, rate: int | None) -> "History":
        """With one revision more. Itself unless that is higher than every revision seen, revoked ones included: what
        was revoked, or overtaken, never comes back."""
        if self.revisions and revision <= self.revisions[0].revision:
            return self
        return History((Revision(revision, rate), *self.revisions))

    def revoked(self, revision: int) -> "History":
        """Without one revision, so that the one before it stands. A revision that was never seen is noted as
        revoked, so that it cannot be applied later."""
        mine = next((seen for seen in self.revisions if seen.revision == revision), Revision(revision, None))
        others = (seen for seen in self.revisions if seen.revision != revision)
        return History(tuple(sorted((replace(mine, revoked=True), *others), key=_highest_first)))


def _highest_first(seen: Revision) -> int:
    return -seen.revision


@dataclass(frozen=True, slots=True)
class Count:
    """Asks that a revision of a score counts; a `rate` of None withdraws the score. Judged by when it was submitted."""

    score_id: UUID
    event_id: UUID
    revision: int
    rate: int | None
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Revoke:
    """Takes a revision of a score back, which cannot be refused."""

    score_id: UUID
    event_id: UUID
    revision: int


Change = Count | Revoke


@dataclass(frozen=True, slots=True)
class Ledger:
    """The events and the histories of the scores that a set of changes is about. What is missing does not exist."""

    events: Mapping[UUID, Event]
    histories: Mapping[UUID, History]


@dataclass(frozen=True, slots=True)
class Entry:
    """A revision to write down for a score."""

    score_id: UUID
    event_id: UUID
    revision: Revision


@dataclass(frozen=True, slots=True)
class Posting:
    """What a set of changes comes to: the events that changed, the revisions to write, and for each change a refusal
    or None."""

    events: Sequence[Event]
    entries: Sequence[Entry]
    refusals: Sequence[Refusal | None]


def post(ledger: Ledger, changes: Iterable[Change], now: datetime) -> Posting:
    """Makes changes of distinct scores. One that is refused leaves no trace."""
    events = dict(ledger.events)
    entries: list[Entry] = []
    refusals: list[Refusal | None] = []
    for change in changes:
        event = events.get(change.event_id)
        refusals.append(_refusal(event, change))
        if event is None or refusals[-1] is not None:
            continue
        before = ledger.histories.get(change.score_id, History())
        after = _changed(before, change)
        events[event.event_id] = event.recounted(before.counted, after.counted, now)
        entries += (
            Entry(change.score_id, event.event_id, new) for new in after.revisions if new not in before.revisions
        )
    changed = [event for event_id, event in events.items() if event is not ledger.events[event_id]]
    return Posting(changed, entries, refusals)


def _refusal(event: Event | None, change: Change) -> Refusal | None:
    if isinstance(change, Revoke):
        return None
    return EventNotFound(field="event_id") if event is None else event.objection(change.submitted_at, field="event_id")


def _changed(history: History, change: Change) -> History:
    if isinstance(change, Revoke):
        return history.revoked(change.revision)
    return history.applied(change.revision, change.rate)
