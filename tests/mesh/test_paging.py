"""Page tokens: opaque, bound to their query, and never trusted."""

import base64
import json
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagamesh.score_maker.v1.score_pb2 import ListScoresRequest

from mesh.errors import InvalidArgument
from mesh.paging import id_position, page_token, position_of

QUERY = ListScoresRequest(user_id="alice")


def test_a_token_brings_its_position_back_whatever_the_page_size() -> None:
    token = page_token(QUERY, "a", "b")
    assert position_of(ListScoresRequest(user_id="alice", page_size=7, page_token=token), token, length=2) == ["a", "b"]
    assert position_of(QUERY, "") is None


def test_a_token_of_another_query_is_refused() -> None:
    with pytest.raises(InvalidArgument) as refused:
        id_position(ListScoresRequest(user_id="bob"), page_token(QUERY, str(uuid4())))
    assert refused.value.field == "page_token"


def test_a_forged_position_is_refused() -> None:
    query = json.loads(base64.urlsafe_b64decode(page_token(QUERY, "x") + "=="))[0]
    for position in (["no uuid"], [1], [], [None], ["a", "b"]):
        forged = base64.urlsafe_b64encode(json.dumps([query, *position]).encode()).decode().rstrip("=")
        with pytest.raises(InvalidArgument):
            id_position(QUERY, forged)


@given(st.text(min_size=1))
def test_garbage_is_refused(token: str) -> None:
    with pytest.raises(InvalidArgument):
        position_of(QUERY, token)
