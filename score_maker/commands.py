"""What score_maker does: one function per writing rpc or ended saga, each one transaction.

No SQL, no transport, no clock here: ports and `now` come from the caller. Another service is asked before a
transaction begins, never inside it. An event judges a change by the `update_time` that its user is shown.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from mesh.errors import Refusal
from mesh.identifiers import new_id
from score_maker.domain import Caller, Ending, Score, first_score
from score_maker.ports import Events, Scores, Work


async def submit_score(work: Work, events: Events, event_id: UUID, caller: Caller, rate: int, now: datetime) -> Score:
    """Scores an event or changes the caller's score of it; PENDING until the event has counted it.

    Raises EventNotFound, EventsUnavailable, EventFinished, DeadlinePassed, ScorePending.
    """
    objection = (await events.get(event_id)).objection(now)
    first = first_score(new_id(), event_id, caller.user_id, rate, new_id(), now)
    async with work:
        # Adding comes first: most scores are new, and only the unique key tells two first scores of a user apart.
        if objection is None and await work.scores.add(first):
            await work.sagas.rate(first, now)
            score = first
        else:
            score = await _submit_again(work, first, objection, now)
        await work.commit(score)
    return score


async def withdraw_score(work: Work, events: Events, seen: Score, caller: Caller, etag: str, now: datetime) -> Score:
    """Withdraws a score; WITHDRAWING until the event no longer counts it. `seen` is the score as it was just read.

    One that is withdrawn already is returned, so that a repetition does no harm.
    Raises ScoreNotFound, NotYourScore, EtagMismatch, ScorePending, NothingToWithdraw, EventFinished, DeadlinePassed,
    EventsUnavailable.
    """
    caller.expect_own(seen)
    if seen.is_withdrawn:
        return seen
    objection = (await events.get(seen.event_id)).objection(now)
    async with work:
        score = await work.scores.lock(seen.score_id)
        changed = score.withdrawn(new_id(), now)
        if changed is score:
            return score
        score.expect(etag)
        if objection is not None:
            raise objection
        await work.scores.save([changed])
        await work.sagas.withdraw(changed, changed.update_time)
        await work.commit(changed)
    return changed


async def settle_scores(scores: Scores, endings: Sequence[Ending], now: datetime) -> None:
    """Ends the changes whose sagas have ended, as a set. A saga that is not its score's last changes nothing.

    The transaction is the outbox's, which commits.
    """
    refusals = {ending.score_id: ending.refusal for ending in endings}
    locked = await scores.lock_set({ending.score_id: ending.saga_id for ending in endings})
    await scores.save(
        [
            score.refused(refusals[score.score_id], now) if refusals[score.score_id] else score.confirmed(now)
            for score in locked
        ]
    )


async def _submit_again(work: Work, asked: Score, objection: Refusal | None, now: datetime) -> Score:
    """Changes the rate of a score that is there. The rate that it shows already changes nothing, and so cannot be
    refused."""
    score = await work.scores.lock_own(asked.event_id, asked.user_id)
    changed = asked if score is None else score.submitted(asked.rate, asked.saga_id, now)
    if changed is score:
        return changed
    if objection is not None:
        raise objection
    await work.scores.save([changed])
    await work.sagas.rate(changed, changed.update_time)
    return changed
