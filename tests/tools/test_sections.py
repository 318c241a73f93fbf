"""Sections of pages: written between their markers, and known to be old when they are."""

from pathlib import Path

import pytest

from tools.sections import Page, SectionMissing, filled, table

TEXT = "before\n<!-- generated: list -->\nold\n<!-- end: list -->\nafter\n"


@pytest.fixture
def page(tmp_path: Path) -> Page:
    path = tmp_path / "page.md"
    path.write_text(TEXT)
    return Page(path, {"list": lambda: r"new \1"})


def test_only_what_is_between_the_markers_is_written(page: Page) -> None:
    page.write()

    assert page.path.read_text() == "before\n<!-- generated: list -->\n\nnew \\1\n\n<!-- end: list -->\nafter\n"


def test_an_old_section_is_named(page: Page) -> None:
    assert page.stale() == ["list"]


def test_a_written_page_is_not_old(page: Page) -> None:
    page.write()

    assert page.stale() == []


def test_a_page_without_the_section_is_refused() -> None:
    with pytest.raises(SectionMissing, match="generated: other"):
        filled(TEXT, "other", "new")


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert table(("a",), [("x|y",)]).splitlines()[-1] == "| x&#124;y |"
