"""Every import contract of .importlinter is broken once, in a copy of the tree, to see that it is noticed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from configparser import ConfigParser
from pathlib import Path

import pytest

from stack.services import SERVICES

ROOT = Path(__file__).resolve().parents[2]
RULES = ConfigParser()
RULES.read(ROOT / ".importlinter")
CONTRACTS = {
    section.rpartition(":")[2]: RULES[section]["name"] for section in RULES.sections() if ":contract:" in section
}
DOMAINS = [service.name for service in SERVICES]
PURE = ("domain", "errors", "ports", "commands")
FRAMEWORKS = (
    "arq",
    "asyncpg",
    "fastapi",
    "google.protobuf",
    "grpc",
    "redis",
    "sqlalchemy",
    "sagamesh.mesh.v1.saga_pb2",
)
GEN = "sagamesh.score_maker.v1.score_pb2"

# By contract: imports (who -> what) that it forbids.
FORBIDDEN: dict[str, Sequence[str]] = {
    "rooms": (
        "line_provider.errors -> line_provider.domain",
        "line_provider.domain -> line_provider.ports",
        "score_maker.domain -> score_maker.tables",
        "score_maker.ports -> score_maker.tables",
        "line_provider.tables -> line_provider.queries",
        "line_provider.commands -> line_provider.queries",
        "score_maker.commands -> score_maker.repository",
        "score_maker.queries -> score_maker.servicer",
        "line_provider.servicer -> line_provider.handlers",
        "score_maker.servicer -> score_maker.repository",
        "score_maker.saga -> score_maker.clients",
        "score_maker.repository -> score_maker.settings",
        "line_provider.handlers -> line_provider.wiring",
        "line_provider.wiring -> line_provider.__main__",
    ),
    "wiring": (
        "line_provider.servicer -> line_provider.wiring",
        "score_maker.settings -> score_maker.wiring",
        "arq_worker.relay -> arq_worker.wiring",
        "stack.layout -> score_maker.wiring",
    ),
    "gen": tuple(
        f"{domain}.{room} -> {GEN}"
        for domain in DOMAINS
        for room in ("wiring", "settings", "repository", "queries", "tables", "commands", "ports", "domain", "errors")
    ),
    "frameworks": tuple(
        f"{domain}.{room} -> {framework}" for domain in DOMAINS for room in PURE for framework in FRAMEWORKS
    ),
    "pure": tuple(
        f"{domain}.{room} -> {mechanism}"
        for domain in DOMAINS
        for room in PURE
        for mechanism in ("mesh.uow", "mesh.outbox.store", "mesh.saga")
    ),
    "init": (
        "line_provider -> line_provider.domain",
        "score_maker -> mesh.uow",
        f"score_maker -> {GEN}",
    ),
    "frozen-migrations": (
        "line_provider.migrations.env -> line_provider.tables",
        "score_maker.migrations.env -> score_maker.domain",
    ),
    "migrations": ("line_provider.wiring -> line_provider.migrations.env",),
    "wire": (
        "line_provider.queries -> score_maker.queries",
        "score_maker.clients -> line_provider.domain",
        "gateway.settings -> line_provider.settings",
        "arq_worker.relay -> gateway.settings",
        "score_maker.servicer -> arq_worker.schedule",
    ),
    "mesh": tuple(
        f"mesh.uow -> {package}.{module}"
        for package, module in (
            ("line_provider", "tables"),
            ("score_maker", "domain"),
            ("gateway", "settings"),
            ("arq_worker", "relay"),
            ("stack", "services"),
        )
    ),
    "mesh-gen": (
        f"mesh.server.server -> {GEN}",
        f"gateway.settings -> {GEN}",
        f"arq_worker.relay -> {GEN}",
        f"stack.operator -> {GEN}",
    ),
    "worker": ("arq_worker.relay -> sqlalchemy", "arq_worker.schedule -> asyncpg", "arq_worker.relay -> alembic"),
    "stack": (
        "stack.layout -> line_provider.settings",
        "stack.layout -> score_maker.settings",
        "stack.up -> arq_worker.settings",
    ),
    "started": tuple(f"{name}.settings -> stack.services" for name in ("line_provider", "gateway", "arq_worker")),
    "connections": ("gateway.connections.reading -> gateway.routes", "gateway.connections.peers -> grpc"),
    "shipped": ("mesh.uow -> tests", "gateway.settings -> tools", "stack.layout -> benchmarks"),
}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what import-linter looks at."""
    copy = tmp_path_factory.mktemp("pristine")
    shutil.copy(ROOT / ".importlinter", copy)
    for package in RULES["importlinter"]["root_packages"].split():
        source = ROOT / "gen" / package if package == "sagamesh" else ROOT / package
        shutil.copytree(source, copy / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture
def tree(pristine: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(pristine, tmp_path / "tree"))


def test_the_tree_as_it_is_keeps_every_contract(pristine: Path) -> None:
    result = lint(pristine)

    assert broken(result.stdout) == set(), result.stdout
    assert result.returncode == 0, result.stdout


def test_every_contract_is_broken_here_once() -> None:
    assert set(FORBIDDEN) == set(CONTRACTS)


@pytest.mark.parametrize("contract", FORBIDDEN)
def test_a_forbidden_import_is_noticed(tree: Path, contract: str) -> None:
    for forbidden in FORBIDDEN[contract]:
        write_import(tree, *forbidden.split(" -> "))

    result = lint(tree)

    assert result.returncode == 1
    assert CONTRACTS[contract] in broken(result.stdout), result.stdout
    assert [forbidden for forbidden in FORBIDDEN[contract] if not named(forbidden, result.stdout)] == []


@pytest.mark.parametrize("room", ["cache.py", "services/__init__.py"])
def test_a_room_that_no_rule_lists_is_noticed(tree: Path, room: str) -> None:
    path = tree / "score_maker" / room
    path.parent.mkdir(exist_ok=True)
    path.write_text('"""A room of its own."""\n')

    result = lint(tree)

    assert broken(result.stdout) == {CONTRACTS["rooms"]}
    assert f"- score_maker.{room.partition('.')[0].partition('/')[0]}" in result.stdout


def test_a_rule_holds_inside_a_room_that_became_a_package(tree: Path) -> None:
    room = tree / "score_maker" / "commands.py"
    package = tree / "score_maker" / "commands"
    package.mkdir()
    room.rename(package / "__init__.py")
    (package / "submit_score.py").write_text("import sqlalchemy\nimport mesh.uow\nimport score_maker.repository\n")

    assert broken(lint(tree).stdout) == {CONTRACTS["frameworks"], CONTRACTS["pure"], CONTRACTS["rooms"]}


def write_import(tree: Path, importer: str, imported: str) -> None:
    path = tree / importer.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    file.write_text(f"{file.read_text()}\nimport {imported}\n")


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Runs import-linter as `make check` does, on the packages in `tree`."""
    program = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    wide = {"COLUMNS": "400", "PYTHONPATH": str(tree), "PATH": os.environ["PATH"]}
    return subprocess.run(program, cwd=tree, env=wide, capture_output=True, text=True)


def broken(output: str) -> set[str]:
    """Names of the contracts that import-linter calls broken."""
    return {line.partition(" BROKEN")[0] for line in output.splitlines() if " BROKEN" in line}


def named(forbidden: str, output: str) -> bool:
    """Whether the output names the import; of what is not ours, only the top-level package."""
    importer, imported = forbidden.split(" -> ")
    shown = imported.partition(".")[0] if imported.startswith("google") else imported
    return f"{importer} -> {shown} (l." in output
