"""Parses the path templates of google.api.http. Knows the grammar, not what the fields mean.

The grammar is the one in the comments of google/api/http.proto:

    Template  = "/" Segments [ Verb ] ;
    Segments  = Segment { "/" Segment } ;
    Segment   = "*" | "**" | LITERAL | Variable ;
    Variable  = "{" FieldPath [ "=" Segments ] "}" ;
    FieldPath = IDENT { "." IDENT } ;
    Verb      = ":" LITERAL ;

`**` must be the last segment. The template `/` is taken too, as the peers do.
"""

import re
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import unquote

_IDENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LITERAL = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()+,;=@:]|%[0-9A-Fa-f]{2})+")


class Wildcard(Enum):
    """A segment that is not a literal."""

    ONE = "*"
    REST = "**"


Segment = str | Wildcard


class TemplateError(Exception):
    """A path template is not of the grammar; `position` is the offset of the first character that does not fit."""

    def __init__(self, template: str, position: int, reason: str) -> None:
        super().__init__(f"{template!r} at {position}: {reason}")
        self.position = position
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Variable:
    """The field bound by segments `start` up to, without, `stop`; by all that follow `start` when `stop` is None."""

    field_path: str
    start: int
    stop: int | None
    segments: tuple[Segment, ...]

    @property
    def single(self) -> bool:
        """Whether exactly one segment is bound, so that its value is decoded whole."""
        return self.stop == self.start + 1


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template: literals are percent-decoded, variables refer to segments by position."""

    source: str
    segments: tuple[Segment, ...]
    variables: tuple[Variable, ...]
    verb: str


def parse_template(source: str) -> Template:
    """Raises TemplateError."""
    return _Parser(source).template()


@dataclass(slots=True)
class _Parser:
    source: str
    position: int = 0
    segments: list[Segment] = field(default_factory=list[Segment])
    variables: list[Variable] = field(default_factory=list[Variable])

    def template(self) -> Template:
        self._expect("/")
        if self.source == "/":
            return Template(self.source, ("",), (), "")
        self._segments(inside_variable=False)
        verb = self._verb()
        if self.position < len(self.source):
            raise self._error("expected '/', ':' or the end")
        return Template(self.source, tuple(self.segments), tuple(self.variables), verb)

    def _segments(self, *, inside_variable: bool) -> None:
        self._segment(inside_variable=inside_variable)
        while self._peek() == "/":
            if self.segments and self.segments[-1] is Wildcard.REST:
                raise self._error("'**' must be the last segment")
            self.position += 1
            self._segment(inside_variable=inside_variable)

    def _segment(self, *, inside_variable: bool) -> None:
        if self.source.startswith("**", self.position):
            self.position += 2
            self.segments.append(Wildcard.REST)
        elif self._peek() == "*":
            self.position += 1
            self.segments.append(Wildcard.ONE)
        elif self._peek() != "{":
            self.segments.append(self._literal())
        elif inside_variable:
            raise self._error("a variable may not hold another variable")
        else:
            self._variable()

    def _variable(self) -> None:
        opening = self.position
        self.position += 1
        field_path = self._field_path()
        if any(variable.field_path == field_path for variable in self.variables):
            raise TemplateError(self.source, opening, f"{field_path} is bound twice")
        start = len(self.segments)
        if self._peek() == "=":
            self.position += 1
            self._segments(inside_variable=True)
        else:
            self.segments.append(Wildcard.ONE)
        self._expect("}")
        bound = tuple(self.segments[start:])
        stop = None if bound[-1] is Wildcard.REST else len(self.segments)
        self.variables.append(Variable(field_path, start, stop, bound))

    def _field_path(self) -> str:
        start = self.position
        self._ident()
        while self._peek() == ".":
            self.position += 1
            self._ident()
        return self.source[start : self.position]

    def _ident(self) -> None:
        match = _IDENT.match(self.source, self.position)
        if match is None:
            raise self._error("expected a field name")
        self.position = match.end()

    def _literal(self) -> str:
        match = _LITERAL.match(self.source, self.position)
        if match is None:
            raise self._error("expected a segment")
        text = match.group()
        if match.end() == len(self.source) and ":" in text:
            text = text[: text.rindex(":")]
        if not text:
            raise self._error("expected a segment")
        self.position += len(text)
        return self._decoded(text)

    def _verb(self) -> str:
        if self._peek() != ":":
            return ""
        self.position += 1
        match = _LITERAL.match(self.source, self.position)
        if match is None:
            raise self._error("expected a verb")
        if ":" in match.group():
            self.position += match.group().index(":")
            raise self._error("a template has one verb")
        self.position = match.end()
        return self._decoded(match.group())

    def _decoded(self, text: str) -> str:
        try:
            return unquote(text, errors="strict")
        except UnicodeDecodeError:
            raise self._error("percent-encoding is not of UTF-8") from None

    def _peek(self) -> str:
        return self.source[self.position : self.position + 1]

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise self._error(f"expected {character!r}")
        self.position += 1

    def _error(self, reason: str) -> TemplateError:
        return TemplateError(self.source, self.position, reason)
