"""Which texts are fit to be kept and shown. Pure, so that domains may use it."""

import unicodedata

_LINE_ENDS = frozenset({"Zl", "Zp"})
_LAYOUT = frozenset("\t\n\r")


def is_line(text: str, longest: int) -> bool:
    """Whether it is one line of 1 to `longest` characters that are not all blank, without control characters."""
    return _is_said(text, longest) and not any(_category(one) == "Cc" or _category(one) in _LINE_ENDS for one in text)


def is_prose(text: str, longest: int) -> bool:
    """Whether it is text of 1 to `longest` characters that are not all blank; of control characters, only line ends
    and tabs."""
    return _is_said(text, longest) and not any(_category(one) == "Cc" and one not in _LAYOUT for one in text)


def is_word(text: str, longest: int) -> bool:
    """Whether it is a line without a blank in it."""
    return is_line(text, longest) and not any(one.isspace() for one in text)


def _is_said(text: str, longest: int) -> bool:
    return len(text) <= longest and bool(text.strip())


def _category(character: str) -> str:
    return unicodedata.category(character)
