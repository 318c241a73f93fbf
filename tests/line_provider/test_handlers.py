"""Score commands through InboxService, as the relay delivers them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest
from sagamesh.line_provider.v1.commands_pb2 import ApplyScore, RestoreScore, RevokeScore, WithdrawScore
from sagamesh.mesh.v1.envelope_pb2 import Outcome

from line_provider.handlers import HANDLED
from mesh.identifiers import new_id
from mesh.status import reason_of
from tests.line_provider.service import LineProvider, envelope

SECOND = timedelta(seconds=1)


def command(kind: type[Any], event_id: str, score_id: str, revision: int = 1, **fields: Any) -> Any:
    if kind in (ApplyScore, WithdrawScore):
        fields.setdefault("submitted_at", datetime.now(UTC))
    if kind is ApplyScore:
        fields.setdefault("rate", 4)
    return kind(score_id=score_id, event_id=event_id, revision=revision, **fields)


def verdict(outcome: Outcome) -> tuple[str, str, list[str]]:
    """Code, reason and fields at fault."""
    fault = BadRequest()
    for detail in outcome.error.details:
        if detail.Unpack(fault):
            break
    reason = reason_of(outcome.error) if outcome.HasField("error") else ""
    return Outcome.Code.Name(outcome.code), reason, [violation.field for violation in fault.field_violations]


async def histogram(service: LineProvider, event_id: str) -> list[int]:
    return list((await service.get(event_id)).score_histogram)


async def test_the_life_of_a_score(service: LineProvider) -> None:
    event_id, score_id = (await service.create()).event_id, str(new_id())
    steps: list[tuple[type[Any], int, dict[str, int], list[int]]] = [
        (ApplyScore, 1, {"rate": 2}, [0, 1, 0, 0, 0]),
        (ApplyScore, 2, {"rate": 5}, [0, 0, 0, 0, 1]),
        (WithdrawScore, 3, {}, [0, 0, 0, 0, 0]),
        (ApplyScore, 4, {"rate": 3}, [0, 0, 1, 0, 0]),
    ]
    for kind, revision, fields, expected in steps:
        [outcome] = await service.deliver(envelope(command(kind, event_id, score_id, revision, **fields)))
        assert verdict(outcome) == ("OK", "", [])
        assert await histogram(service, event_id) == expected


@pytest.mark.parametrize(("do", "undo", "before"), [(ApplyScore, RevokeScore, 1), (WithdrawScore, RestoreScore, 1)])
async def test_an_undo_restores_what_counted_before(
    service: LineProvider, do: type[Any], undo: type[Any], before: int
) -> None:
    event_id, score_id, saga_id = (await service.create()).event_id, str(new_id()), str(new_id())
    await service.deliver(envelope(command(ApplyScore, event_id, score_id, before, rate=2)))
    await service.deliver(envelope(command(do, event_id, score_id, 2), saga_id=saga_id))
    assert await histogram(service, event_id) != [0, 1, 0, 0, 0]
    [outcome] = await service.deliver(envelope(command(undo, event_id, score_id, 2), "UNDO", saga_id))
    assert verdict(outcome) == ("OK", "", [])
    assert await histogram(service, event_id) == [0, 1, 0, 0, 0]


async def test_a_message_delivered_twice_counts_once(service: LineProvider) -> None:
    event_id = (await service.create()).event_id
    message = envelope(command(ApplyScore, event_id, str(new_id())))
    for _ in range(2):
        [outcome] = await service.deliver(message)
        assert verdict(outcome) == ("OK", "", [])
    assert await histogram(service, event_id) == [0, 0, 0, 1, 0]


async def test_a_revision_delivered_under_another_message_id_counts_once(service: LineProvider) -> None:
    event_id, score_id = (await service.create()).event_id, str(new_id())
    for _ in range(2):
        await service.deliver(envelope(command(ApplyScore, event_id, score_id)))
    assert await histogram(service, event_id) == [0, 0, 0, 1, 0]


@pytest.mark.parametrize("kind", [ApplyScore, WithdrawScore])
async def test_an_unknown_event_is_refused(service: LineProvider, kind: type[Any]) -> None:
    [outcome] = await service.deliver(envelope(command(kind, str(new_id()), str(new_id()))))
    assert verdict(outcome) == ("REJECT", "EVENT_NOT_FOUND", ["event_id"])


@pytest.mark.parametrize("kind", [ApplyScore, WithdrawScore])
async def test_what_was_submitted_after_the_finish_is_refused(service: LineProvider, kind: type[Any]) -> None:
    event = await service.finish((await service.create()).event_id)
    late = event.finished_at.ToDatetime(UTC) + SECOND
    [outcome] = await service.deliver(envelope(command(kind, event.event_id, str(new_id()), submitted_at=late)))
    assert verdict(outcome) == ("REJECT", "EVENT_FINISHED", ["event_id"])


@pytest.mark.parametrize("kind", [ApplyScore, WithdrawScore])
async def test_what_was_submitted_at_the_deadline_is_refused(service: LineProvider, kind: type[Any]) -> None:
    event = await service.create()
    [outcome] = await service.deliver(
        envelope(command(kind, event.event_id, str(new_id()), submitted_at=event.deadline))
    )
    assert verdict(outcome) == ("REJECT", "DEADLINE_PASSED", ["event_id"])


async def test_what_was_submitted_before_the_finish_counts_after_it(service: LineProvider) -> None:
    event_id, before = (await service.create()).event_id, datetime.now(UTC)
    finished = await service.finish(event_id)
    [outcome] = await service.deliver(envelope(command(ApplyScore, event_id, str(new_id()), submitted_at=before)))
    assert verdict(outcome) == ("OK", "", [])
    after = await service.get(event_id)
    assert (after.score_count, after.finished_at) == (1, finished.finished_at)


@pytest.mark.parametrize("kind", [RevokeScore, RestoreScore])
async def test_an_undo_of_what_never_came_changes_nothing(service: LineProvider, kind: type[Any]) -> None:
    event = await service.create()
    [outcome] = await service.deliver(envelope(command(kind, event.event_id, str(new_id())), "UNDO"))
    assert verdict(outcome) == ("OK", "", [])
    assert await service.get(event.event_id) == event


async def test_a_batch_of_everything_is_handled_in_one_call(service: LineProvider) -> None:
    one, two = (await service.create()).event_id, (await service.create()).event_id
    counted, edited = str(new_id()), str(new_id())
    await service.deliver(*(envelope(command(ApplyScore, one, score_id, rate=1)) for score_id in (counted, edited)))
    outcomes = await service.deliver(
        envelope(command(ApplyScore, one, edited, 2, rate=5)),
        envelope(command(WithdrawScore, one, counted, 2)),
        envelope(command(ApplyScore, str(new_id()), str(new_id()))),
        envelope(command(ApplyScore, two, str(new_id()), rate=3)),
        envelope(command(ApplyScore, one, edited, 3, rate=4)),  # a second message of its key: a round of its own
    )
    assert [verdict(outcome)[:2] for outcome in outcomes] == [
        ("OK", ""),
        ("OK", ""),
        ("REJECT", "EVENT_NOT_FOUND"),
        ("OK", ""),
        ("OK", ""),
    ]
    assert await histogram(service, one) == [0, 0, 0, 1, 0]
    assert await histogram(service, two) == [0, 0, 1, 0, 0]


async def test_mixed_batches_over_the_same_events_do_not_wait_for_each_other_in_a_circle(service: LineProvider) -> None:
    events = [(await service.create()).event_id for _ in range(6)]

    async def deliver(order: list[str]) -> list[Outcome]:
        half = len(order) // 2
        batch = [command(WithdrawScore, event_id, str(new_id())) for event_id in order[:half]]
        batch += [command(ApplyScore, event_id, str(new_id())) for event_id in order[half:]]
        return await service.deliver(*map(envelope, batch))

    rounds = await asyncio.gather(*(deliver(events if number % 2 else events[::-1]) for number in range(12)))
    assert {verdict(outcome)[0] for outcomes in rounds for outcome in outcomes} == {"OK"}


async def test_a_rate_that_is_none_is_refused(service: LineProvider) -> None:
    event_id = (await service.create()).event_id
    [outcome] = await service.deliver(envelope(command(ApplyScore, event_id, str(new_id()), rate=6)))
    assert verdict(outcome) == ("REJECT", "INVALID_ARGUMENT", ["rate"])


def test_every_command_of_the_contract_is_handled() -> None:
    contract = ApplyScore.DESCRIPTOR.file.message_types_by_name
    handled: list[type[Message]] = list(HANDLED)
    assert {kind.DESCRIPTOR.name for kind in handled} == set(contract)
