"""What happens around a call of each cardinality, on real sockets."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest
from grpc import aio

from mesh.call import current_call
from mesh.channel import refusal_from, status_from
from mesh.errors import Aborted, EtagMismatch, InvalidArgument, Refusal, ResourceExhausted
from mesh.idempotency import Replayed
from tests.mesh.echo import CARDINALITIES, EchoClient, EchoServicer, Keys, Message, echo, plain_channel, serving

SECRET = "postgresql://owner:hunter2@db/scores"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

each_cardinality = pytest.mark.parametrize("method", CARDINALITIES)


async def failure(client: EchoClient, method: str, *requests: Message, **options: Any) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as raised:
        await client.call(method, *requests, **options)
    return raised.value


async def refusal(client: EchoClient, method: str, *requests: Message, **options: Any) -> Refusal:
    result = refusal_from(await failure(client, method, *requests, **options))
    assert isinstance(result, Refusal)
    return result


@each_cardinality
async def test_a_call_is_answered(keys: Keys, method: str) -> None:
    async with serving(keys, EchoServicer()) as (_, client):
        assert {answer.text for answer in await client.call(method, echo("hello"))} == {"hello"}


@each_cardinality
async def test_a_refusal_arrives_with_its_reason_and_metadata(keys: Keys, method: str) -> None:
    async def refuse(_: Message) -> None:
        raise EtagMismatch(metadata={"etag": "2.1"})

    async with serving(keys, EchoServicer(refuse)) as (_, client):
        refused = await refusal(client, method, echo())
    assert isinstance(refused, Aborted)
    assert (refused.reason, refused.metadata) == ("ETAG_MISMATCH", {"etag": "2.1"})


@each_cardinality
async def test_an_unexpected_error_tells_its_caller_nothing_and_the_log_everything(
    keys: Keys, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: Message) -> None:
        raise RuntimeError(f"cannot connect to {SECRET}")

    async with serving(keys, EchoServicer(fail)) as (_, client):
        error = await failure(client, method, echo(), metadata=(("traceparent", TRACE),))
    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "internal error")
    assert "hunter2" not in repr(error)
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert SECRET in str(record.exc_info[1])
    assert vars(record)["facts"]["trace_id"] == TRACE[3:35]


@each_cardinality
async def test_the_callers_deadline_ends_the_handler(keys: Keys, method: str) -> None:
    ended = asyncio.Event()

    async def hang(_: Message) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with serving(keys, EchoServicer(hang)) as (_, client):
        error = await failure(client, method, echo(), timeout=0.1)
        await asyncio.wait_for(ended.wait(), 2)
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("method", ["Hurried", "HurriedStream"])
async def test_the_policys_deadline_holds_when_the_caller_sets_none(keys: Keys, method: str) -> None:
    async def hang(_: Message) -> None:
        await asyncio.Event().wait()

    async with serving(keys, EchoServicer(hang)) as (_, client):
        error = await failure(client, method, echo())
    assert (error.code(), error.details()) == (grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed")


async def test_a_timeout_of_the_handlers_own_is_not_taken_for_the_deadline(keys: Keys) -> None:
    async def time_out(_: Message) -> None:
        raise TimeoutError("the database took too long")

    async with serving(keys, EchoServicer(time_out)) as (_, client):
        error = await failure(client, "Patient", echo())
    assert error.code() is grpc.StatusCode.INTERNAL


@each_cardinality
async def test_a_handler_knows_its_call(keys: Keys, method: str) -> None:
    async def tell(_: Message) -> Message:
        call = current_call()
        assert call.time_remaining is not None
        return echo(call.traceparent[3:15], number=round(call.time_remaining), item={"size": len(call.method)})

    async with serving(keys, EchoServicer(tell)) as (_, client):
        answer = (await client.call(method, echo(), timeout=30, metadata=(("traceparent", TRACE),)))[-1]
    assert (answer.text, answer.number) == (TRACE[3:15], 30)
    assert answer.item.size == len(f"/sagamesh.echo.v1.EchoService/{method}")


async def test_a_call_without_a_usable_traceparent_starts_a_trace(keys: Keys) -> None:
    async def tell(_: Message) -> Message:
        return echo(current_call().traceparent[3:23])

    async with serving(keys, EchoServicer(tell)) as (_, client):
        answers = [
            (await client.call("Unary", echo(), metadata=metadata))[0].text
            for metadata in ((), (("traceparent", "00-0000-zz"),))
        ]
    assert all(len(answer) == 20 for answer in answers)
    assert answers[0] != answers[1]


@each_cardinality
async def test_a_request_that_breaks_a_constraint_never_reaches_the_handler(keys: Keys, method: str) -> None:
    seen: list[Message] = []

    async def see(request: Message) -> None:
        seen.append(request)

    async with serving(keys, EchoServicer(see)) as (_, client):
        refused = await refusal(client, method, echo("x" * 21))
    assert isinstance(refused, InvalidArgument)
    assert list(refused.violations) == ["text"]
    assert seen == []


async def test_each_message_of_a_stream_is_validated(keys: Keys) -> None:
    async with serving(keys, EchoServicer()) as (_, client):
        call = client.start("Bidi", echo("fine"), echo("x" * 21), echo("fine"))
        assert (await call.read()).text == "fine"
        with pytest.raises(aio.AioRpcError) as raised:
            await call.read()
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_violations_name_fields_by_their_path(keys: Keys) -> None:
    long = {"name": "x" * 6}
    request = echo("x" * 21, item=long, items=[{"name": "ok"}, {"name": "x" * 6, "size": -1}], by_name={"a b": long})
    async with serving(keys, EchoServicer()) as (_, client):
        error = await failure(client, "Unary", request)
    bad = BadRequest()
    assert any(detail.Unpack(bad) for detail in status_from(error).details)
    paths = {violation.field for violation in bad.field_violations}
    assert paths == {"text", "item.name", "items[1].name", "items[1].size", 'by_name["a b"].name'}


async def test_many_violations_still_fit_into_the_trailers(keys: Keys) -> None:
    request = echo(by_name={f"{'k' * 150}{number}": {"name": "x" * 6} for number in range(100)})
    async with serving(keys, EchoServicer()) as (_, client):
        refused = await refusal(client, "Unary", request)
    assert isinstance(refused, InvalidArgument)


async def test_a_refusal_too_large_for_the_trailers_loses_details_but_not_its_code(keys: Keys) -> None:
    async def refuse(_: Message) -> None:
        raise EtagMismatch("why " * 5000, metadata={"etag": "x" * 9000})

    async with serving(keys, EchoServicer(refuse)) as (_, client):
        error = await failure(client, "Unary", echo())
    assert error.code() is grpc.StatusCode.ABORTED


@each_cardinality
async def test_a_body_that_does_not_parse_is_refused(keys: Keys, method: str) -> None:
    async with serving(keys, EchoServicer()) as (_, client):
        refused = await refusal(client, method, b"\xff\xff\xff")
    assert isinstance(refused, InvalidArgument)
    assert refused.reason == "MALFORMED"


async def test_the_code_of_an_abort_by_the_handler_stands(keys: Keys) -> None:
    class Aborting(EchoServicer):
        async def Unary(self, request: Message, context: Any) -> Message:
            await context.abort(grpc.StatusCode.DATA_LOSS, "lost", (("why", "rot"),))

    async with serving(keys, Aborting()) as (_, client):
        error = await failure(client, "Unary", echo())
    assert (error.code(), error.details()) == (grpc.StatusCode.DATA_LOSS, "lost")
    assert ("why", "rot") in list(error.trailing_metadata() or ())


async def test_a_replayed_request_gets_its_first_answer(keys: Keys) -> None:
    async def replay(_: Message) -> None:
        raise Replayed(echo("first").SerializeToString())

    async with serving(keys, EchoServicer(replay)) as (_, client):
        assert (await client.call("Unary", echo("again")))[0].text == "first"


async def test_an_answer_of_the_wrong_type_is_an_internal_error(keys: Keys) -> None:
    class Wrong(EchoServicer):
        async def Unary(self, request: Message, context: Any) -> Message:
            return SECRET

    async with serving(keys, Wrong()) as (_, client):
        error = await failure(client, "Unary", echo())
    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "internal error")


async def test_a_handler_may_write_its_stream_itself(keys: Keys) -> None:
    class Writing(EchoServicer):
        async def ServerStream(self, request: Message, context: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            await context.write(request)

        async def Bidi(self, requests: AsyncIterator[Message], context: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            while (request := await context.read()) is not aio.EOF:
                await context.write(request)

    async with serving(keys, Writing()) as (_, client):
        assert [answer.text for answer in await client.call("ServerStream", echo("a"))] == ["a"]
        assert [answer.text for answer in await client.call("Bidi", echo("a"), echo("b"))] == ["a", "b"]
        assert isinstance(await refusal(client, "Bidi", echo("x" * 21)), InvalidArgument)


async def test_the_handler_of_a_caller_that_leaves_is_cancelled(keys: Keys) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def hang(_: Message) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serving(keys, EchoServicer(hang)) as (_, client):
        call = client.start("ServerStream", echo())
        await started.wait()
        call.cancel()
        await asyncio.wait_for(cancelled.wait(), 2)


class Gate:
    """Holds handlers until it is opened, and tells how many wait."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.arrived = asyncio.Semaphore(0)

    async def pass_through(self, _: Message) -> None:
        self.arrived.release()
        await self.opened.wait()


