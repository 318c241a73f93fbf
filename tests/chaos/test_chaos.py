"""Every process is killed in turn while users score, edit and withdraw: what was acknowledged comes true, once."""

import logging
import os
import random
import time
from collections.abc import Iterator, Sequence

import pytest

from tests.chaos import verdict
from tests.chaos.client import PatientClient
from tests.chaos.storm import Strike, flush_and_kill_redis, kill, storm
from tests.chaos.world import World
from tests.system import System, running_system

_log = logging.getLogger(__name__)

# A killed relay's buckets are free when its lease ends; six seconds of that would be most of the test.
QUICK = {"SCORE_MAKER_OUTBOX_LEASE_SECONDS": "2"}
SEED = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().getrandbits(32))


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A stack with one process of each."""
    with running_system(tmp_path_factory.mktemp("single"), environment=QUICK) as system:
        yield system


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A stack with two relays and two replicas of each service."""
    replicas = {"line_provider": 2, "score_maker": 2, "arq_worker": 2}
    with running_system(tmp_path_factory.mktemp("doubled"), replicas=replicas, environment=QUICK) as system:
        yield system


async def test_nothing_is_lost_or_applied_twice_while_every_process_is_killed_in_turn(single: System) -> None:
    await survive(single, scores=200, rounds=1)


async def test_nothing_is_lost_or_applied_twice_with_two_relays_and_two_replicas(doubled: System) -> None:
    await survive(doubled, scores=200, rounds=1)


@pytest.mark.long
@pytest.mark.parametrize("stack", ["single", "doubled"])
async def test_nothing_is_lost_or_applied_twice_in_2000_scores(stack: str, request: pytest.FixtureRequest) -> None:
    await survive(request.getfixturevalue(stack), scores=2000, rounds=3)


async def survive(system: System, scores: int, rounds: int) -> None:
    """Has `scores` scores made and changed, while every process dies `rounds` times, and judges the end."""
    rng = random.Random(SEED)
    _log.warning("CHAOS_SEED=%d", SEED)
    began = time.monotonic()
    async with system.client() as http:
        client = PatientClient(http, rng)
        world = World(system, client, rng)
        victims = [name for _ in range(rounds) for name in rng.sample(system.names(), len(system.names()))]
        doomed = [await world.create_event() for _ in victims]
        people(world, scores, [await world.create_event() for _ in range(4)], doomed)
        strikes = [strike(name, world, event) for name, event in zip(victims, doomed, strict=True)]
        pids = {name: system.pid(name) for name in system.names()}
        await storm(system, world.raters, client, strikes, rng)
        worked = time.monotonic()
        await system.all_ready()
        await world.calm()
        calm = time.monotonic()
        assert all(system.pid(name) != pid for name, pid in pids.items()), "a process was not killed"
        await verdict.nothing_lost_nothing_twice(world)
    await verdict.nothing_given_up(system)
    await verdict.one_message_a_change(world)
    report(world, worked - began, calm - worked)


def people(world: World, scores: int, events: Sequence[str], doomed: Sequence[str]) -> None:
    """Three of four scores are of events that stay open; the others are of events that finish under them. Those of
    the event that is finished at a strike are at work around it."""
    each = scores // 4 // len(doomed)
    calm = scores - each * len(doomed)
    for number, event_id in enumerate(doomed):
        for user in range(each):
            world.rater(f"user-{user}", event_id, actions=world.rng.randint(1, 4), doomed=True)
        for user in range(number * calm // len(doomed), (number + 1) * calm // len(doomed)):
            world.rater(f"user-{user // 4}", events[user % 4], actions=world.rng.randint(1, 4))


def strike(name: str, world: World, event_id: str) -> Strike:
    """Finishes an event, and kills a process."""
    kills = flush_and_kill_redis if name == "redis-work" else kill(name)
    finish = world.finish(event_id)

    async def both(system: System) -> None:
        await finish()
        await kills(system)

    return both


def report(world: World, storm_seconds: float, calm_seconds: float) -> None:
    changes = sum(len(rater.changes) for rater in world.raters)
    _log.warning(
        "%d scores, %d changes acknowledged in %.1f s; calm after %.1f s; interruptions: %s",
        len(world.raters),
        changes,
        storm_seconds,
        calm_seconds,
        dict(world.client.interruptions),
    )
