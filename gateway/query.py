"""Query parameters -> fields; an entry of a map is `labels[key]=value`.

A parameter that names no field, or a field bound elsewhere, is refused by name."""

from collections.abc import Collection
from urllib.parse import parse_qsl

from protobuf import DescMessage, Message

from gateway.errors import InvalidRequest
from gateway.fields import EntryField, TextField, UnbindableField, entry_field, text_field

MAX_PARAMETERS = 1000
_MAX_DEPTH = 10
_MAX_REMEMBERED = 1000


class QueryBinder:
    """The parameters that one route takes. Those of recursive messages are endless, so each is compiled on first
    use; only real fields are remembered, and not more than a bound."""

    def __init__(self, request: DescMessage, taken: Collection[str], *, ignores_unknown: bool = False) -> None:
        """`taken` are paths, in proto names, that path or body bind: they, and all below them, are no parameters."""
        self._ignores_unknown = ignores_unknown
        self._request = request
        self._taken = frozenset(taken)
        self._fields: dict[str, TextField] = {}

    def bind(self, message: Message, query: bytes) -> set[str]:
        """Sets fields from a raw query string; returns the paths that it set. Raises InvalidRequest."""
        given: set[str] = set()
        for name, text in _pairs(query):
            field = self._fields.get(name) or self._field(name)
            if field is None:
                if self._ignores_unknown:
                    continue
                raise self._unknown(name)
            if field.path in given and not field.repeated:
                raise InvalidRequest(f"{name}: is given twice", reason="INVALID_PARAMETER", field=name)
            given.add(field.path)
            try:
                field.assign(message, text)
            except ValueError as error:
                raise InvalidRequest(f"{name}: {error}", reason="INVALID_PARAMETER", field=name) from None
        return given

    def _entry(self, name: str, path: str, key: str) -> EntryField | None:
        """Entries are not remembered: their keys are the client's, and endless."""
        try:
            entry = entry_field(self._request, path, key) if path.count(".") < _MAX_DEPTH else None
        except UnbindableField:
            entry = None
        except ValueError as error:
            raise InvalidRequest(f"{name}: key: {error}", reason="INVALID_PARAMETER", field=name) from None
        return None if entry is None or self._is_taken(entry.holder.path) else entry

    def _field(self, name: str) -> TextField | EntryField | None:
        if name.endswith("]") and "[" in name:
            path, _, key = name[:-1].partition("[")
            return self._entry(name, path, key)
        try:
            field = text_field(self._request, name) if name.count(".") < _MAX_DEPTH else None
        except UnbindableField:
            field = None
        if field is None or self._is_taken(field.path):
            return None
        if len(self._fields) < _MAX_REMEMBERED:
            self._fields[name] = field
        return field

    def _is_taken(self, path: str) -> bool:
        names = path.split(".")
        return any(".".join(names[:depth]) in self._taken for depth in range(1, len(names) + 1))

    def _unknown(self, name: str) -> InvalidRequest:
        return InvalidRequest(f"{name}: unknown query parameter", reason="UNKNOWN_PARAMETER", field=name)


class NoQuery(QueryBinder):
    """A route whose body is `*`: every field is the body's."""

    def _field(self, name: str) -> None:
        return None

    def _unknown(self, name: str) -> InvalidRequest:
        message = f"{name}: unknown query parameter; this route takes its fields from the body"
        return InvalidRequest(message, reason="UNKNOWN_PARAMETER", field=name)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS, errors="strict")
    except UnicodeDecodeError:
        raise InvalidRequest("the query is not percent-encoded UTF-8", reason="MALFORMED_QUERY") from None
    except ValueError:
        raise InvalidRequest(f"more than {MAX_PARAMETERS} query parameters", reason="MALFORMED_QUERY") from None
