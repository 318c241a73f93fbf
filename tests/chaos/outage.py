"""A destination that is away for longer than any message would be retried: what it misses, it gets."""

import asyncio
import random
from contextlib import AbstractAsyncContextManager

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.chaos import verdict
from tests.chaos.client import PatientClient, Refused
from tests.chaos.raters import Rater
from tests.chaos.world import World
from tests.system import System

DESTINATION = "line_provider"


async def outlast(
    system: System, outage: AbstractAsyncContextManager[None], rng: random.Random, *, scores: int, failures: int
) -> None:
    """Has scores made while line_provider is away, until that has failed `failures` deliveries, and judges the end."""
    await system.all_ready()
    before = await verdict.Tally.of(system)
    async with system.client() as http:
        world = World(system, PatientClient(http, rng), rng)
        impatient = PatientClient(http, rng, insist=False)
        event_id = await world.create_event()
        # score_maker has just looked at the event, and for some seconds need not ask for it again.
        await world.rater("first", event_id, actions=1).act(world.client)
        failed = await _failures(system)
        async with outage:
            raters = [world.rater(f"user-{number}", event_id, actions=1) for number in range(scores)]
            acknowledged = sum(await asyncio.gather(*(_is_taken(rater, impatient) for rater in raters)))
            assert acknowledged, "score_maker took no score"
            await _refused_in_the_end(world.rater("late", event_id, actions=1), impatient)
            await _failed_deliveries(system, failed + failures)
            await verdict.nothing_given_up(system, waiting=True)
        await world.calm()
        await verdict.nothing_lost_nothing_twice(world)
    await verdict.nothing_given_up(system)
    await verdict.one_message_a_change(world, before)


async def _is_taken(rater: Rater, client: PatientClient) -> bool:
    try:
        await rater.act(client)
    except Refused as refused:
        if (refused.status, refused.reason) != (503, "EVENTS_UNAVAILABLE"):
            raise
        return False
    return True


async def _refused_in_the_end(rater: Rater, client: PatientClient) -> None:
    """Without line_provider no new score is taken, as soon as what score_maker knows of the event is too old."""
    async with asyncio.timeout(30):
        while await _is_taken(rater, client):
            await asyncio.sleep(0.1)


async def _failed_deliveries(system: System, number: float, within: float = 120) -> None:
    """Waits until the relays have tried and failed so often in their lives."""
    async with asyncio.timeout(within):
        while await _failures(system) < number:
            await asyncio.sleep(0.2)


async def _failures(system: System) -> float:
    return sum([await _failures_of(system, worker) for worker in system.replicas("arq_worker")])


async def _failures_of(system: System, worker: str) -> float:
    async with httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"http://{system.metrics(worker)}/metrics")).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "sagamesh_relay_deliveries_total" and sample.labels["code"] != "OK"
    )
