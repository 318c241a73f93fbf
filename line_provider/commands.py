"""What line_provider does: one function per writing rpc or handled command, each one transaction.

No SQL, no transport, no clock here: ports and `now` come from the caller.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from line_provider.domain import Change, Event, new_event, post
from line_provider.errors import EventNotFound
from line_provider.ports import Events, Scores, Work
from mesh.errors import Refusal
from mesh.identifiers import new_id


async def create_event(work: Work, title: str, deadline: datetime | None, now: datetime) -> Event:
    """Creates an event. Raises TitleInvalid, DeadlineInvalid."""
    event = new_event(new_id(), title, deadline, now)
    async with work:
        await work.events.add(event)
        await work.commit(event)
    return event


async def update_event(
    work: Work, event_id: UUID, *, title: str | None, deadline: datetime | None, etag: str, now: datetime
) -> Event:
    """Changes what is not None.

    Raises EventNotFound, EtagMismatch, EventFinished, DeadlinePassed, TitleInvalid, DeadlineInvalid.
    """
    async with work:
        event = await _locked(work.events, event_id, field="event.event_id")
        event.expect(etag)
        changed = event.edited(title, deadline, now)
        if changed is not event:
            await work.events.save(changed)
        await work.commit(changed)
    return changed


async def finish_event(work: Work, event_id: UUID, *, etag: str, now: datetime) -> Event:
    """Finishes an event; one that is finished stays as it is, so that a repetition does no harm.

    Raises EventNotFound, EtagMismatch.
    """
    async with work:
        event = await _locked(work.events, event_id, field="event_id")
        if event.finished_at is not None:
            return event
        event.expect(etag)
        finished = event.finished(now)
        await work.events.save(finished)
        await work.commit(finished)
    return finished


async def change_scores(scores: Scores, changes: Sequence[Change], now: datetime) -> Sequence[Refusal | None]:
    """Counts, withdraws and takes back revisions of distinct scores, as a set; a refusal or None for each.

    The transaction is the inbox's, which commits.
    """
    posting = post(await scores.lock(changes), changes, now)
    await scores.write(posting)
    return posting.refusals


async def _locked(events: Events, event_id: UUID, *, field: str) -> Event:
    event = await events.lock(event_id)
    if event is None:
        raise EventNotFound(field=field)
    return event
