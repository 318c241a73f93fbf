"""Who gets through to which rpc, on real sockets."""

from typing import Any

import grpc
import pytest
from grpc import aio
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from mesh.call import current_call
from mesh.channel import status_from
from mesh.identity import generate_key, mint
from mesh.status import reason_of
from tests.mesh.echo import CARDINALITIES, EchoServicer, Keys, Message, echo, plain_channel, serving

Outcome = tuple[str, str]  # the code, and the reason or the principal

MISSING = ("UNAUTHENTICATED", "TOKEN_MISSING")
INVALID = ("UNAUTHENTICATED", "TOKEN_INVALID")
EXPIRED = ("UNAUTHENTICATED", "TOKEN_EXPIRED")
DENIED = ("PERMISSION_DENIED", "PERMISSION_DENIED")
ALICE, BOB, WORKER = ("OK", "user:alice"), ("OK", "user:bob"), ("OK", "service:arq_worker")
ANONYMOUS = ("OK", "anonymous:")


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def credentials(keys: Keys) -> dict[str, tuple[tuple[str, str], ...]]:
    return {
        "nobody": (),
        "alice": bearer(mint(keys.users, "alice")),
        "bob the manager": bearer(mint(keys.users, "bob", ["manager"])),
        "the worker": bearer(mint(keys.worker, "service:arq_worker")),
        "a user's key for the worker": bearer(mint(keys.users, "service:arq_worker")),
        "an expired token": bearer(mint(keys.users, "alice", ttl=-1)),
        "a stranger's key": bearer(mint(generate_key("users"), "alice")),
        "another scheme": (("authorization", "Basic YWxpY2U6aHVudGVyMg=="),),
    }


BAD = {"a user's key for the worker": INVALID, "an expired token": EXPIRED, "a stranger's key": INVALID}
BAD["another scheme"] = INVALID

MATRIX: dict[str, dict[str, Outcome]] = {
    "Unary": {"nobody": ANONYMOUS, "alice": ALICE, "bob the manager": BOB, "the worker": WORKER, **BAD},
    "ForUsers": {"nobody": MISSING, "alice": ALICE, "bob the manager": BOB, "the worker": DENIED, **BAD},
    "ForManagers": {"nobody": MISSING, "alice": DENIED, "bob the manager": BOB, "the worker": DENIED, **BAD},
    "ForWorker": {"nobody": MISSING, "alice": DENIED, "bob the manager": DENIED, "the worker": WORKER, **BAD},
    "ForManagersAndWorker": {"nobody": MISSING, "alice": DENIED, "bob the manager": BOB, "the worker": WORKER, **BAD},
    "ForNobody": {"nobody": MISSING, "alice": DENIED, "bob the manager": DENIED, "the worker": DENIED, **BAD},
}


async def who(_: Message) -> Message:
    return echo(current_call().principal.id)


@pytest.mark.parametrize("method", MATRIX)
async def test_an_rpc_admits_exactly_whom_its_policy_names(keys: Keys, method: str) -> None:
    async with serving(keys, EchoServicer(who)) as (_, client):
        outcomes = {
            name: await outcome(client.call(method, echo(), metadata=metadata))
            for name, metadata in credentials(keys).items()
        }
    assert outcomes == MATRIX[method]


async def outcome(answers: Any) -> Outcome:
    try:
        return "OK", (await answers)[-1].text
    except aio.AioRpcError as error:
        return error.code().name, reason_of(status_from(error))


@pytest.mark.parametrize("method", CARDINALITIES)
async def test_a_bad_token_is_refused_even_where_none_is_needed(keys: Keys, method: str) -> None:
    metadata = credentials(keys)["a stranger's key"]
    async with serving(keys, EchoServicer(who)) as (_, client):
        assert await outcome(client.call(method, echo(), metadata=metadata)) == INVALID


async def test_who_may_not_call_is_not_told_what_is_wrong_with_the_request(keys: Keys) -> None:
    async with serving(keys, EchoServicer()) as (_, client):
        assert await outcome(client.call("ForUsers", echo("x" * 21))) == MISSING


async def test_health_and_reflection_are_for_anyone_and_channelz_for_operators(keys: Keys) -> None:
    async with serving(keys, EchoServicer()) as (server, _), plain_channel(server) as channel:
        plain: Any = channel  # the stubs of these packages know synchronous channels only
        health: Any = health_pb2_grpc.HealthStub(plain)
        for service in ("", "sagamesh.echo.v1.EchoService"):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(plain)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        [listing] = [answer async for answer in reflection.ServerReflectionInfo(iter([request]))]
        names = {service.name for service in listing.list_services_response.service}
        assert "sagamesh.echo.v1.EchoService" in names
        channelz: Any = channelz_pb2_grpc.ChannelzStub(plain)
        with pytest.raises(aio.AioRpcError) as raised:
            await channelz.GetServers(channelz_pb2.GetServersRequest())
        assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
        operator = bearer(mint(keys.users, "eve", ["operator"]))
        servers = await channelz.GetServers(channelz_pb2.GetServersRequest(), metadata=operator)
        assert len(servers.server) >= 1
