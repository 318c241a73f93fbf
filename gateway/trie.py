"""Finds the target of a method and a path: literal before `*` before `**`, with backtracking. Knows no HTTP answers.

A path is matched by its raw, percent-encoded segments, so that an encoded `/` or `:` never separates anything.
A verb that some template has, on a path that this template matches, is a verb and not part of the last value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import unquote

from gateway.template import Segment, Wildcard

T = TypeVar("T")
ANY_METHOD = "*"


class TrieConflictError(Exception):
    """A path shape has two targets for one method; `existing` is the one that was there."""

    def __init__(self, existing: object) -> None:
        super().__init__(f"taken by {existing}")
        self.existing = existing


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The target, and the path's raw segments without the verb."""

    target: T
    segments: Sequence[str]


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """The path exists, for other methods only."""

    methods: frozenset[str]


class _Node(Generic[T]):
    """A place in a path. `ends` is verb -> method -> target for paths that end here, `rests` the same for paths of
    which `**` takes the rest."""

    __slots__ = ("ends", "literals", "rests", "star")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.star: _Node[T] | None = None
        self.ends: dict[str, dict[str, T]] = {}
        self.rests: dict[str, dict[str, T]] = {}


class PathTrie(Generic[T]):
    """Built once, then only read."""

    def __init__(self) -> None:
        self._root = _Node[T]()
        self._verbs: set[str] = set()

    def add(self, method: str, segments: Sequence[Segment], verb: str, target: T) -> None:
        """Adds a target. The method `*` is any method that has no target of its own. Raises TrieConflictError."""
        node, tables = self._root, self._root.ends
        for segment in segments:
            if segment is Wildcard.REST:
                tables = node.rests
                break
            node = _child(node, segment)
            tables = node.ends
        table = tables.setdefault(verb, {})
        if (existing := table.setdefault(method, target)) is not target:
            raise TrieConflictError(existing)
        if verb:
            self._verbs.add(verb)

    def find(self, method: str, path: str) -> Found[T] | NotAllowed | None:
        """Looks up a raw path that starts with `/`. None when no method has a target there.

        Raises UnicodeDecodeError when the path's percent-encoding is not of UTF-8."""
        raw = path.split("/")[1:]
        segments = [unquote(segment, errors="strict") for segment in raw] if "%" in path else raw
        head, colon, verb = raw[-1].rpartition(":") if raw else ("", "", "")
        if colon and (verb := unquote(verb, errors="strict")) in self._verbs:
            decoded_head = unquote(head, errors="strict")
            outcome = self._find(method, [*raw[:-1], head], [*segments[:-1], decoded_head], verb)
            if outcome is not None:
                return outcome
        return self._find(method, raw, segments, "")

    def _find(self, method: str, raw: list[str], segments: list[str], verb: str) -> Found[T] | NotAllowed | None:
        allowed: set[str] = set()
        target = _search(self._root, segments, 0, verb, method, allowed)
        if target is not None:
            return Found(target, raw)
        return NotAllowed(frozenset(allowed)) if allowed else None


def _child(node: _Node[T], segment: Segment) -> _Node[T]:
    if isinstance(segment, str):
        return node.literals.setdefault(segment, _Node[T]())
    if node.star is None:
        node.star = _Node[T]()
    return node.star


def _search(node: _Node[T], segments: list[str], at: int, verb: str, method: str, allowed: set[str]) -> T | None:
    """Visits a node at most once, since its depth is the position: linear in the trie, whatever the path."""
    if at == len(segments):
        if (target := _pick(node.ends.get(verb), method, allowed)) is not None:
            return target
    else:
        child = node.literals.get(segments[at])
        if child is not None:
            target = _search(child, segments, at + 1, verb, method, allowed)
            if target is not None:
                return target
        if node.star is not None and segments[at]:
            target = _search(node.star, segments, at + 1, verb, method, allowed)
            if target is not None:
                return target
    return _pick(node.rests.get(verb), method, allowed) if node.rests else None


def _pick(table: dict[str, T] | None, method: str, allowed: set[str]) -> T | None:
    if table is None:
        return None
    target = table.get(method)
    if target is None and method == "HEAD":
        target = table.get("GET")
    if target is None:
        target = table.get(ANY_METHOD)
    if target is None:
        allowed.update(table)
    return target
