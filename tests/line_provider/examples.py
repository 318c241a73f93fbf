"""Examples of what line_provider is about, for its tests."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from line_provider.domain import Count, Event, Revoke, new_event
from mesh.identifiers import new_id

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def an_event(title: str = "Final", deadline: datetime = NOW + HOUR) -> Event:
    """An open event without scores."""
    return new_event(new_id(), title, deadline, NOW)


def count(
    event: Event | UUID, rate: int | None, *, score: UUID | None = None, revision: int = 1, at: datetime = NOW
) -> Count:
    """A change that counts a rate, of a new score unless one is given."""
    event_id = event.event_id if isinstance(event, Event) else event
    return Count(score or new_id(), event_id, revision, rate, at)


def revoke(event: Event | UUID, score: UUID, revision: int) -> Revoke:
    """A change that takes a revision back."""
    return Revoke(score, event.event_id if isinstance(event, Event) else event, revision)
