"""Google's json_format, against which the codec is held, and the table of where the two may differ."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from mesh.codec import Codec, DecodeError
from tests.gateway.contracts import compiled, library, message_class

Message = Any
"""A message of google's whose type is known at run time only."""
Json = Any
"""Any JSON."""


@dataclass(frozen=True)
class Deviation:
    """Something that one side takes and the other does not. `fault` is a pattern of all that the refusing side says
    about it and its like; `example` is a body, or a message, of `subject`."""

    name: str
    fault: str
    example: bytes
    subject: str = "Everything"

    def explains(self, fault: str) -> bool:
        return re.fullmatch(self.fault, fault, re.DOTALL) is not None


@dataclass(frozen=True)
class Spelling:
    """Something that both sides take, but not for the same: they take its replacement for what we take it."""

    name: str
    pattern: re.Pattern[bytes]
    replacement: bytes
    example: bytes
    subject: str


_ODD_NUMBER = r'(true|false|"(\s.*|.*\s|.*_.*|[+-]?inf|\+?infinity|\+Infinity|[+-]?nan|\+[0-9.e]+|\.[0-9]+|[0-9]+\.)")'
WE_REFUSE = [
    Deviation(
        "A number is no truth, and its text is JSON's: no spaces, underscores or names of Python's.",
        f"expected a number, got {_ODD_NUMBER}",
        b'{"aDouble": "1_000"}',
    ),
    Deviation(
        "The text of a number beyond all floats is not infinity.",
        r'expected a number, got "-?([0-9.]{39,}(\.\.\.|")|[0-9.]+[eE]\+?[0-9]{2,}")',
        b'{"aFloat": "1e39"}',
    ),
    Deviation(
        "An integer's text is of ASCII digits, without underscores.",
        r'expected an integer( of 0 or more)?, got "[^"]*[^ -^`-~][^"]*("|\.\.\.)',
        b'{"anInt32": "1_000"}',
    ),
    Deviation(
        "A map's key is the integer as it is written: no zeros before it, no plus, no spaces, no fraction.",
        r'expected keys to be an integer( of 0 or more)?, got "\s*[+-]?[0-9_]+(\.[0-9_]*)?([eE][+-]?[0-9]+)?\s*"',
        b'{"innersByNumber": {"01": {}}}',
    ),
    Deviation(
        "A field mask has paths that can be written again.",
        r"expected a list of fields .*",
        b'{"mask": "text,,color"}',
    ),
    Deviation(
        "A number beyond a double is none in a google.protobuf.Value, either.",
        r"expected (a JSON value|an object|a list), got .*(Infinity|\.\.\.).*",
        b'{"value": 1e400}',
    ),
    Deviation(
        "Bytes are base64 and nothing between: Python drops characters of no alphabet.",
        r'expected a base64 string, got ".*[^A-Za-z0-9+/=_-].*("|\.\.\.)',
        b'{"someBytes": "AA AA"}',
    ),
    Deviation(
        "The padding of base64 is left out, or right.",
        r'expected a base64 string, got "(?=[^"]*=)((.{4})*.{1,3}|[^=]*=+[^=].*)"',
        b'{"someBytes": "AAA=="}',
    ),
    Deviation(
        "An enum is a name or a whole number of 32 bits, not its text, a truth or a fraction.",
        r'expected one of [\w, ]+, got (true|false|-?[0-9.]+([eE][+-]?[0-9]+)?|"\s*[+-]?[0-9_]+\s*")',
        b'{"color": "1"}',
    ),
    Deviation(
        "An empty list and an empty text are no message.",
        r'expected an object, got (\[\]|"")',
        b'{"inner": []}',
    ),
    Deviation(
        "A time has two digits where RFC 3339 has two, and an offset of less than a day.",
        r'expected a time such as [^ ]+ got ".*"',
        b'{"time": "1970-1-1T0:0:0Z"}',
    ),
    Deviation(
        "A duration has no plus, and at most nine digits of a second.",
        r'expected a duration in seconds such as "1.5s", got "(\+.*|-?[0-9]+\.[0-9]{10,}.*)',
        b'{"duration": "+1s"}',
    ),
    Deviation(
        "NaN and Infinity are no JSON, in a google.protobuf.Value too.",
        r"malformed JSON: .*",
        b'{"value": NaN}',
    ),
    Deviation(
        "A field has one value, whichever of its two names it is given by.",
        r"may not be given beside \w+",
        b'{"an_int32": 1, "anInt32": 1}',
    ),
    Deviation(
        "An unknown member of an Any is unknown beside the value of a well-known type, too.",
        'unknown field beside "@type" and "value"',
        b'{"any": {"@type": "a/google.protobuf.Duration", "value": "1s", "nope": 1}}',
        "Kinds",
    ),
    Deviation(
        "A body nests at most 100 deep, lists included.",
        "nested more than 100 levels deep",
        b'{"inners": [' + b'{"inner": ' * 98 + b"{}" + b"}" * 98 + b"]}",
    ),
]
THEY_REFUSE = [
    Deviation(
        "The largest float is read from the text of fewest digits that means it, which others write.",
        r".*Float value too (large|small).*",
        b'{"aFloat": 3.4028235e38}',
    ),
    Deviation(
        "A list of NullValue holds nulls: they write it, and do not read it.",
        r'.*(null is not allowed to be used as an element in a repeated field|repeated field "nulls").*',
        b'{"nulls": [null]}',
        "Kinds",
    ),
    Deviation(
        "A list of Value may be null, as every field may: they stumble over it.",
        r".*'google\._upb\._message\.RepeatedCompositeContainer' object has no attribute 'null_value'.*",
        b'{"values": null}',
        "Kinds",
    ),
]
READ_OTHERWISE = [
    Spelling(
        "-0 has a sign: Python takes it for an integer.",
        re.compile(rb"(?<=[:,\[])\s*-0(?=\s*[,}\]])"),
        b"-0.0",
        b'{"aDouble":-0}',
        "Everything",
    ),
    Spelling(
        "The type of an Any is known by its name, whatever host is before it.",
        re.compile(rb'"@type"\s*:\s*"([^"]*/)?'),
        b'"@type":"type.googleapis.com/',
        b'{"any": {"@type": "a/google.protobuf.Empty"}}',
        "Kinds",
    ),
]
WE_DO_NOT_WRITE = [
    Deviation("A Value is something.", "value must have exactly one field set", b"\xa2\x02\x00"),
    Deviation(
        "A field mask has paths that can be read back.",
        r"invalid FieldMask path: lowerCamelCase of .* is irreversible",
        b"\xfa\x01\x05\n\x03a-b",
    ),
]


