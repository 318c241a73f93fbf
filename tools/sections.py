"""Generated sections of a Markdown page: what lies between `<!-- generated: NAME -->` and `<!-- end: NAME -->`.

A page is written by people; only its sections are written here, each by the function that its page's tool names.
"""

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class SectionMissing(Exception):
    """The page has no such section."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page and what writes each of its sections, by name."""

    path: Path
    sections: Mapping[str, Callable[[], str]]

    def stale(self) -> list[str]:
        """Names of the sections that are not what they would be now. Raises SectionMissing."""
        text = self.path.read_text()
        return [name for name, content in self.sections.items() if filled(text, name, content()) != text]

    def write(self) -> None:
        """Writes every section anew. Raises SectionMissing."""
        text = self.path.read_text()
        for name, content in self.sections.items():
            text = filled(text, name, content())
        self.path.write_text(text)


def filled(text: str, name: str, content: str) -> str:
    """The page's text with another content of one section. Raises SectionMissing."""
    start, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
    section = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not section.search(text):
        raise SectionMissing(f"there is no section {start} ... {end}")
    return section.sub(lambda _: f"{start}\n\n{content.strip()}\n\n{end}", text, count=1)


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table. A bar inside a cell is escaped."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


def run(page: Page, program: str, description: str | None) -> int:
    """The command line of a page's tool: `write` or `check`. Returns the exit code."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("command", choices=["write", "check"], help="write the sections, or fail when one is old")
    if parser.parse_args().command == "write":
        page.write()
        return 0
    stale = page.stale()
    if stale:
        print(f"{page.path.name}: run `make gen`; these sections are old: {', '.join(stale)}", file=sys.stderr)
    return 1 if stale else 0
