"""Checks of the tree that no other tool makes. Prints a sentence for each fault, and fails when there is one.

Nothing belongs to one machine, links lead somewhere, no package escapes the import contracts, the stack runs every
domain, rooms stay small, and modules have names that say something.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

from stack.services import SERVICES
from tools.sections import ROOT

NOT_SHIPPED = {"benchmarks", "tests", "tools"}
NOT_DOMAINS = {"arq_worker", "gateway", "mesh", "stack"}
NAMELESS = {"base", "common", "helpers", "manager", "util", "utils"}
LARGEST_ROOM = 250

# What is right on one machine only. The lock file names the public registry, and nothing else needs to.
_FOREIGN = {
    "a package registry": re.compile(r"pypi\.org|pythonhosted\.org|npmjs\.org|\b(index|find)[-_](url|links)\b", re.I),
    "a path of one machine": re.compile(r"(?<![\w.}/])/(root|work|tmp|home/\w+|Users/\w+)/\w"),
}
_MAY_BE_FOREIGN = {"uv.lock"}
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def faults(root: Path) -> Iterator[str]:
    """A sentence for everything that is wrong in the tree below `root`."""
    shipped = packages(root)
    domains = shipped - NOT_DOMAINS
    yield from foreign_texts(root)
    yield from dead_links(root)
    yield from unlisted(shipped, domains, root / ".importlinter")
    for name in sorted(domains ^ {service.name for service in SERVICES}):
        yield f"{name}: stack/services.py and the tree disagree whether there is such a service"
    for path in sorted(path for name in shipped for path in (root / name).rglob("*.py")):
        yield from ill_shaped(path.relative_to(root), len(path.read_text().splitlines()), domains)


def packages(root: Path) -> set[str]:
    """Names of the packages that are shipped."""
    return {path.parent.name for path in root.glob("*/__init__.py")} - NOT_SHIPPED


def unlisted(shipped: set[str], domains: set[str], rules: Path) -> Iterator[str]:
    """Packages that import-linter does not look at, and domains that a contract names others of, but not them."""
    config = ConfigParser()
    config.read(rules)
    roots = set(config["importlinter"]["root_packages"].split())
    yield from (f"{name}: not among the root_packages of {rules.name}" for name in sorted(shipped - roots))
    for section in config.sections():
        for option, value in config[section].items():
            if option == "name":
                continue
            listed = set(value.split())
            rooms = {entry.removeprefix(domain) for domain in domains for entry in listed if _within(entry, domain)}
            missing = {domain + room for domain in domains for room in rooms} - listed
            yield from (f"{entry}: missing in {option} of {section} in {rules.name}" for entry in sorted(missing))


def ill_shaped(path: Path, lines: int, domains: set[str]) -> Iterator[str]:
    """What is wrong with a module's size or name."""
    if path.parts[0] in domains and lines > LARGEST_ROOM:
        yield f"{path}: {lines} lines; a room that outgrows {LARGEST_ROOM} becomes a package of its name"
    if path.stem in NAMELESS or path.parent.name in NAMELESS:
        yield f"{path}: a mechanism has a name"


def foreign_texts(root: Path) -> Iterator[str]:
    """Lines that name a registry or a path of one machine."""
    for path in sorted(files(root)):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # descriptor sets
        for number, line in enumerate(text.splitlines(), start=1):
            yield from (
                f"{path.relative_to(root)}:{number}: {what}" for what, it in _FOREIGN.items() if it.search(line)
            )


def dead_links(root: Path) -> Iterator[str]:
    """Links of Markdown pages to files that are not there."""
    for page in sorted(path for path in files(root) if path.suffix == ".md"):
        targets = sorted(set(_LINK.findall(page.read_text())))
        missing = [target for target in targets if not (page.parent / target).exists()]
        yield from (f"{page.relative_to(root)}: links to {target}, which is not there" for target in missing)


def files(root: Path) -> Iterator[Path]:
    """The tree's own files: those that git knows or would take; without git, those outside hidden folders."""
    git = shutil.which("git") if (root / ".git").exists() else None
    if git:
        listing = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listing, cwd=root, capture_output=True, check=True, text=True).stdout.split("\0")
    else:
        names = [str(path.relative_to(root)) for path in root.rglob("*") if "__pycache__" not in path.parts]
        names = [name for name in names if not re.match(r"\.(?!ci/|importlinter)", name)]
    yield from (root / name for name in names if (root / name).is_file() and name not in _MAY_BE_FOREIGN)


def _within(entry: str, package: str) -> bool:
    return entry == package or entry.startswith(f"{package}.")


def main() -> int:
    """Checks this repository's tree."""
    found = list(faults(ROOT))
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
