"""Events and their aggregates. Nothing here knows how a score came to count what it counts.

An event's status has no transitions of its own: it is a function of the aggregate and moves freely.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

from line_provider.errors import DeadlineInvalid, DeadlinePassed, EventFinished, TitleInvalid
from mesh.errors import Refusal
from mesh.etags import etag_of, expect_edit
from mesh.texts import is_line

NEUTRAL_RATE = 3
"""The mean from which an event is HIGH_SCORE, and the rate of the scores that the Bayesian mean imagines."""

IMAGINED_SCORES = 5
TITLE_LENGTH = 200


class Status(Enum):
    """What the scores so far make of an event."""

    PROCESSING = "PROCESSING"
    LOW_SCORE = "LOW_SCORE"
    HIGH_SCORE = "HIGH_SCORE"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """What an event's scores add up to. `histogram` holds the number of scores of each rate, 1 to 5."""

    histogram: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)

    @property
    def count(self) -> int:
        """How many scores count."""
        return sum(self.histogram)

    @property
    def total(self) -> int:
        """The sum of their rates."""
        return sum(rate * scores for rate, scores in enumerate(self.histogram, 1))

    @property
    def mean(self) -> float:
        """Mean of the rates; 0 without any."""
        return self.total / self.count if self.count else 0.0

    @property
    def bayesian_mean(self) -> float:
        """Mean drawn towards neutral by imagined scores."""
        return (self.total + IMAGINED_SCORES * NEUTRAL_RATE) / (self.count + IMAGINED_SCORES)

    @property
    def status(self) -> Status:
        """PROCESSING without scores, else by the mean (compared in integers: no rounding at the border)."""
        if not self.count:
            return Status.PROCESSING
        return Status.HIGH_SCORE if self.total >= NEUTRAL_RATE * self.count else Status.LOW_SCORE

    def exchange(self, old: int | None, new: int | None) -> "Aggregate":
        """The aggregate when one score counts `new` instead of `old`; None stands for not at all."""
        one, two, three, four, five = (
            scores + (rate == new) - (rate == old) for rate, scores in enumerate(self.histogram, 1)
        )
        return Aggregate((one, two, three, four, five))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that users score until a deadline. `edit` rises when a manager changes the event, `version` with
    every change."""

    event_id: UUID
    title: str
    deadline: datetime
    create_time: datetime
    update_time: datetime
    finished_at: datetime | None = None
    aggregate: Aggregate = Aggregate()
    edit: int = 1
    version: int = 1

    @property
    def etag(self) -> str:
        """`<edit>.<version>`: only the first part is compared, so that scores do not disturb a manager's edit."""
        return etag_of(self.edit, self.version)

    def expect(self, etag: str) -> None:
        """Raises EtagMismatch when an edit was made since `etag` was read; an empty etag expects nothing."""
        expect_edit(etag, self.edit)

    def objection(self, at: datetime, *, field: str | None = None) -> Refusal | None:
        """Why the event takes nothing that was asked at that time, or None. `field` names it in the caller's
        request."""
        if self.finished_at is not None and at >= self.finished_at:
            return EventFinished(field=field)
        if at >= self.deadline:
            return DeadlinePassed(field=field)
        return None

    def edited(self, title: str | None, deadline: datetime | None, now: datetime) -> "Event":
        """The event with a new title, a new deadline, or both; itself when that changes nothing.

        Raises TitleInvalid, DeadlineInvalid, EventFinished, DeadlinePassed.
        """
        if objection := self.objection(now, field="event.event_id"):
            raise objection
        changed = replace(
            self,
            title=self.title if title is None else valid_title(title),
            deadline=self.deadline if deadline is None else valid_deadline(deadline, now),
        )
        return self if changed == self else replace(changed._later(now), edit=self.edit + 1)

    def finished(self, now: datetime) -> "Event":
        """The event, finished; itself when it was already. Whoever finishes it may have waited for scores that came
        later than `now` and count: it is not finished before them."""
        if self.finished_at is not None:
            return self
        later = self._later(now)
        return replace(later, finished_at=later.update_time, edit=self.edit + 1)

    def recounted(self, old: int | None, new: int | None, now: datetime) -> "Event":
        """The event when one score counts `new` instead of `old`; itself when that is the same."""
        if old == new:
            return self
        return replace(self._later(now), aggregate=self.aggregate.exchange(old, new))

    def _later(self, now: datetime) -> "Event":
        return replace(self, version=self.version + 1, update_time=max(now, self.update_time))


def new_event(event_id: UUID, title: str, deadline: datetime | None, now: datetime) -> Event:
    """An event without scores. Raises TitleInvalid, DeadlineInvalid."""
    return Event(event_id, valid_title(title), valid_deadline(deadline, now), create_time=now, update_time=now)


def valid_title(title: str) -> str:
    """The title. Raises TitleInvalid."""
    if not is_line(title, TITLE_LENGTH):
        raise TitleInvalid(field="event.title")
    return title


def valid_deadline(deadline: datetime | None, now: datetime) -> datetime:
    """The deadline. Raises DeadlineInvalid."""
    if deadline is None or deadline <= now:
        raise DeadlineInvalid(field="event.deadline")
    return deadline
