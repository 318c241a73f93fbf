"""The small world of tests/mesh/messaging.py over real gRPC: an outbox server, inbox servers, and relays between."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from sagamesh.mesh.v1 import inbox_pb2, inbox_pb2_grpc, outbox_pb2_grpc

from arq_worker.lane import Backoff, Destination
from arq_worker.relay import Relay, RelayOptions
from mesh.outbox.servicer import OutboxOptions, OutboxServicer
from mesh.outbox.settle import RetryPolicy
from tests.mesh.messaging import PARTICIPANTS, World

Fault = Callable[[inbox_pb2.DeliverRequest], grpc.StatusCode | None]


class Inbox(inbox_pb2_grpc.InboxServiceServicer):
    """A participant's inbox that fails as a test wants, and keeps the sizes of the batches it was sent."""

    def __init__(self, world: World, name: str) -> None:
        self._participant = world.participants[name]
        self.fault: Fault = lambda request: None
        self.is_serving = True
        self.sizes: list[int] = []

    async def Deliver(self, request: inbox_pb2.DeliverRequest, context: Any) -> inbox_pb2.DeliverResponse:
        self.sizes.append(len(request.envelopes))
        if (code := self.fault(request)) is not None:
            await context.abort(code, "as the test wants")
        return inbox_pb2.DeliverResponse(outcomes=await self._participant.delivery.deliver(request.envelopes))

    def probe(self) -> Callable[[], Awaitable[bool]]:
        async def is_serving() -> bool:
            return self.is_serving

        return is_serving


class Network:
    """The servers of a world, and the way to start relays on them."""

    def __init__(self, world: World) -> None:
        self.world = world
        options = OutboxOptions(lease_ttl=2.0, poll=0.1, retry=RetryPolicy(attempts=4, base=0.01))
        self.draining = asyncio.Event()
        self.outbox = OutboxServicer(world.engine, world.sagas, world.signal, self.draining, options)
        self.inboxes = {name: Inbox(world, name) for name in PARTICIPANTS}
        self._channel: grpc.aio.Channel | None = None
        self._inbox_channels: dict[str, grpc.aio.Channel] = {}

    async def open(self, stack: list[Callable[[], Awaitable[object]]]) -> None:
        """Starts the servers; what `stack` gets closes them."""
        self._channel = await self._serve(
            lambda server: outbox_pb2_grpc.add_OutboxServiceServicer_to_server(self.outbox, server), stack
        )
        for name, inbox in self.inboxes.items():
            self._inbox_channels[name] = await self._serve(
                lambda server, inbox=inbox: inbox_pb2_grpc.add_InboxServiceServicer_to_server(inbox, server), stack
            )

    async def _serve(
        self, add: Callable[[grpc.aio.Server], None], stack: list[Callable[[], Awaitable[object]]]
    ) -> grpc.aio.Channel:
        server = grpc.aio.server()
        add(server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        stack += [channel.close, lambda: server.stop(None)]
        return channel

    def relay(self, *, without: str = "") -> Relay:
        """A relay that knows every destination but `without`."""
        assert self._channel is not None
        destinations = {
            name: Destination(name, inbox_pb2_grpc.InboxServiceStub(channel), self.inboxes[name].probe())
            for name, channel in self._inbox_channels.items()
            if name != without
        }
        options = RelayOptions(wait=1.0, deliver_timeout=5.0, backoff=Backoff(base=0.01, cap=0.05))
        return Relay("producer", outbox_pb2_grpc.OutboxServiceStub(self._channel), destinations, options)

    @asynccontextmanager
    async def relaying(self, relay: Relay | None = None) -> AsyncGenerator[Relay]:
        """A relay that runs meanwhile."""
        relay = relay or self.relay()
        task = asyncio.create_task(relay.run())
        try:
            yield relay
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def until(self, condition: Callable[[], Awaitable[bool]], *, seconds: float = 20.0) -> None:
        """Returns when a condition holds; fails when it does not in time."""
        async with asyncio.timeout(seconds):
            while not await condition():
                await asyncio.sleep(0.02)

    async def is_empty(self) -> bool:
        """Whether nothing waits in the outbox."""
        return await self.world.query("SELECT count(*) FROM outbox") == [(0,)]


@asynccontextmanager
async def network(world: World) -> AsyncGenerator[Network]:
    """The servers of a world, closed afterwards."""
    closers: list[Callable[[], Awaitable[object]]] = []
    result = Network(world)
    try:
        await result.open(closers)
        yield result
    finally:
        result.draining.set()
        for close in closers:
            await close()
