"""One contract being served, with all that was made of it. The next contract is another generation.

It is made without the event loop, in any thread. Each request holds the generation that it began with until it has
ended; a generation that is retired closes its channels when nobody holds it any more.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

from gateway.binding import RouteError
from gateway.contract import Contract, ContractError, read_contract
from gateway.endpoints import Terms, endpoint_of, socket_endpoint_of
from gateway.exchange import Endpoint
from gateway.handshakes import Handshakes
from gateway.openapi import document_of
from gateway.routes import Route, RouteTable, compile_routes
from gateway.settings import GatewaySettings
from gateway.sockets import SocketEndpoint
from gateway.sources import Snapshot, merged
from gateway.streams import Live
from gateway.upstreams import Upstreams
from mesh.codec import Codec
from mesh.codec.forgetting import forget


@dataclass(frozen=True, slots=True)
class Plan:
    """What a contract compiles to. Its channels are not open yet, so it serves one generation only."""

    contract: Contract
    table: RouteTable
    handshakes: Handshakes
    openapi: bytes
    upstreams: Upstreams


def make_generation(
    number: int,
    said: Mapping[str, Snapshot | None],
    *,
    settings: GatewaySettings,
    own_paths: Collection[str],
    terms: Terms,
) -> "Generation":
    """Compiles everything, connects to nothing. `number` counts generations; `said` is what the sources say by their
    names, None of one that has said nothing yet; `own_paths` are those of the gateway's own pages.

    Raises ContractError and RouteError for what cannot be served."""
    snapshot = merged(filter(None, said.values()))
    missing = [name for name, snapshot in said.items() if snapshot is None]
    contract = read_contract(snapshot.descriptor_set)
    try:
        plan = _compile(contract, snapshot.services, settings, own_paths)
        if not plan.table.routes and not missing:
            raise RouteError(f"no rpc with an http rule in {', '.join([*settings.upstreams, *settings.reflect])}")
    except (ContractError, RouteError):
        forget(contract.registry)
        raise
    return Generation(number, plan, terms, missing)


def _compile(
    contract: Contract,
    services: Mapping[str, Sequence[str]],
    settings: GatewaySettings,
    own_paths: Collection[str],
) -> Plan:
    upstreams = Upstreams(settings.upstreams, services, settings.max_message_bytes)
    table = compile_routes(
        contract,
        Codec(contract.registry, ignores_unknown=settings.ignore_unknown),
        serves=lambda rpc: bool(rpc.bindings) and upstreams.target_of(rpc) is not None,
        unary_deadline=settings.unary_deadline,
    )
    _refuse_hidden_routes(table, own_paths)
    handshakes = Handshakes(table.routes)
    openapi = document_of(
        contract,
        table.routes,
        sockets=handshakes.routes,
        title=settings.title,
        version=settings.api_version,
        auth_cookie=settings.auth_cookie,
    )
    return Plan(contract, table, handshakes, openapi, upstreams)


def _refuse_hidden_routes(table: RouteTable, own_paths: Collection[str]) -> None:
    """A rule may cover the gateway's own pages with a wildcard, but none is about one of them alone."""
    for path in own_paths:
        for route in table.routes:
            if route.template.segments == tuple(path.split("/")[1:]):
                raise RouteError(f"{route} is hidden by the gateway's own page {path}")


class Generation:
    """A plan that serves. `with generation:` holds it. What it is made of is read by every request, and changed by
    nothing after `open`."""

    def __init__(self, number: int, plan: Plan, terms: Terms, missing: Sequence[str] = ()) -> None:
        """`number` counts contracts; `missing` names the sources that have not said theirs yet."""
        self.number = number
        self.plan = plan
        self.missing = missing
        self.trie = plan.table.trie
        self.handshakes = plan.handshakes
        self.endpoints: dict[Route, Endpoint] = {}
        self.sockets: dict[Route, SocketEndpoint] = {}
        self._terms = terms
        self._live = Live()
        self._holders = 0
        self._is_retired = False
        self._is_idle = asyncio.Event()

    def __enter__(self) -> "Generation":
        self._holders += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._holders -= 1
        if self._is_retired and not self._holders:
            self._is_idle.set()

    def open(self) -> None:
        """Opens the channels. Needs the running loop."""
        contract, upstreams = self.plan.contract, self.plan.upstreams
        upstreams.open(contract.rpcs)
        for route in self.plan.table.routes:
            self.endpoints[route] = endpoint_of(route, contract, upstreams, self._terms, self._live)
            if route in self.handshakes.routes:
                self.sockets[route] = socket_endpoint_of(route, contract, upstreams, self._terms, self._live)

    def drain(self) -> None:
        """Ends every stream, and every later one at once, with an error that asks its client to come back."""
        self._live.drain()

    async def retire(self, grace: float) -> None:
        """Waits until the last request that holds this has ended, and closes. Streams that go on after `grace` seconds
        are drained; unary calls have deadlines of their own."""
        self._is_retired = True
        if self._holders:
            try:
                await asyncio.wait_for(self._is_idle.wait(), grace)
            except TimeoutError:
                self.drain()
                await self._is_idle.wait()
        await self.close()
        forget(self.plan.contract.registry)

    async def close(self) -> None:
        """Closes the channels, and ends what is still in flight."""
        await self.plan.upstreams.close()
