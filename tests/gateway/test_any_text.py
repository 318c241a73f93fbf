"""The gateway's parsers take any text or bytes: they answer, or refuse in their own way. And a path finds what a plain
reading of the templates says."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import strategies as st

from gateway.accepting import qualities
from gateway.body import require_json
from gateway.compression import preferred
from gateway.contract import read_contract
from gateway.errors import RequestRefused
from gateway.framing import framing_for
from gateway.headers import HeaderForwarding, timeout_of, trace_of
from gateway.routes import Route, compile_routes
from gateway.splitting import splitter_for
from gateway.template import Template, TemplateError, Wildcard, parse_template
from gateway.trie import Found, NotAllowed, PathTrie, TrieConflictError
from mesh.codec import Codec
from tests.gateway.contracts import library
from tests.gateway.wire_requests import BODIES, PAIRS, SEGMENTS
from tests.properties import assert_holds, counts

PIECES = "a b %20 %2F %zz a:b :v * ** {a} {a=*} {a.b=**} {b=a/*} { } = /"
TEMPLATE_TEXTS = st.text(max_size=20) | st.lists(st.sampled_from(PIECES.split())).map("".join).map("/".__add__)


@counts(500, 20_000)
def test_any_text_is_a_template_or_an_error_with_its_position(examples: int) -> None:
    def fault_or_starts(text: str) -> list[int]:
        try:
            template = parse_template(text)
        except TemplateError as error:
            return [error.position - 1]
        return [variable.start for variable in template.variables]

    def check(text: str) -> None:
        assert all(-1 <= position < len(text) for position in fault_or_starts(text))

    assert_holds(TEMPLATE_TEXTS, check, examples)


def _joined(segments: str, end: str) -> str:
    return f"/{segments}{end}"


TEMPLATES = st.builds(
    _joined,
    st.lists(st.sampled_from(["a", "b", "a%2Fb", "*", "*", "a/*"]), min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "", "/**", "/{z=**}", ":v", "/**:v", ":w"]),
)
RULES = st.lists(st.tuples(st.sampled_from(["GET", "POST", "*"]), TEMPLATES), min_size=1, max_size=6)
PATHS = st.lists(
    st.sampled_from(["a", "b", "a%2fb", "/", "c", "a:v", "b:w", ":v", "%61", "a:x"]), min_size=1, max_size=4
)


@counts(1000, 40_000)
def test_a_path_finds_what_a_plain_reading_of_the_templates_says(examples: int) -> None:
    def check(drawn: tuple[list[tuple[str, str]], list[str], str]) -> None:
        rules, words, method = drawn
        path = [word.strip("/") for word in words]
        trie, known = PathTrie[str](), dict[tuple[str, str], Template]()
        for verb, source in rules:
            template = parse_template(source)
            with suppress(TrieConflictError):
                trie.add(verb, template.segments, template.verb, f"{verb} {source}")
                known[verb, source] = template
        assert told(trie.find(method, "/" + "/".join(path))) == plainly_read(known, path, method)

    assert_holds(st.tuples(RULES, PATHS, st.sampled_from(["GET", "POST", "HEAD", "PUT"])), check, examples)


def told(found: Found[str] | NotAllowed | None) -> str | frozenset[str] | None:
    """The target, or the methods that the path has."""
    return found.target if isinstance(found, Found) else found.methods if isinstance(found, NotAllowed) else None


def plainly_read(rules: dict[tuple[str, str], Template], path: list[str], method: str) -> str | frozenset[str] | None:
    """Of the templates that match, the most literal one with the method; a verb is one when a template has it."""
    head, _, verb = path[-1].rpartition(":")
    wanted = [method, *(["GET"] if method == "HEAD" else []), "*"]
    for ending, segments in ((unquote(verb), [*path[:-1], head]), ("", path)):
        decoded = [unquote(segment) for segment in segments]
        fits = {rule: one for rule, one in rules.items() if one.verb == ending and matches(one, decoded)}
        best = min(
            ((literalness(one), wanted.index(rule[0]), rule) for rule, one in fits.items() if rule[0] in wanted),
            default=None,
        )
        if best is not None:
            return " ".join(best[2])
        if fits:
            return frozenset(rule[0] for rule in fits)
    return None


def matches(template: Template, path: list[str]) -> bool:
    """Whether a template without its verb has the path."""
    fixed = [segment for segment in template.segments if segment is not Wildcard.REST]
    if len(path) < len(fixed) or (len(path) > len(fixed) and len(fixed) == len(template.segments)):
        return False
    return all(
        there != "" if segment is Wildcard.ONE else there == segment
        for segment, there in zip(fixed, path, strict=False)
    )


def literalness(template: Template) -> list[int]:
    """Sorts literals before `*` before `**`."""
    return [[str, Wildcard.ONE, Wildcard.REST].index(str if isinstance(one, str) else one) for one in template.segments]


@pytest.fixture(scope="module")
def routes() -> tuple[Route, ...]:
    contract = read_contract(library())
    return compile_routes(contract, Codec(contract.registry), serves=lambda rpc: True, unary_deadline=1).routes


VALUES = st.binary(max_size=20) | st.sampled_from([b'"', b'""', b'W/"a"', b"*", b'"a", "b"', b"\xff", b"-1", b"9" * 30])
NAMES = st.sampled_from([b"if-match", b"idempotency-key", b"last-event-id", b"content-type"])


@counts(500, 20_000)
def test_every_route_binds_what_comes_or_says_what_is_wrong(routes: tuple[Route, ...], examples: int) -> None:
    def check(drawn: tuple[Route, list[bytes], bytes, bytes, dict[bytes, bytes]]) -> None:
        route, segments, query, body, headers = drawn
        raw = [segment.decode("latin-1") for segment in segments]
        path = [raw.pop() if isinstance(part, Wildcard) else part for part in route.template.segments]
        with suppress(RequestRefused):
            route.binder.bind(path, query, body if route.rule.body else b"", headers).to_binary()

    segments = st.lists(SEGMENTS, min_size=6, max_size=6)
    queries = st.lists(PAIRS, max_size=3).map(b"&".join) | st.binary(max_size=20)
    drawn = st.tuples(st.sampled_from(routes), segments, queries, BODIES, st.dictionaries(NAMES, VALUES, max_size=2))
    assert_holds(drawn, check, examples)


FORWARDING = HeaderForwarding(["authorization", "x-data-bin"])
HEADERS: dict[str, Callable[[bytes], object]] = {
    "authorization": lambda value: FORWARDING.metadata({b"authorization": value}, {"scheme": "http"}, ""),
    "x-data-bin": lambda value: FORWARDING.metadata({b"x-data-bin": value}, {"scheme": "http"}, ""),
    "x-forwarded-for": lambda value: FORWARDING.metadata({b"x-forwarded-for": value}, {"scheme": "http"}, ""),
    "x-forwarded-proto": lambda value: FORWARDING.metadata({b"x-forwarded-proto": value}, {"scheme": "http"}, ""),
    "host": lambda value: FORWARDING.metadata({b"host": value}, {"scheme": "http"}, ""),
    "traceparent": lambda value: trace_of({b"traceparent": value}),
    "grpc-timeout": lambda value: timeout_of({b"grpc-timeout": value}, None),
    "content-type": lambda value: require_json({b"content-type": value}),
    "content-type of a stream": lambda value: splitter_for(value, 100),
    "accept": framing_for,
    "accept-encoding": lambda value: preferred(value, ("zstd", "br", "gzip")),
    "qualities": qualities,
}


@counts(100, 5000)
@pytest.mark.parametrize("name", HEADERS)
def test_a_header_of_any_bytes_is_understood_or_refused(name: str, examples: int) -> None:
    def check(value: bytes) -> None:
        with suppress(RequestRefused):
            HEADERS[name](value)

    words = st.sampled_from(
        [b"a/b", b"*/*", b";", b",", b"q=", b"0.5", b"nan", b"1e9", b"gzip", b"=", b'"', b"S", b"-", b" "]
    )
    assert_holds(st.binary(max_size=20) | st.lists(words, max_size=8).map(b"".join), check, examples)


@counts(200, 10_000)
@pytest.mark.parametrize("media", [b"application/json", b"application/x-ndjson"])
def test_a_stream_of_any_bytes_is_cut_the_same_however_it_arrives(media: bytes, examples: int) -> None:
    def cut(pieces: list[bytes]) -> Any:
        splitter = splitter_for(media, 1000)
        try:
            return [text for piece in pieces for text in splitter.feed(piece)] + splitter.end()
        except RequestRefused as refusal:
            return type(refusal)

    def check(pieces: list[bytes]) -> None:
        assert cut(pieces) == cut([b"".join(pieces)])

    words = st.sampled_from([b"[", b"]", b"{", b"}", b",", b'"', b"\\", b"\n", b" ", b"1", b'"a"', b"[{},{}]"])
    assert_holds(st.lists(words | st.binary(max_size=5), max_size=10), check, examples)
