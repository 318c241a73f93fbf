"""Page tokens: opaque, bound to their query, and never trusted."""

import base64
import json
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sagamesh.score_maker.v1.score_pb2 import ListScoresRequest, Score

from mesh.errors import InvalidArgument
from mesh.paging import PAGE_BYTES, id_position, limit_of, number_position, page_of, page_token, position_of

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


@pytest.mark.parametrize("position", ["-1", "x", "", "1.5", "9" * 30, "9" * 5000])
def test_a_forged_number_is_refused(position: str) -> None:
    with pytest.raises(InvalidArgument):
        number_position(QUERY, page_token(QUERY, position))


def test_a_number_comes_back() -> None:
    assert number_position(QUERY, page_token(QUERY, "7")) == 7
    assert number_position(QUERY, "") == 0


def page(rows: list[int], size: int = 3, bytes_each: int = 1) -> tuple[list[str], str]:
    """What a page shows of rows, and the position of the next one."""
    request = ListScoresRequest(page_size=size)
    made = page_of(request, rows, lambda row: Score(user_id=str(row) * bytes_each), lambda row: row)
    position = position_of(request, made.token)
    return [score.user_id[:1] for score in made.messages], position[0] if position else ""


def test_one_row_more_than_a_page_tells_that_another_follows() -> None:
    assert limit_of(ListScoresRequest(page_size=3)) == 4
    assert page([1, 2, 3, 4]) == (["1", "2", "3"], "3")
    assert page([1, 2, 3]) == (["1", "2", "3"], "")
    assert page([]) == ([], "")


def test_without_a_size_a_page_has_fifty() -> None:
    assert limit_of(ListScoresRequest()) == 51


def test_a_page_ends_before_it_is_too_large() -> None:
    assert page([1, 2, 3], bytes_each=PAGE_BYTES // 2 + 1) == (["1"], "1")
    assert page([1, 2, 3], bytes_each=PAGE_BYTES // 2 - 100) == (["1", "2"], "2")
    assert page([1, 2], bytes_each=PAGE_BYTES * 2) == (["1"], "1")
