"""Examples of what score_maker is about, for its tests."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from mesh.identifiers import new_id
from score_maker.domain import Caller, Event, Score, Status, first_score

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)

ALICE = Caller("alice")
BOB = Caller("bob")
MANAGER = Caller("boss", is_manager=True)
OPERATOR = Caller("ops", is_operator=True)


def an_event() -> Event:
    """An open event."""
    return Event(new_id(), NOW + HOUR)


def a_score(rate: int = 4, *, event_id: UUID | None = None, user_id: str = "alice") -> Score:
    """A first score, PENDING."""
    return first_score(new_id(), event_id or new_id(), user_id, rate, new_id(), NOW)


def history_of(status: Status, *, event_id: UUID | None = None, user_id: str = "alice") -> list[Score]:
    """The versions of a score on its shortest way to a status, first to last."""
    pending = a_score(event_id=event_id, user_id=user_id)
    confirmed = pending.confirmed(NOW)
    withdrawing = confirmed.withdrawn(new_id(), NOW)
    return {
        Status.PENDING: [pending],
        Status.CONFIRMED: [pending, confirmed],
        Status.REJECTED: [pending, pending.refused("EVENT_FINISHED", NOW)],
        Status.WITHDRAWING: [pending, confirmed, withdrawing],
        Status.WITHDRAWN: [pending, confirmed, withdrawing, withdrawing.confirmed(NOW)],
    }[status]


def score_that_is(status: Status, *, event_id: UUID | None = None, user_id: str = "alice") -> Score:
    """A score in a status."""
    return history_of(status, event_id=event_id, user_id=user_id)[-1]
