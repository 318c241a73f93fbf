"""What a channel adds to calls, and what it survives, on real sockets."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc import aio

from mesh.call import CURRENT, Call, current_call
from mesh.channel import open_channel, refusal_from, service_config
from mesh.errors import InvalidArgument, NotFound, Refusal, Unavailable
from mesh.identity import ServiceTokens
from mesh.policy import policies_of
from mesh.server import Server
from tests.mesh.echo import CARDINALITIES, EchoClient, EchoServicer, Keys, Message, echo, echo_service, serving
from tests.mesh.echo_process import echo_process

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@asynccontextmanager
async def client_of(*servers: Server, token: ServiceTokens | None = None) -> AsyncGenerator[EchoClient]:
    target = "ipv4:" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
    async with open_channel(target, [echo_service()], token) as channel:
        yield EchoClient(channel)


async def tell(_: Message) -> Message:
    """Answers with what the server knows of the call: its trace, its caller, its deadline in milliseconds."""
    call = current_call()
    remaining = -1 if call.time_remaining is None else call.time_remaining * 1000
    return echo(call.traceparent[3:19], item={"name": call.principal.id}, number=round(remaining))


@pytest.mark.parametrize("method", CARDINALITIES)
async def test_calls_carry_the_services_token_and_the_trace(keys: Keys, method: str) -> None:
    token = ServiceTokens(keys.worker_file)
    async with serving(keys, EchoServicer(tell)) as (server, _), client_of(server, token=token) as client:
        CURRENT.set(Call(traceparent=TRACE))
        answer = (await client.call(method, echo()))[-1]
    assert (answer.item.name, answer.text) == ("service:arq_worker", TRACE[3:19])


async def test_an_authorization_of_the_callers_own_is_kept(keys: Keys) -> None:
    token = ServiceTokens(keys.worker_file)
    async with serving(keys, EchoServicer(tell)) as (server, _), client_of(server, token=token) as client:
        with pytest.raises(aio.AioRpcError) as raised:
            await client.call("Unary", echo(), metadata=(("authorization", "Bearer nonsense"),))
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_the_policys_deadline_is_set_on_the_call(keys: Keys) -> None:
    async with serving(keys, EchoServicer(tell)) as (server, _), client_of(server) as client:
        assert 4000 < (await client.call("Unary", echo()))[0].number < 5100
        assert (await client.call("Poll", echo()))[0].number == -1
        assert 900 < (await client.call("Unary", echo(), timeout=1.0))[0].number < 1100  # grpc rounds up


@pytest.mark.parametrize("method", CARDINALITIES)
async def test_the_deadline_of_the_call_being_served_is_passed_on(keys: Keys, method: str) -> None:
    """Two hops: the caller's two seconds reach the second service, whatever it or the first would allow."""
    async with serving(keys, EchoServicer(tell)) as (second, _), client_of(second) as onward:

        async def relay(_: Message) -> Message:
            return (await onward.call("Patient", echo()))[0]

        async with serving(keys, EchoServicer(relay)) as (first, _), client_of(first) as client:
            answer = (await client.call(method, echo(), timeout=2.0))[-1]
    assert 1000 < answer.number < 2100


async def test_a_call_without_time_left_fails_at_once(keys: Keys) -> None:
    async with serving(keys, EchoServicer(tell)) as (server, _), client_of(server) as client:
        CURRENT.set(Call(deadline=time.monotonic() - 1))
        with pytest.raises(aio.AioRpcError) as raised:
            await client.call("Unary", echo())
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_the_service_config_retries_what_the_policy_allows_and_sets_no_timeout() -> None:
    config = service_config(policies_of([echo_service()]))
    [method] = config["methodConfig"]
    assert method["name"] == [{"service": "sagamesh.echo.v1.EchoService", "method": "Unary"}]
    assert method["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert method["retryPolicy"]["maxAttempts"] == 4
    assert "timeout" not in str(config)


class Flaky(EchoServicer):
    """Refuses the first calls as a dying server does."""

    def __init__(self, failures: int) -> None:
        super().__init__(self.fail)
        self.failures = failures
        self.attempts = 0

    async def fail(self, _: Message) -> None:
        self.attempts += 1
        if self.attempts <= self.failures:
            raise Unavailable


async def test_an_rpc_whose_policy_allows_it_is_tried_four_times(keys: Keys) -> None:
    flaky = Flaky(3)
    async with serving(keys, flaky) as (server, _), client_of(server) as client:
        await client.call("Unary", echo())
    assert flaky.attempts == 4


async def test_an_rpc_whose_policy_does_not_is_tried_once(keys: Keys) -> None:
    flaky = Flaky(1)
    async with serving(keys, flaky) as (server, _), client_of(server) as client:
        with pytest.raises(aio.AioRpcError):
            await client.call("Patient", echo())
    assert flaky.attempts == 1


async def test_failures_become_refusals(keys: Keys) -> None:
    raised: list[Exception] = [NotFound("no such event"), InvalidArgument(field="text"), RuntimeError("secret")]

    async def fail(request: Message) -> None:
        raise raised[request.number]

    async with serving(keys, EchoServicer(fail)) as (server, _), client_of(server) as client:
        results = [await failure(client, echo(number=number)) for number in range(3)]
    assert [type(result) for result in results] == [NotFound, InvalidArgument, aio.AioRpcError]
    assert isinstance(results[1], InvalidArgument)
    assert list(results[1].violations) == ["text"]


async def failure(client: EchoClient, request: Message, **options: Any) -> Refusal | aio.AioRpcError:
    try:
        await client.call("Patient", request, **options)
    except aio.AioRpcError as error:
        return refusal_from(error)
    raise AssertionError("the call succeeded")


async def test_a_service_that_is_away_or_late_is_unavailable(keys: Keys) -> None:
    async def hang(_: Message) -> None:
        await asyncio.Event().wait()

    async with serving(keys, EchoServicer(hang)) as (server, _), client_of(server) as client:
        assert isinstance(await failure(client, echo(), timeout=0.1), Unavailable)
        await server.stop()
        assert isinstance(await failure(client, echo()), Unavailable)


async def test_a_draining_replica_loses_no_call(keys: Keys) -> None:
    """The rpc has no retry policy: what keeps every call whole is health, and then GOAWAY."""
    async with AsyncExitStack() as stack:
        one, _ = await stack.enter_async_context(serving(keys, EchoServicer()))
        other, _ = await stack.enter_async_context(serving(keys, EchoServicer()))
        client = await stack.enter_async_context(client_of(one, other))
        stopping = asyncio.ensure_future(one.stop())
        calls = 0
        while not stopping.done():
            await asyncio.gather(*(client.call("Patient", echo()) for _ in range(8)))
            calls += 8
        assert calls >= 8
        await client.call("Patient", echo())


async def test_a_killed_replica_costs_no_call_that_may_be_retried(keys: Keys) -> None:
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(echo_process(keys)) for _ in range(3)]
        ports = [(await replica.logged("serving"))["port"] for replica in replicas]
        target = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
        channel = await stack.enter_async_context(open_channel(target, [echo_service()]))
        client = EchoClient(channel)
        killed = asyncio.Event()

        async def call_on() -> None:
            while not killed.is_set():
                await client.call("Unary", echo())
            for _ in range(50):
                await client.call("Unary", echo())

        callers = [asyncio.ensure_future(call_on()) for _ in range(8)]
        for replica in replicas:
            await replica.logged("call")
        replicas[0].process.kill()
        await replicas[0].ended()
        killed.set()
        await asyncio.gather(*callers)
