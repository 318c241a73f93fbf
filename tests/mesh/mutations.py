"""JSON texts that are nearly right: what json_format writes of a message, changed where a parser may trip."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from hypothesis import strategies as st

from tests.mesh.messages import messages

Slots = list[Any]
"""What holds values that can be changed: a list, or the pairs of an object."""


class Pairs(list[list[Any]]):
    """A JSON object as pairs, so that a name can be there twice."""


class Raw(str):
    """A JSON value as text, right or wrong."""

    __slots__ = ()


_NUMBERS = """
0 -0 1 -1 1.0 1.5 1e2 1E5 1e400 -1e400 1.0000000000000001 3.4028235e38 3.4028236e38 1e39
2147483647 2147483648 -2147483648 -2147483649 4294967295 4294967296 9223372036854775807 9223372036854775808
-9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616 01 .5 1. +1 0x1 1_0
NaN Infinity -Infinity
"""
_TEXTS = """
1 01 +1 1.0 1e2 1.5 -0 0x1 1_000 NaN Infinity -Infinity +Infinity inf nan infinity true True null BLUE blue PINK HIGH
1970-01-01T00:00:00Z 1970-01-01T00:00:00.1Z 1970-01-01T00:00:00.1234567890Z 1970-01-01T00:00:00+01:00
1970-01-01T00:00:00+24:00 1970-01-01t00:00:00z 0001-01-01T00:00:00Z 0001-01-01T00:00:00+00:01 0000-01-01T00:00:00Z
9999-12-31T23:59:59.999999999Z 9999-12-31T23:59:59-00:01 9999-12-31T23:59:60Z 1970-02-30T00:00:00Z 1970-01-01T24:00:00Z
1970-1-1T0:0:0Z 1970-01-01T00:00Z 1970-01-01T00:00:00 1s -1s +1s 1.5s 1.s .5s 1.1234567890s 315576000000s 315576000001s
-0.5s -0s 1e2s s a,b fooBar foo_bar Foo a.b,c.d , a, * AA== AA AA= A -_-_ +/+/ AA\\n \\ud800 \\udc00 \\ud83d\\ude00
\\u0000 é
"""
_SHAPES = """
true false null nul [] {} [null] [[]] [1] ["a"] [1,] [,] [null,1] [{}] {"a":1} {"a":null} {"1":{}} {"true":"BLUE"}
{"True":"BLUE"} {"01":{}} {"+1":{}} {"1.0":1} {"-0":1} {"1":null} {"a":1,} {"a":1,"a":1} {,} "" "a {"@type":""}
{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"} {"@type":"google.protobuf.Duration","value":"1s"}
{"@type":"/google.protobuf.Empty"} {"@type":"a/google.protobuf.Empty","value":{}} {"value":"1s"} {"@type":1}
{"@type":"a/google.protobuf.Any","value":{"@type":"a/google.protobuf.BoolValue","value":true}} {"@type":"a/test.None"}
{"@type":"a/test.kinds.v1.Kinds","bools":[true]} {"@type":"a/test.kinds.v1.Kinds","nope":1} {"nope":1}
"""
_ODD = st.sampled_from(
    [Raw(text) for text in (*_NUMBERS.split(), *_SHAPES.split())]
    + [Raw(f'"{text}"') for text in (*_TEXTS.split(), "", " ", " 1", "1 ", "AA AA", "1970-01-01 00:00:00Z")]
)
_NOISE = st.sampled_from(
    [bytes([code]) for code in (0, 9, 10, 11, 13, 32, 34, 39, 44, 45, 47, 58, 91, 92, 93, 123, 125, 128, 195, 255)]
    + [
        b"\\u",
        b"\\x",
        b"\xef\xbb\xbf",
        b"\xc2\xa0",
        b"//",
        b"[" * 99,
        b"[" * 101,
        b"1" * 400,
        b"1" * 5000,
        b"\xed\xa0\x80",
    ]
)


def mutated_texts(descriptor: Descriptor) -> st.SearchStrategy[bytes]:
    """JSON of such messages: some as it should be, most with up to three changes."""
    names = st.sampled_from([*_names(descriptor), "nope", "[a.b]", "@type", ""])
    change = st.sampled_from(_CHANGES)

    @st.composite
    def texts(draw: st.DrawFn) -> bytes:
        tree = [_tree(draw(messages(descriptor)), proto_names=draw(st.booleans()))]
        for _ in range(draw(st.integers(0, 3))):
            draw(change)(draw, draw(st.sampled_from(list(_slots(tree)))), names)
        text = _written(tree[0]).encode("utf-8", "surrogatepass")
        return _noisy(draw, text) if draw(st.integers(0, 5)) == 5 else text

    return texts()


def _names(descriptor: Descriptor) -> Iterator[str]:
    for field in descriptor.fields:
        yield from (field.name, field.json_name)


def _tree(message: Any, *, proto_names: bool) -> Any:
    try:
        text = json_format.MessageToJson(message, preserving_proto_field_name=proto_names)
    except (json_format.Error, TypeError):  # it has no JSON form
        return Pairs()
    return json.loads(text, object_pairs_hook=lambda pairs: Pairs(map(list, pairs)))


def _slots(holder: Slots) -> Iterator[tuple[Slots, int]]:
    """Every place of a value: what holds it, and where."""
    for at, item in enumerate(holder):
        pair = isinstance(holder, Pairs)
        yield holder, at
        value = item[1] if pair else item
        if isinstance(value, list):
            yield from _slots(value)  # pyright: ignore[reportUnknownArgumentType]  # any JSON


def _replace(draw: st.DrawFn, slot: tuple[Slots, int], names: st.SearchStrategy[str]) -> None:
    _put(slot, draw(_ODD))


def _wrap(draw: st.DrawFn, slot: tuple[Slots, int], names: st.SearchStrategy[str]) -> None:
    value = _held(slot)
    _put(slot, [value] if draw(st.booleans()) else Pairs([[draw(names), value]]))


def _repeat(draw: st.DrawFn, slot: tuple[Slots, int], names: st.SearchStrategy[str]) -> None:
    holder, at = slot
    if len(holder) < 50:
        holder.append([*holder[at]] if isinstance(holder, Pairs) else holder[at])


def _rename(draw: st.DrawFn, slot: tuple[Slots, int], names: st.SearchStrategy[str]) -> None:
    holder, at = slot
    if isinstance(holder, Pairs):
        holder[at][0] = draw(names)


def _add(draw: st.DrawFn, slot: tuple[Slots, int], names: st.SearchStrategy[str]) -> None:
    objects = [place for place in (_held(slot), slot[0]) if isinstance(place, Pairs)]
    if objects:
        objects[0].append([draw(names), draw(_ODD)])


_CHANGES: list[Callable[[st.DrawFn, tuple[Slots, int], st.SearchStrategy[str]], None]] = [
    *(_replace, _replace, _wrap, _repeat, _rename, _add, _add, _add)
]


def _held(slot: tuple[Slots, int]) -> Any:
    holder, at = slot
    return holder[at][1] if isinstance(holder, Pairs) else holder[at]


def _put(slot: tuple[Slots, int], value: Any) -> None:
    holder, at = slot
    if isinstance(holder, Pairs):
        holder[at][1] = value
    else:
        holder[at] = value


def _written(value: Any) -> str:
    if isinstance(value, Raw):
        return value
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{json.dumps(name)}:{_written(held)}" for name, held in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"  # pyright: ignore[reportUnknownArgumentType]  # any JSON
    return json.dumps(value, ensure_ascii=False)


def _noisy(draw: st.DrawFn, text: bytes) -> bytes:
    """Bytes put in, or put in place of others."""
    start = draw(st.integers(0, len(text)))
    stop = min(len(text), start + draw(st.integers(0, 2)))
    return text[:start] + draw(_NOISE) + text[stop:]
