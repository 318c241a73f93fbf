"""The codec is held equal to google's json_format in both directions, except for the table in peer.py."""

import math
import struct
from collections.abc import Callable
from typing import TypeVar

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from hypothesis import strategies as st

from tests.mesh.messages import messages
from tests.mesh.mutations import mutated_texts
from tests.mesh.peer import (
    READ_OTHERWISE,
    THEY_REFUSE,
    WE_DO_NOT_WRITE,
    WE_REFUSE,
    Deviation,
    Json,
    Message,
    Spelling,
    Subject,
    respelt,
    subject,
)
from tests.properties import assert_holds, counts

T = TypeVar("T")


def of_either(values: Callable[[Descriptor], st.SearchStrategy[T]]) -> st.SearchStrategy[tuple[Subject, T]]:
    """Values for the one or the other type, with their type: together these have a field of every kind."""
    here, there = subject("Everything"), subject("Kinds")
    return st.one_of(*(st.tuples(st.just(one), values(one.type.DESCRIPTOR)) for one in (here, there)))


@counts(2000, 40_000)
def test_what_we_write_is_what_they_write_and_each_reads_it_from_the_other(examples: int) -> None:
    def agree(drawn: tuple[Subject, Message]) -> None:
        here, message = drawn
        ours, theirs = here.our_json(message), here.their_json(message)
        if isinstance(ours, ValueError) or isinstance(theirs, Exception):
            assert isinstance(ours, ValueError)
            assert isinstance(theirs, Exception)
            return
        assert same(ours, theirs)
        text = here.codec.encode_json(here.name, message.SerializeToString())
        assert here.ours(text) == message
        agree_on_reading(here, text)

    assert_holds(of_either(messages), agree, examples)


@counts(2000, 40_000)
def test_what_we_read_in_right_and_wrong_texts_is_what_they_read(examples: int) -> None:
    assert_holds(of_either(mutated_texts), lambda drawn: agree_on_reading(*drawn), examples)


def agree_on_reading(here: Subject, body: bytes) -> None:
    ours, theirs = here.ours(body), here.theirs(body)
    if isinstance(ours, str) and not isinstance(theirs, str):
        assert any(deviation.explains(ours) for deviation in WE_REFUSE), f"only we refuse {body}: {ours}"
    elif isinstance(theirs, str) and not isinstance(ours, str):
        assert any(deviation.explains(theirs) for deviation in THEY_REFUSE), f"only they refuse {body}: {theirs}"
    elif not isinstance(ours, str) and not equal(ours, theirs):
        assert equal(ours, here.theirs(respelt(body))), f"we and they read {body} otherwise"


def equal(left: Message, right: Message) -> bool:
    """NaN is NaN, and -0 is not 0. The bytes in an Any may have a map in another order, its JSON has not."""
    if left.SerializeToString(deterministic=True) == right.SerializeToString(deterministic=True):
        return True
    try:
        return json_format.MessageToJson(left, sort_keys=True) == json_format.MessageToJson(right, sort_keys=True)
    except json_format.Error:
        return False


def same(ours: Json, theirs: Json) -> bool:
    """Equality of JSON in which 1 is 1.0; of a float they write fewer digits, which stand for the same 32 bits."""
    shapes: set[type[object]] = {type(ours), type(theirs)}
    if shapes == {dict}:
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if shapes == {list}:
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if float in shapes:
        return ours == theirs or _float32(ours) == _float32(theirs)
    return len(shapes) == 1 and ours == theirs


def _float32(value: float) -> float:
    try:
        return struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:  # the largest of 32 bits, rounded up to fewer digits
        return math.copysign((2 - 2**-23) * 2.0**127, value) if abs(value) < 3.41e38 else value


@pytest.mark.parametrize("deviation", WE_REFUSE, ids=lambda one: one.name)
def test_we_are_stricter_here(deviation: Deviation) -> None:
    here = subject(deviation.subject)
    refusal = here.ours(deviation.example)
    assert isinstance(refusal, str)
    assert deviation.explains(refusal), refusal
    assert not isinstance(here.theirs(deviation.example), str)


@pytest.mark.parametrize("deviation", THEY_REFUSE, ids=lambda one: one.name)
def test_they_are_stricter_here(deviation: Deviation) -> None:
    here = subject(deviation.subject)
    refusal = here.theirs(deviation.example)
    assert isinstance(refusal, str)
    assert deviation.explains(refusal), refusal
    assert not isinstance(here.ours(deviation.example), str)


@pytest.mark.parametrize("deviation", WE_DO_NOT_WRITE, ids=lambda one: one.name)
def test_we_do_not_write_what_could_not_be_read_back(deviation: Deviation) -> None:
    here = subject(deviation.subject)
    message = here.type.FromString(deviation.example)
    refusal = here.our_json(message)
    assert isinstance(refusal, ValueError)
    assert deviation.explains(str(refusal))
    assert not isinstance(here.their_json(message), Exception)


@pytest.mark.parametrize("deviation", READ_OTHERWISE, ids=lambda one: one.name)
def test_we_read_this_otherwise(deviation: Spelling) -> None:
    here = subject(deviation.subject)
    assert not equal(here.ours(deviation.example), here.theirs(deviation.example))
    assert equal(here.ours(deviation.example), here.theirs(respelt(deviation.example)))
