"""Which stream a WebSocket means. A handshake is a GET, whatever the verb of the rule, so several rules may be meant.

Among the streams of one path the one is served that uses a WebSocket best: one with both directions, then one whose
client sends many messages, then the rule for GET, then the first of the contract.
"""

import logging
from collections.abc import Iterable

from gateway.routes import Route
from gateway.trie import Found, NotAllowed, PathTrie, TrieConflictError

_METHOD = "GET"
_log = logging.getLogger("gateway")


class Handshakes:
    """The streams that can be had over WebSocket. What is no stream is not seen."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Logs a warning where one rpc hides another."""
        self._trie = PathTrie[Route]()
        self.routes: set[Route] = set()
        for route in sorted(filter(_streams, routes), key=_rank):
            self._add(route)

    def find(self, path: str) -> Found[Route] | None:
        """Looks up a raw path. Raises UnicodeDecodeError when the path's percent-encoding is not of UTF-8."""
        found = self._trie.find(_METHOD, path)
        return None if isinstance(found, NotAllowed) else found

    def _add(self, route: Route) -> None:
        try:
            self._trie.add(_METHOD, route.template.segments, route.template.verb, route)
            self.routes.add(route)
        except TrieConflictError as conflict:
            if isinstance(conflict.existing, Route) and conflict.existing.rpc is not route.rpc:
                facts = {"served": str(conflict.existing), "hidden": str(route)}
                _log.warning("two streams have one path over WebSocket", extra={"facts": facts})


def _streams(route: Route) -> bool:
    return route.rpc.is_stream and not route.is_raw


def _rank(route: Route) -> tuple[bool, bool, bool]:
    takes_many = route.rpc.client_streaming and bool(route.rule.body)
    return not takes_many, not route.rpc.server_streaming, route.rule.verb != _METHOD
