"""Which texts are lines, prose and words."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.texts import is_line, is_prose, is_word


@pytest.mark.parametrize(
    ("text", "line", "prose", "word"),
    [
        ("a", True, True, True),
        ("x" * 10, True, True, True),
        ("x" * 11, False, False, False),
        ("\N{SOCCER BALL}" * 10, True, True, True),
        ("a b", True, True, False),
        ("a\u00a0b", True, True, False),
        ("a\nb", False, True, False),
        ("a\r\n\tb", False, True, False),
        ("a\tb", False, True, False),
        ("a\u2028b", False, True, False),
        ("", False, False, False),
        (" \t\n", False, False, False),
        ("\u3000", False, False, False),
        ("a\0", False, False, False),
        ("a\x1b", False, False, False),
        ("a\x85", False, False, False),
        ("a\x7f", False, False, False),
    ],
)
def test_what_a_text_is(text: str, line: bool, prose: bool, word: bool) -> None:
    assert (is_line(text, 10), is_prose(text, 10), is_word(text, 10)) == (line, prose, word)


@given(st.text(max_size=20))
def test_words_are_lines_and_lines_are_prose(text: str) -> None:
    assert is_word(text, 10) <= is_line(text, 10) <= is_prose(text, 10)
    if is_line(text, 10):
        assert text.strip()
        assert "Cc" not in map(unicodedata.category, text)
