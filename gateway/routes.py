"""All routes of a contract, compiled at start. A rule that cannot be served, or that conflicts, stops the start."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from gateway.binding import RequestBinder, RouteError, compile_binder
from gateway.contract import Contract, HttpBinding, Rpc
from gateway.replies import RawRenderer, Renderer, compile_renderer
from gateway.template import Segment, Template, TemplateError, parse_template
from gateway.trie import PathTrie, TrieConflictError
from mesh.codec import Codec


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One REST form of an rpc, equal only to itself. `label` names it in logs, metrics and errors:
    `GET /v1/events/{event_id}`."""

    label: str
    rpc: Rpc
    rule: HttpBinding
    template: Template
    binder: RequestBinder
    renderer: Renderer
    codec: Codec
    default_deadline: float | None

    @property
    def is_raw(self) -> bool:
        """Whether bytes that are no JSON go in or out (google.api.HttpBody)."""
        return self.binder.takes_raw or isinstance(self.renderer, RawRenderer)

    def __str__(self) -> str:
        return f"{self.rpc.full_name} ({self.label})"


@dataclass(frozen=True, slots=True)
class RouteTable:
    """The routes in the order of the contract, and the trie that finds them."""

    routes: tuple[Route, ...]
    trie: PathTrie[Route]


def compile_routes(
    contract: Contract, codec: Codec, *, serves: Callable[[Rpc], bool], unary_deadline: float
) -> RouteTable:
    """Compiles every rule of the rpcs that `serves` admits. `unary_deadline` (seconds) is for rpcs that answer at
    once and whose policy gives none. Raises RouteError."""
    trie = PathTrie[Route]()
    routes: list[Route] = []
    for rpc in contract.rpcs:
        if not serves(rpc):
            continue
        deadline = rpc.default_deadline or (None if rpc.waits else unary_deadline)
        for rule, template, segments in _rules_of(rpc):
            route = _route(contract, codec, rpc, rule, template, deadline)
            try:
                trie.add(rule.verb, segments, template.verb, route)
            except TrieConflictError as conflict:
                raise RouteError(f"{route} and {conflict.existing} serve the same requests") from None
            routes.append(route)
    return RouteTable(tuple(routes), trie)


def _rules_of(rpc: Rpc) -> Iterator[tuple[HttpBinding, Template, Sequence[Segment]]]:
    for rule in rpc.bindings:
        try:
            template = parse_template(rule.template)
        except TemplateError as error:
            raise RouteError(f"{rpc.full_name}: path template {error}") from None
        yield rule, template, template.segments
    if rpc.policy is not None and rpc.bindings:
        for path in rpc.policy.alias:
            first = rpc.bindings[0]
            segments = tuple(map(unquote, path.split("/")[1:]))
            yield (
                HttpBinding(first.verb, path, first.body, first.response_body),
                Template(path, segments, (), ""),
                segments,
            )


def _route(
    contract: Contract, codec: Codec, rpc: Rpc, rule: HttpBinding, template: Template, deadline: float | None
) -> Route:
    try:
        binder = compile_binder(contract, codec, rpc, rule, template)
        renderer = compile_renderer(contract, codec, rpc, rule)
    except RouteError as error:
        raise RouteError(f"{rpc.full_name} ({rule.verb} {rule.template}): {error}") from None
    return Route(f"{rule.verb} {rule.template}", rpc, rule, template, binder, renderer, codec, deadline)
