"""Every process is killed in turn while users score, edit and withdraw: what was acknowledged comes true, once."""

import logging
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence

import pytest

from tests.chaos import verdict
from tests.chaos.client import PatientClient
from tests.chaos.outage import DESTINATION, outlast
from tests.chaos.storm import Strike, flush_and_kill_redis, kill, storm
from tests.chaos.world import World
from tests.system import System, running_system

_log = logging.getLogger(__name__)

ATTEMPTS = 3
COMPRESSED = {
    # A killed relay's buckets are free when its lease ends; six seconds of that would be most of the test.
    "SCORE_MAKER_OUTBOX_LEASE_SECONDS": "2",
    # All attempts of a message that fails by itself fit into a second.
    "SCORE_MAKER_RETRY_ATTEMPTS": str(ATTEMPTS),
    "SCORE_MAKER_RETRY_BASE_SECONDS": "0.05",
    "SCORE_MAKER_RETRY_CAP_SECONDS": "0.2",
    # An outage begins with scores of an event that score_maker knows; on a busy machine a second is soon over.
    "SCORE_MAKER_EVENT_KEEP_SECONDS": "5",
}
REPLICAS = {"single": {}, "doubled": {"line_provider": 2, "score_maker": 2, "arq_worker": 2}}
single = pytest.mark.parametrize("system", ["single"], indirect=True)
doubled = pytest.mark.parametrize("system", ["doubled"], indirect=True)
either = pytest.mark.parametrize("system", ["single", "doubled"], indirect=True)


@pytest.fixture(scope="module")
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A stack of these tests' own: with one process of each, or with two relays and two replicas of each service."""
    directory = tmp_path_factory.mktemp(request.param)
    with running_system(directory, replicas=REPLICAS[request.param], environment=COMPRESSED) as system:
        yield system


@pytest.fixture
def rng() -> random.Random:
    """What happens follows from CHAOS_SEED; a failure's log has it."""
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().getrandbits(32))
    _log.warning("CHAOS_SEED=%d", seed)
    return random.Random(seed)


@single
async def test_nothing_is_lost_or_applied_twice_while_every_process_is_killed_in_turn(
    system: System, rng: random.Random
) -> None:
    await survive(system, rng, system.names(), scores=200)


@single
async def test_an_outage_longer_than_the_retry_schedule_costs_no_message(system: System, rng: random.Random) -> None:
    outage = system.outage(*system.replicas(DESTINATION))
    await outlast(system, outage, rng, scores=8, failures=2 * ATTEMPTS)


@doubled
async def test_nothing_is_lost_or_applied_twice_with_two_relays_and_two_replicas(
    system: System, rng: random.Random
) -> None:
    one_of_each = [rng.choice(system.replicas(name)) for name in ("line_provider", "score_maker", "arq_worker")]
    await survive(system, rng, [*one_of_each, "gateway", "redis-work", "postgres"], scores=200)


@pytest.mark.long
@either
async def test_nothing_is_lost_or_applied_twice_in_2000_scores(system: System, rng: random.Random) -> None:
    await survive(system, rng, system.names() * 3, scores=2000)


@pytest.mark.long
@either
async def test_a_long_outage_of_all_replicas_costs_no_message(system: System, rng: random.Random) -> None:
    outage = system.outage(*system.replicas(DESTINATION))
    await outlast(system, outage, rng, scores=400, failures=6 * ATTEMPTS)


@pytest.mark.long
@either
async def test_a_destination_that_hangs_costs_no_message(system: System, rng: random.Random) -> None:
    hang = system.hang(*system.replicas(DESTINATION))
    await outlast(system, hang, rng, scores=40, failures=2 * ATTEMPTS)


async def survive(system: System, rng: random.Random, processes: Sequence[str], *, scores: int) -> None:
    """Has scores made and changed while those processes die, in some order, and judges the end."""
    await system.all_ready()
    before = await verdict.Tally.of(system)
    async with system.client() as http:
        world = World(system, PatientClient(http, rng), rng)
        victims = rng.sample(processes, len(processes))
        doomed = [await world.create_event() for _ in victims]
        people(world, scores, [await world.create_event() for _ in range(4)], doomed)
        strikes = [strike(name, world, event) for name, event in zip(victims, doomed, strict=True)]
        pids = {name: system.pid(name) for name in victims}
        began = time.monotonic()
        await storm(system, world.raters, world.client, strikes)
        worked = time.monotonic()
        await system.all_ready()
        await world.calm()
        calm = time.monotonic()
        assert all(system.pid(name) != pid for name, pid in pids.items()), "a process was not killed"
        ends = await verdict.nothing_lost_nothing_twice(world)
    await verdict.nothing_given_up(system)
    await verdict.one_message_a_change(world, before)
    assert world.client.interruptions, "nobody noticed"
    assert any(end.endswith("EVENT_FINISHED") for end in ends), "no acknowledged change was refused"
    report(world, ends, worked - began, calm - worked)


def people(world: World, scores: int, events: Sequence[str], doomed: Sequence[str]) -> None:
    """Three of four scores are of events that stay open; the others are of events that finish under them. Those of
    the event that is finished at a strike are at work around it."""
    each = scores // 4 // len(doomed)
    lasting = scores - each * len(doomed)
    for number, event_id in enumerate(doomed):
        first = len(world.raters)
        for user in range(each):
            world.rater(f"user-{user}", event_id, actions=world.rng.randint(1, 4), doomed=True)
        for user in range(number * lasting // len(doomed), (number + 1) * lasting // len(doomed)):
            world.rater(f"user-{user // 4}", events[user % 4], actions=world.rng.randint(1, 4))
        world.raters[first:] = world.rng.sample(world.raters[first:], len(world.raters) - first)


def strike(name: str, world: World, event_id: str) -> Strike:
    """Finishes an event, and kills a process."""
    kills = flush_and_kill_redis if name == "redis-work" else kill(name)

    async def both(system: System) -> None:
        await world.finish(event_id)
        await kills(system)

    return both


def report(world: World, ends: Mapping[str, int], storm_seconds: float, calm_seconds: float) -> None:
    """Says what the test was worth."""
    changes = sum(len(rater.changes) for rater in world.raters)
    _log.warning("%d changes acknowledged in %.1f s, calm after %.1f s", changes, storm_seconds, calm_seconds)
    _log.warning("scores ended %s; clients were interrupted by %s", dict(ends), dict(world.client.interruptions))