async def test_calls_above_the_limit_are_refused_with_a_delay(keys: Keys) -> None:
    gate = Gate()
    async with serving(keys, EchoServicer(gate.pass_through), max_concurrent_calls=1) as (_, client):
        admitted = asyncio.ensure_future(client.call("Unary", echo()))
        await gate.arrived.acquire()
        refused = await refusal(client, "Unary", echo())
        gate.opened.set()
        await admitted
        await client.call("Unary", echo())
    assert isinstance(refused, ResourceExhausted)
    assert refused.reason == "OVERLOADED"
    assert refused.retry_after is not None


async def test_streams_and_long_polls_take_no_place_from_unary_calls(keys: Keys) -> None:
    gate = Gate()
    limits = {"max_concurrent_calls": 1, "max_concurrent_streams": 2}
    async with serving(keys, EchoServicer(gate.pass_through), **limits) as (_, client):
        waiting = [asyncio.ensure_future(client.call(method, echo())) for method in ("ServerStream", "Poll")]
        for _ in waiting:
            await gate.arrived.acquire()
        assert isinstance(await refusal(client, "Bidi", echo()), ResourceExhausted)
        unary = asyncio.ensure_future(client.call("Unary", echo()))
        await gate.arrived.acquire()
        gate.opened.set()
        await asyncio.gather(unary, *waiting)


async def test_every_call_is_logged_in_one_line(keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving(keys, EchoServicer()) as (_, client):
        await client.call("Unary", echo("private"), metadata=(("traceparent", TRACE),))
    [record] = [record for record in caplog.records if record.name == "mesh.calls"]
    facts = vars(record)["facts"]
    assert facts.pop("ms") >= 0
    assert facts == {
        "method": "/sagamesh.echo.v1.EchoService/Unary",
        "code": "OK",
        "principal": "anonymous:",
        "trace_id": TRACE[3:35],
    }


async def test_an_unknown_rpc_is_unimplemented(keys: Keys) -> None:
    async with serving(keys, EchoServicer()) as (server, _), plain_channel(server) as channel:
        with pytest.raises(aio.AioRpcError) as raised:
            await channel.unary_unary("/sagamesh.echo.v1.EchoService/Shout")(b"")
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
