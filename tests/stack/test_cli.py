"""The command line: help for everything, and a sentence for everything that can go wrong."""

import socket
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from typer.core import TyperCommand, TyperGroup

from stack.cli import app
from stack.directory import DataDirectory
from stack.keys import ensure_keys, jwks_path
from stack.postgres import with_account
from stack.services import SERVICES
from tests.stack.commands import group, sagamesh


def commands(of: TyperGroup, path: str = "sagamesh") -> Iterator[tuple[str, TyperCommand]]:
    """Every command with its full name."""
    for name, command in of.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{path} {name}")
        else:
            assert isinstance(command, TyperCommand)
            yield f"{path} {name}", command


ALL = dict(commands(group(app)))


@pytest.mark.parametrize("name", ALL)
def test_every_command_and_every_parameter_is_explained(name: str):
    command = ALL[name]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None) or getattr(parameter, "hidden", False), parameter.name


@pytest.mark.parametrize("name", ["up", "ps", "logs", "token", "migrate", "gateway", "outbox redrive"])
def test_what_is_not_plain_has_an_example(name: str):
    assert f"sagamesh {name}" in (ALL[f"sagamesh {name}"].help or "")


def test_the_help_of_up_names_every_variable():
    text = ALL["sagamesh up"].help or ""
    names = ["SAGAMESH_POSTGRES_DSN", "SAGAMESH_REDIS_WORK_DSN", "SAGAMESH_REDIS_LOG_DSN", "SAGAMESH_REPLICAS"]
    assert all(name in text for name in (*names, f"{SERVICES[0].name.upper()}_DATABASE_DSN"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ps"], "Nothing runs in"),
        (["down"], "Nothing runs in"),
        (["logs", "gateway"], "There is no log of gateway in"),
        (["logs", "../../secrets"], "There is no log of ../../secrets in"),
        (["token", "--sub", "alice"], "There is no stack in"),
        (["migrate"], "Nothing runs in"),
        (["migrate", "nonsense"], "There is no service nonsense with a database."),
        (["outbox", "backlog"], "Nothing runs in"),
        (["outbox", "backlog", "--service", "nonsense"], "Nothing runs in"),
        (["saga", "show", "0197a3c2-7d3e-7c50-8a31-d2f3a4b5c6d7"], "Nothing runs in"),
        (["up", "--replicas", "gateway=2"], "--replicas takes NAME=N with N of 1 or more and NAME one of"),
        (["up", "--replicas", "line_provider=many"], "--replicas takes NAME=N"),
        (["gateway", "--descriptor-set", "absent.binpb", "--upstream", "shop.v1"], "--upstream takes PACKAGE="),
        (["gateway", "--descriptor-set", "absent.binpb", "--upstream", "shop.v1=h:1", "--port", "0"], "absent.binpb"),
        (
            ["gateway", "--descriptor-set", "shop.binpb", "--reflect", "h:1"],
            "--descriptor-set and --upstream go together.",
        ),
        (["gateway"], "A gateway needs --reflect, or --descriptor-set and --upstream."),
    ],
)
async def test_what_goes_wrong_is_one_sentence(arguments: list[str], sentence: str, tmp_path: Path):
    finished = await sagamesh(*arguments, SAGAMESH_DATA_DIR=str(tmp_path / "data"))
    assert (finished.code, finished.output) == (1, "")
    assert finished.errors.startswith("sagamesh: ")
    assert sentence in finished.errors
    assert "Traceback" not in finished.errors


async def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finished = await sagamesh("up", "--port", str(port), "--data-dir", tmp_path / "data")
    assert finished.errors == f"sagamesh: Port {port} is taken. Choose another with --port.\n"
    assert not _names_in(tmp_path)


async def test_an_ephemeral_stack_does_not_delete_what_was_there(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    finished = await sagamesh("up", "--port", "0", "--data-dir", tmp_path, "--ephemeral")
    assert "is not empty, and --ephemeral would delete it" in finished.errors
    assert (tmp_path / "thesis.txt").exists()


async def test_a_server_that_the_environment_names_and_that_does_not_answer_is_a_sentence(tmp_path: Path):
    dsn = "postgresql://admin:very-secret@127.0.0.1:1/postgres"
    finished = await sagamesh("up", "--port", "0", "--data-dir", tmp_path / "data", SAGAMESH_POSTGRES_DSN=dsn)
    assert finished.code == 1
    assert "sagamesh: PostgreSQL at 127.0.0.1:1 cannot be used: " in finished.errors
    assert "very-secret" not in finished.errors


async def test_a_wrong_password_for_a_server_that_the_environment_names_is_a_sentence(postgres: str, tmp_path: Path):
    dsn = with_account(postgres, "postgres", "very-secret")
    finished = await sagamesh("up", "--port", "0", "--data-dir", tmp_path / "data", SAGAMESH_POSTGRES_DSN=dsn)
    assert finished.code == 1
    assert 'cannot be used: password authentication failed for user "postgres"' in finished.errors
    assert "very-secret" not in finished.errors


async def test_a_token_is_for_whom_it_was_asked_for(tmp_path: Path):
    ensure_keys(DataDirectory(tmp_path).keys, [])
    options = ["--sub", "maria", "--role", "manager", "--role", "operator", "--ttl", "60", "--data-dir", tmp_path]
    finished = await sagamesh("token", *options)
    keys = jwt.PyJWKSet.from_json(jwks_path(DataDirectory(tmp_path).keys).read_text())
    claims = jwt.decode(finished.output.strip(), keys["users"], algorithms=["EdDSA"], audience="sagamesh")
    assert (claims["sub"], claims["roles"], claims["exp"] - claims["iat"]) == ("maria", ["manager", "operator"], 60)


async def test_ps_is_machine_readable_when_nothing_runs(tmp_path: Path):
    assert (await sagamesh("ps", "--json", "--data-dir", tmp_path)).output == "[]\n"


async def test_migrate_creates_roles_and_databases_on_a_server_of_ones_own(postgres: str, tmp_path: Path):
    names = [service.name for service in SERVICES]
    dsns = {f"{name.upper()}_DATABASE_DSN": with_account(postgres, name, "its-own") for name in names}
    finished = await sagamesh("migrate", "--data-dir", tmp_path, SAGAMESH_POSTGRES_DSN=postgres, **dsns)
    assert (finished.errors, finished.output) == ("", "".join(f"{name}: head\n" for name in names))
    back = await sagamesh("migrate", "score_maker", "--down", "--to", "base", "--data-dir", tmp_path, **dsns)
    assert (back.errors, back.output) == ("", "score_maker: base\n")
    unknown = await sagamesh("migrate", "--to", "nonsense", "--data-dir", tmp_path, **dsns)
    assert "line_provider was not migrated: Can't locate revision identified by 'nonsense'." in unknown.errors


def _names_in(path: Path) -> list[str]:
    return [entry.name for entry in path.iterdir()]
