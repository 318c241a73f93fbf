"""The life of a server: how it starts, what it refuses to start with, how it drains."""

import asyncio
import signal
import socket
import urllib.request
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sagamesh.mesh.v1 import saga_pb2, saga_pb2_grpc

from mesh.channel import refusal_from
from mesh.errors import Unavailable
from mesh.server import Server, StartError
from tests.mesh.echo import EchoClient, EchoServicer, Keys, Message, compiled, echo, echo_service, plain_channel
from tests.mesh.echo import serving as serving_echo
from tests.mesh.echo_process import echo_process

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Gate:
    """Holds handlers until it is opened, and tells when one has arrived."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.arrived = asyncio.Event()

    async def hold(self, _: Message) -> None:
        self.arrived.set()
        await self.opened.wait()


async def test_a_drain_tells_health_first_and_lets_calls_in_flight_finish(keys: Keys) -> None:
    gate = Gate()
    async with (
        Server(keys.settings(), [(EchoServicer(gate.hold), echo_service())]) as server,
        plain_channel(server) as channel,
    ):
        health: Any = health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(service="sagamesh.echo.v1.EchoService"))
        assert (await watch.read()).status == SERVING
        in_flight = asyncio.ensure_future(EchoClient(channel).call("Unary", echo("kept")))
        await gate.arrived.wait()
        stopping = asyncio.ensure_future(server.stop())
        assert (await watch.read()).status == NOT_SERVING
        assert not in_flight.done()
        gate.opened.set()
        assert (await in_flight)[0].text == "kept"
        await asyncio.wait_for(stopping, 2)


async def test_a_drain_ends_what_outlasts_its_grace(keys: Keys) -> None:
    gate = Gate()
    async with (
        Server(keys.settings(drain_grace_seconds=0.2), [(EchoServicer(gate.hold), echo_service())]) as server,
        plain_channel(server) as channel,
    ):
        in_flight = asyncio.ensure_future(EchoClient(channel).call("Patient", echo()))
        await gate.arrived.wait()
        await asyncio.wait_for(server.stop(), 3)
        with pytest.raises((aio.AioRpcError, asyncio.CancelledError)):
            await in_flight


async def test_streams_that_listen_to_the_drain_end_with_ok(keys: Keys) -> None:
    draining = asyncio.Event()

    class Listening(EchoServicer):
        async def ServerStream(self, request: Message, context: Any) -> AsyncIterator[Message]:
            yield request
            await draining.wait()
            yield echo("goodbye")

    async with (
        Server(keys.settings(), [(Listening(), echo_service())], draining=draining) as server,
        plain_channel(server) as channel,
    ):
        call = EchoClient(channel).start("ServerStream", echo("hello"))
        assert (await call.read()).text == "hello"
        stopping = asyncio.ensure_future(server.stop())
        assert (await call.read()).text == "goodbye"
        assert await call.read() is aio.EOF
        assert await call.code() is grpc.StatusCode.OK
        await asyncio.wait_for(stopping, 2)


@pytest.mark.parametrize("method", ["ServerStream", "Bidi", "Poll"])
async def test_streams_and_long_polls_that_do_not_listen_are_told_to_turn_elsewhere(keys: Keys, method: str) -> None:
    gate = Gate()
    async with (
        Server(keys.settings(drain_grace_seconds=0.3), [(EchoServicer(gate.hold), echo_service())]) as server,
        plain_channel(server) as channel,
    ):
        waiting = asyncio.ensure_future(EchoClient(channel).call(method, echo()))
        await gate.arrived.wait()
        await asyncio.wait_for(server.stop(), 3)
        with pytest.raises(aio.AioRpcError) as raised:
            await waiting
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert isinstance(refusal_from(raised.value), Unavailable)


async def test_resources_are_open_while_calls_run_and_closed_after_the_last(keys: Keys) -> None:
    events: list[str] = []
    gate = Gate()

    @asynccontextmanager
    async def resource(name: str) -> AsyncGenerator[None]:
        events.append(f"{name} opened")
        yield
        events.append(f"{name} closed")

    async def act(request: Message) -> None:
        await gate.hold(request)
        events.append("call finished")

    services = [(EchoServicer(act), echo_service())]
    async with (
        Server(keys.settings(), services, resources=[resource("engine"), resource("listener")]) as server,
        plain_channel(server) as channel,
    ):
        call = asyncio.ensure_future(EchoClient(channel).call("Unary", echo()))
        await gate.arrived.wait()
        stopping = asyncio.ensure_future(server.stop())
        await server.draining.wait()
        gate.opened.set()
        await asyncio.gather(call, stopping)
    opened = ["engine opened", "listener opened"]
    assert events == [*opened, "call finished", "listener closed", "engine closed"]


async def test_a_start_that_fails_closes_what_it_opened(keys: Keys) -> None:
    closed: list[bool] = []

    @asynccontextmanager
    async def resource() -> AsyncGenerator[None]:
        try:
            yield
        finally:
            closed.append(True)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = keys.settings(listen=address)
        with pytest.raises(StartError, match=f"cannot listen on {address}"):
            await Server(settings, [(EchoServicer(), echo_service())], resources=[resource()]).start()
    assert closed == [True]


async def test_stopping_before_the_start_and_twice_does_nothing(keys: Keys) -> None:
    server = Server(keys.settings(), [(EchoServicer(), echo_service())])
    await server.stop()
    await server.start()
    await server.stop()
    await server.stop()


async def test_an_rpc_without_a_policy_keeps_the_server_from_starting(keys: Keys) -> None:
    text = """
        syntax = "proto3";
        package sagamesh.unruly.v1;
        message Nothing {}
        service UnrulyService { rpc Do(Nothing) returns (Nothing); }
    """
    service = compiled(text, "unruly.proto").services_by_name["UnrulyService"]
    with pytest.raises(StartError, match=r"sagamesh\.unruly\.v1\.UnrulyService\.Do"):
        await Server(keys.settings(), [(object(), service)]).start()


async def test_a_servicer_that_forgets_a_method_keeps_the_server_from_starting(keys: Keys) -> None:
    class Forgetful(saga_pb2_grpc.SagaServiceServicer):
        async def GetSaga(self, request: Any, context: Any) -> saga_pb2.Saga:
            return saga_pb2.Saga()

    forgetful: Any = Forgetful  # pyright sees the fault too

    service = saga_pb2.DESCRIPTOR.services_by_name["SagaService"]
    with pytest.raises(StartError, match="Forgetful does not implement ListSagas"):
        await Server(keys.settings(), [(forgetful(), service)]).start()


async def test_missing_keys_keep_the_server_from_starting(keys: Keys) -> None:
    keys.jwks.unlink()
    with pytest.raises(StartError, match=r"jwks\.json cannot be read"):
        await Server(keys.settings(), [(EchoServicer(), echo_service())]).start()


async def test_metrics_tell_rate_errors_and_duration(keys: Keys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    async with serving_echo(keys, EchoServicer(), metrics_listen=address) as (_, client):
        await client.call("Unary", echo())
        with pytest.raises(aio.AioRpcError):
            await client.call("ForUsers", echo())
        text = await asyncio.to_thread(fetched, address)
    method = 'method="/sagamesh.echo.v1.EchoService'
    assert f'grpc_server_calls_total{{code="OK",{method}/Unary"}} 1.0' in text
    assert f'grpc_server_calls_total{{code="UNAUTHENTICATED",{method}/ForUsers"}} 1.0' in text
    assert f'grpc_server_call_seconds_count{{{method}/Unary"}} 1.0' in text
    assert 'grpc_server_calls_in_flight{pool="calls"} 0.0' in text


def fetched(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as response:
        return response.read().decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_process_finishes_its_calls_after_a_signal(keys: Keys, number: signal.Signals) -> None:
    async with echo_process(keys) as running:
        port = (await running.logged("serving"))["port"]
        async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = asyncio.ensure_future(EchoClient(channel).call("Unary", echo("hold"), timeout=10))
            await running.logged("holding")
            running.process.send_signal(number)
            assert (await call)[0].text == "hold"
        assert await running.ended() == 0


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"JWKS": "/nowhere/jwks.json"}, "the JWK Set /nowhere/jwks.json cannot be read (FileNotFoundError)\n"),
        ({"LISTEN": "203.0.113.1:1"}, "cannot listen on 203.0.113.1:1: it is taken, or not this machine's\n"),
        ({"METRICS_LISTEN": "nonsense"}, "cannot show metrics at nonsense: invalid literal"),
        ({"MAX_CONCURRENT_CALLS": "0"}, "the settings of ServerSettings are not valid: max_concurrent_calls: "),
    ],
)
async def test_a_process_that_cannot_start_says_why_in_a_sentence(
    keys: Keys, environment: dict[str, str], sentence: str
) -> None:
    async with echo_process(keys, GRPC_VERBOSITY="NONE", **environment) as running:
        assert await running.ended() == 1
    [said] = running.said
    assert said.startswith(sentence)
