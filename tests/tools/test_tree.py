"""What no other tool checks of the tree is noticed: texts of one machine, unlisted packages, ill-shaped modules."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tools.sections import ROOT
from tools.tree import dead_links, faults, files, foreign_texts, ill_shaped, unlisted

RULES = """[importlinter]
root_packages =
    mesh
    orders
    payments

[importlinter:contract:rooms]
name = orders import downwards
containers =
    orders
    payments
layers =
    wiring

[importlinter:contract:pure]
name = pure rooms
source_modules =
    *.ports
    orders.errors
    payments.errors
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / ".importlinter"
    path.write_text(RULES)
    return path


def test_this_tree_has_no_fault() -> None:
    assert list(faults(ROOT)) == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (f"https://{'pypi'}.org/simple", "a package registry"),
        (f"pip install --{'extra-index'}-url somewhere", "a package registry"),
        (f"see /{'root'}/notes", "a path of one machine"),
        (f"open('/{'home'}/maria/data')", "a path of one machine"),
        (f"cd /{'tmp'}/build", "a path of one machine"),
    ],
)
def test_what_is_right_on_one_machine_only_is_named_with_its_line(tmp_path: Path, line: str, what: str) -> None:
    (tmp_path / "notes.md").write_text(f"first\n{line}\n")

    assert list(foreign_texts(tmp_path)) == [f"notes.md:2: {what}"]


@pytest.mark.parametrize(
    "line", ["tmpfs: [/tmp]", "{root}/tmp/x", "GET /v1/home", "/framework/x", "the index of links"]
)
def test_ordinary_text_is_not_taken_for_it(tmp_path: Path, line: str) -> None:
    (tmp_path / "notes.md").write_text(line)

    assert list(foreign_texts(tmp_path)) == []


def test_the_lock_file_may_name_the_registry(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text(f"https://{'pypi'}.org/simple")

    assert list(foreign_texts(tmp_path)) == []


def test_a_link_that_leads_nowhere_is_named_with_its_page(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("[up](../README.md#a) [web](https://example.org) [here](#b) [no](x.md)")
    (tmp_path / "README.md").touch()

    assert list(dead_links(tmp_path)) == ["docs/page.md: links to x.md, which is not there"]


def test_complete_lists_have_no_fault(rules: Path) -> None:
    assert list(unlisted({"mesh", "orders", "payments"}, {"orders", "payments"}, rules)) == []


def test_a_package_that_import_linter_does_not_look_at_is_named(rules: Path) -> None:
    assert list(unlisted({"mesh", "orders", "payments", "stock"}, {"orders", "payments"}, rules)) == [
        "stock: not among the root_packages of .importlinter"
    ]


def test_a_domain_is_named_for_every_list_that_forgot_it(rules: Path) -> None:
    text = rules.read_text().replace("    payments.errors\n", "")
    rules.write_text(text)

    assert list(unlisted({"mesh", "orders", "payments"}, {"orders", "payments"}, rules)) == [
        "payments.errors: missing in source_modules of importlinter:contract:pure in .importlinter"
    ]


def test_a_room_has_at_most_250_lines_and_other_packages_may_have_more() -> None:
    assert list(ill_shaped(Path("orders/commands.py"), 250, {"orders"})) == []
    assert len(list(ill_shaped(Path("orders/commands.py"), 251, {"orders"}))) == 1
    assert list(ill_shaped(Path("mesh/signal.py"), 251, {"orders"})) == []


@pytest.mark.parametrize("path", ["mesh/utils.py", "mesh/common/clock.py", "gateway/helpers.py"])
def test_a_mechanism_has_a_name(path: str) -> None:
    assert len(list(ill_shaped(Path(path), 1, set()))) == 1


def test_git_decides_what_belongs_to_the_tree(tmp_path: Path) -> None:
    git = shutil.which("git")
    if git is None:  # then the other way of `files` is taken, which the tests above go
        return
    subprocess.run([git, "init", "--quiet"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("data/\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "state.json").touch()
    (tmp_path / "new.md").touch()

    assert {path.name for path in files(tmp_path)} == {".gitignore", "new.md"}


def test_without_git_hidden_folders_do_not_belong_to_the_tree(tmp_path: Path) -> None:
    for name in (".ci/run", ".sagamesh/state.json", "mesh/uow.py", "mesh/__pycache__/uow.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert {str(path.relative_to(tmp_path)) for path in files(tmp_path)} == {".ci/run", "mesh/uow.py"}
