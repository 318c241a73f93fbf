"""A user's score of an event, as a state machine. Pure: no I/O, no clock, no framework.

The theory: a score has what *stands* (what the event was last confirmed to count) and what it *shows*. A change shows
at once and locks the score; when its saga settles, what shows comes to stand, or what stands shows again.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from mesh.errors import Refusal
from score_maker.errors import (
    DeadlinePassed,
    EtagMismatch,
    EventFinished,
    NothingToWithdraw,
    NotYourScore,
    ScoreNotFound,
    ScorePending,
)

RETRY_AFTER = 1.0
"""Seconds after which a pending score has settled, unless something is down."""


class Status(Enum):
    """Where a score stands."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"
    WITHDRAWING = "WITHDRAWING"
    WITHDRAWN = "WITHDRAWN"


class Trigger(Enum):
    """What may happen to a score."""

    SUBMIT = auto()
    WITHDRAW = auto()
    CONFIRM = auto()  # the event took the change
    REJECT = auto()  # the event refused it, and nothing stands
    KEEP = auto()  # the event refused it, and a rate stands
    KEEP_WITHDRAWN = auto()  # the event refused it, and a withdrawal stands


TRANSITIONS: dict[Status, dict[Trigger, Status]] = {
    Status.PENDING: {
        Trigger.CONFIRM: Status.CONFIRMED,
        Trigger.REJECT: Status.REJECTED,
        Trigger.KEEP: Status.CONFIRMED,
        Trigger.KEEP_WITHDRAWN: Status.WITHDRAWN,
    },
    Status.CONFIRMED: {Trigger.SUBMIT: Status.PENDING, Trigger.WITHDRAW: Status.WITHDRAWING},
    Status.REJECTED: {Trigger.SUBMIT: Status.PENDING},
    Status.WITHDRAWING: {Trigger.CONFIRM: Status.WITHDRAWN, Trigger.KEEP: Status.CONFIRMED},
    Status.WITHDRAWN: {Trigger.SUBMIT: Status.PENDING},
}
"""No status is final: as long as its event is open, a score may be submitted again."""

MOVES: frozenset[tuple[Status, Status]] = frozenset(
    (before, after) for before, exits in TRANSITIONS.items() for after in exits.values()
)
"""Every legal change of status; the repository lets no other pass."""


class IllegalTransition(Exception):
    """A score was told of something that cannot happen in its status."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the event was last confirmed to count: CONFIRMED with a rate, or WITHDRAWN (the rate counted before)."""

    status: Status
    revision: int
    rate: int


@dataclass(frozen=True, slots=True)
class Score:
    """A user's score of an event. `rate` and `revision` are those shown; `drawn` is the last revision drawn; `reason`
    says why the last change was refused; `saga_id` is the saga of the last change, the only one that settles it."""

    score_id: UUID
    event_id: UUID
    user_id: str
    status: Status
    rate: int
    revision: int
    drawn: int
    saga_id: UUID
    create_time: datetime
    update_time: datetime
    standing: Standing | None = None
    reason: str = ""
    version: int = 1

    @property
    def etag(self) -> str:
        """The version tag."""
        return str(self.version)

    @property
    def is_withdrawn(self) -> bool:
        """Whether a withdrawal is under way or done."""
        return self.status in (Status.WITHDRAWING, Status.WITHDRAWN)

    def expect(self, etag: str) -> None:
        """Raises EtagMismatch when the score has changed since `etag` was read; an empty etag expects nothing."""
        if etag and etag != self.etag:
            raise EtagMismatch(field="etag")

    def submitted(self, rate: int, saga_id: UUID, now: datetime) -> "Score":
        """The score with a new rate, PENDING; itself when it shows that rate already. Raises ScorePending."""
        if rate == self.rate and self.status in (Status.PENDING, Status.CONFIRMED):
            return self
        return replace(self._changing(Trigger.SUBMIT, saga_id, now), rate=rate)

    def withdrawn(self, saga_id: UUID, now: datetime) -> "Score":
        """The score, WITHDRAWING; itself when it is withdrawn already. Raises ScorePending, NothingToWithdraw."""
        if self.is_withdrawn:
            return self
        if self.status is Status.REJECTED:
            raise NothingToWithdraw(field="score_id")
        return self._changing(Trigger.WITHDRAW, saga_id, now)

    def confirmed(self, now: datetime) -> "Score":
        """The score when its event took the change. Raises IllegalTransition."""
        moved = self._moved(Trigger.CONFIRM, now)
        return replace(moved, standing=Standing(moved.status, moved.revision, moved.rate))

    def refused(self, reason: str, now: datetime) -> "Score":
        """The score when its event refused the change: what stood shows again. Raises IllegalTransition."""
        if self.standing is None:
            return replace(self._moved(Trigger.REJECT, now), reason=reason)
        trigger = Trigger.KEEP if self.standing.status is Status.CONFIRMED else Trigger.KEEP_WITHDRAWN
        shown = replace(self, revision=self.standing.revision, rate=self.standing.rate, reason=reason)
        return shown._moved(trigger, now)

    def _changing(self, trigger: Trigger, saga_id: UUID, now: datetime) -> "Score":
        if self.status in (Status.PENDING, Status.WITHDRAWING):
            raise ScorePending(retry_after=RETRY_AFTER)
        revision = self.drawn + 1
        return replace(self._moved(trigger, now), revision=revision, drawn=revision, saga_id=saga_id, reason="")

    def _moved(self, trigger: Trigger, now: datetime) -> "Score":
        status = TRANSITIONS[self.status].get(trigger)
        if status is None:
            raise IllegalTransition(f"{trigger.name} of a score that is {self.status.name}")
        return replace(self, status=status, version=self.version + 1, update_time=max(now, self.update_time))


def first_score(score_id: UUID, event_id: UUID, user_id: str, rate: int, saga_id: UUID, now: datetime) -> Score:
    """A user's first score of an event, PENDING."""
    return Score(
        score_id=score_id,
        event_id=event_id,
        user_id=user_id,
        status=Status.PENDING,
        rate=rate,
        revision=1,
        drawn=1,
        saga_id=saga_id,
        create_time=now,
        update_time=now,
    )


@dataclass(frozen=True, slots=True)
class Ending:
    """How the saga of a score's change ended: `refusal` is the reason, or empty when the event took the change."""

    score_id: UUID
    saga_id: UUID
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What score_maker knows of an event, up to a second late."""

    event_id: UUID
    deadline: datetime
    finished_at: datetime | None = None

    def objection(self, at: datetime) -> Refusal | None:
        """Why the event takes no change of a score at that time, or None."""
        if self.finished_at is not None and at >= self.finished_at:
            return EventFinished(field="event_id")
        if at >= self.deadline:
            return DeadlinePassed(field="event_id")
        return None


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks: a user, and whether as one who reads everybody's scores, or their sagas."""

    user_id: str
    is_manager: bool = False
    is_operator: bool = False

    def expect_sight(self, score: Score) -> None:
        """Raises ScoreNotFound for a score that is not the caller's to see."""
        if score.user_id != self.user_id and not self.is_manager:
            raise ScoreNotFound(field="score_id")

    def expect_sight_of_saga(self, score: Score) -> None:
        """Raises ScoreNotFound for a score whose saga is not the caller's to see."""
        if not self.is_operator:
            self.expect_sight(score)

    def expect_own(self, score: Score) -> None:
        """Raises ScoreNotFound, or NotYourScore to whom it is no secret."""
        self.expect_sight(score)
        if score.user_id != self.user_id:
            raise NotYourScore(field="score_id")
