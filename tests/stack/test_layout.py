"""Which process is told what."""

from pathlib import Path

import pytest

from arq_worker.settings import WorkerSettings
from gateway.settings import GatewaySettings
from stack.directory import DataDirectory
from stack.keeper import Unit
from stack.layout import Layout
from stack.ports import free_port
from stack.services import SERVICES

NAMES = [service.name for service in SERVICES]
DSNS = {service.name: f"postgresql://{service.name}:its-own@h/db" for service in SERVICES}


def units(tmp_path: Path, replicas: dict[str, int] | None = None) -> dict[str, Unit]:
    """The services, the worker and the gateway of a layout, by name."""
    layout = Layout(DataDirectory(tmp_path), 8080, replicas or {})
    return {unit.name: unit for unit in [*layout.service_units(DSNS), *layout.edge_units("redis://r")]}


def told(unit: Unit) -> dict[str, str]:
    """A process's environment."""
    assert unit.program.environment is not None
    return dict(unit.program.environment)


def test_each_process_is_told_where_the_others_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = units(tmp_path)
    assert list(made) == [*NAMES, "arq_worker", "gateway"]
    assert told(made["score_maker"])["SCORE_MAKER_LINE_PROVIDER_TARGET"] == made["line_provider"].address
    addresses = {name: made[name].address for name in NAMES}
    for name in ("arq_worker", "gateway"):
        for variable, value in told(made[name]).items():
            monkeypatch.setenv(variable, value)
    assert WorkerSettings().targets_by_name() == addresses  # pyright: ignore[reportCallIssue]  # from the environment
    upstreams = GatewaySettings().upstreams  # pyright: ignore[reportCallIssue]  # from the environment
    assert upstreams == {f"sagamesh.{name}.v1": address for name, address in addresses.items()}


def test_replicas_have_addresses_of_their_own_and_one_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = units(tmp_path, {"line_provider": 2, "arq_worker": 2})
    assert list(made) == ["line_provider", "line_provider-2", *NAMES[1:], "arq_worker", "arq_worker-2", "gateway"]
    target = f"ipv4:{made['line_provider'].address},{made['line_provider-2'].address}"
    assert told(made["score_maker"])["SCORE_MAKER_LINE_PROVIDER_TARGET"] == target
    for name in ("arq_worker-2", "gateway"):
        for variable, value in told(made[name]).items():
            monkeypatch.setenv(variable, value)
    worker = WorkerSettings()  # pyright: ignore[reportCallIssue]  # from the environment
    gateway = GatewaySettings()  # pyright: ignore[reportCallIssue]  # from the environment
    assert worker.targets_by_name()["line_provider"] == target
    assert gateway.upstreams["sagamesh.line_provider.v1"] == target
    assert len({unit.metrics for unit in made.values()}) == len(made)


def test_a_process_learns_its_own_settings_and_no_secret_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCORE_MAKER_RETRY_ATTEMPTS", "3")
    monkeypatch.setenv("SCORE_MAKER_DATABASE_DSN", "postgresql://one-of-its-own")
    monkeypatch.setenv("SAGAMESH_POSTGRES_DSN", "postgresql://admin:secret@h/db")
    made = units(tmp_path)
    assert told(made["score_maker"])["SCORE_MAKER_RETRY_ATTEMPTS"] == "3"
    assert told(made["score_maker"])["SCORE_MAKER_DATABASE_DSN"] == "postgresql://one-of-its-own"
    for name in ("line_provider", "arq_worker", "gateway"):
        assert not [variable for variable in told(made[name]) if variable.startswith(("SCORE_MAKER_", "SAGAMESH_"))]


def test_where_a_process_listens_is_not_for_the_environment_to_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LINE_PROVIDER_LISTEN", "0.0.0.0:1")
    unit = units(tmp_path)["line_provider"]
    assert told(unit)["LINE_PROVIDER_LISTEN"] == unit.address


def test_no_dsn_is_on_a_command_line(tmp_path: Path):
    layout = Layout(DataDirectory(tmp_path), 8080, {})
    programs = [unit.program for unit in units(tmp_path).values()]
    programs += [layout.migration(service, DSNS[service.name]) for service in SERVICES]
    assert not [program for program in programs if "its-own" in " ".join(program.command())]


def test_no_process_is_given_the_gateways_port(tmp_path: Path) -> None:
    wanted = free_port()
    layout = Layout(DataDirectory(tmp_path), wanted, {})
    drawn = set(layout.ports)  # all that are free on this machine
    assert len(drawn) > 1000
    assert wanted not in drawn