def respelt(body: bytes) -> bytes:
    """The body as they have to be given it, to take it for what we do."""
    for spelling in READ_OTHERWISE:
        body = spelling.pattern.sub(spelling.replacement, body)
    return body


@dataclass(frozen=True)
class Subject:
    """A message type of both sides. What a side refuses is a text that says why."""

    name: str
    codec: Codec
    type: Any

    def ours(self, body: bytes) -> Message | str:
        """What we read, as google's message."""
        try:
            return self.type.FromString(self.codec.decode_json(self.name, body).to_binary())
        except DecodeError as error:
            return error.reason

    def theirs(self, body: bytes) -> Message | str:
        """What they read."""
        try:
            return json_format.Parse(body, self.type())
        except (json_format.Error, ValueError) as error:
            return str(error)

    def our_json(self, message: Message) -> Json | ValueError:
        """What we write."""
        try:
            return json.loads(self.codec.encode_json(self.name, message.SerializeToString()))
        except ValueError as error:
            return error

    def their_json(self, message: Message) -> Json | Exception:
        """What they write."""
        try:
            return json.loads(json_format.MessageToJson(message))
        except (json_format.Error, TypeError) as error:
            return error


@cache
def subject(name: str) -> Subject:
    """Everything of library.proto, or Kinds of kinds.proto."""
    descriptor_set, package = (library(), "library") if name == "Everything" else (_kinds(), "kinds")
    full_name = f"test.{package}.v1.{name}"
    return Subject(full_name, Codec.of_descriptor_set(descriptor_set), message_class(descriptor_set, full_name))


def _kinds() -> bytes:
    return compiled((Path(__file__).parent / "kinds.proto").read_text(), "kinds.proto")
