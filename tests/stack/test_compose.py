"""compose.yaml says nothing that the code does not know, and forgets nothing that the code needs."""

import importlib.util
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml
from pydantic_settings import BaseSettings

from arq_worker.settings import WorkerSettings
from gateway.settings import GatewaySettings
from stack.cli import app
from stack.keys import USERS, jwks_path, key_path
from stack.operator import TARGETS
from stack.services import GATEWAY, SERVICES, WORKER, prefix
from stack.stores import POSTGRES_DSN
from tests.stack.commands import command_names

ROOT = Path(__file__).parents[2]
KEYS = Path("/sagamesh/keys")
SETTINGS: dict[str, type[BaseSettings]] = {
    **{service.name: import_module(f"{service.name}.settings").Settings for service in SERVICES},
    WORKER: WorkerSettings,
    GATEWAY: GatewaySettings,
}
Service = dict[str, Any]
Compose = dict[str, Any]

_STRINGS = {"type": "array", "items": {"type": "string"}}
_DURATION = {"type": "string", "pattern": r"^\d+(ms|s|m)$"}
_SERVICE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image", "networks", "restart"],
    "properties": {
        "image": {"type": "string"},
        "build": {"const": "."},
        "restart": {"enum": ["no", "unless-stopped"]},
        "read_only": {"type": "boolean"},
        "tmpfs": _STRINGS,
        "cap_drop": _STRINGS,
        "security_opt": _STRINGS,
        "networks": _STRINGS,
        "stop_grace_period": _DURATION,
        "shm_size": {"type": "string", "pattern": r"^\d+[mg]$"},
        "profiles": _STRINGS,
        "entrypoint": _STRINGS,
        "command": _STRINGS,
        "ports": _STRINGS,
        "volumes": {"type": "array", "items": {"type": "string", "pattern": r"^[a-z-]+:/[a-z_/]+(:ro)?$"}},
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["condition"],
                "properties": {"condition": {"enum": ["service_healthy", "service_completed_successfully"]}},
            },
        },
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "required": ["test", "interval", "timeout", "retries"],
            "properties": {
                "test": {"type": "array", "items": {"type": "string"}, "prefixItems": [{"enum": ["CMD", "CMD-SHELL"]}]},
                "interval": _DURATION,
                "timeout": _DURATION,
                "start_period": _DURATION,
                "retries": {"type": "integer"},
            },
        },
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "patternProperties": {"^x-": True},
    "properties": {
        "name": {"type": "string"},
        "services": {"type": "object", "additionalProperties": _SERVICE},
        "networks": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"internal": {"type": "boolean"}},
            },
        },
        "volumes": {"type": "object", "additionalProperties": {"type": "object", "maxProperties": 0}},
    },
}


@pytest.fixture(scope="module")
def compose() -> Compose:
    """compose.yaml."""
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def services(compose: Compose) -> dict[str, Service]:
    """Its services."""
    return compose["services"]


def environment(service: Service) -> dict[str, str]:
    """Its variables, with a value for each of .env's."""
    return {name: interpolated(value) for name, value in service.get("environment", {}).items()}


def interpolated(text: str) -> str:
    """What Compose makes of `${NAME}`, `${NAME:?why}` and `${NAME:-default}`."""
    return re.sub(r"\$\{\w+(?::-([^}]*)|:\?[^}]*)?\}", lambda match: match[1] or "from-env", text)


def listens(services: dict[str, Service], name: str) -> str:
    """The port on which a process of ours listens."""
    return environment(services[name])[f"{prefix(name)}LISTEN"].rpartition(":")[2]


def mounts(service: Service) -> dict[str, str]:
    """Volume by path."""
    return {volume.split(":")[1]: volume.split(":")[0] for volume in service.get("volumes", [])}


def test_it_has_only_what_compose_knows(compose: Compose):
    jsonschema.validate(compose, SCHEMA)


def test_every_process_of_the_system_is_there(services: dict[str, Service]):
    assert services.keys() >= {*(service.name for service in SERVICES), WORKER, GATEWAY}


@pytest.mark.parametrize("name", SETTINGS)
def test_each_process_gets_settings_that_it_knows_and_accepts(
    name: str, services: dict[str, Service], monkeypatch: pytest.MonkeyPatch
):
    variables = environment(services[name])
    known = {f"{prefix(name)}{field.upper()}" for field in SETTINGS[name].model_fields}
    assert variables.keys() <= known
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    SETTINGS[name]()


def test_every_command_exists(services: dict[str, Service]):
    for service in services.values():
        match service.get("command"):
            case ["python", "-m", module]:
                assert importlib.util.find_spec(f"{module}.__main__")
            case ["sagamesh", name, *_]:
                assert name in command_names(app)
            case ["sh", "-c", script]:
                assert script.startswith("exec redis-server - <<END\n")
            case command:
                assert command is None


def test_the_stack_s_own_variables_exist(services: dict[str, Service]):
    used = {variable for service in services.values() for variable in service.get("environment", {})}
    databases = {f"{prefix(service.name)}DATABASE_DSN" for service in SERVICES if service.database}
    assert {variable for variable in used if variable.startswith("SAGAMESH_")} == {POSTGRES_DSN, TARGETS}
    assert environment(services["migrate"]).keys() == {POSTGRES_DSN, *databases}


def test_targets_name_services_and_the_ports_on_which_they_listen(services: dict[str, Service]):
    variables = {name: value for service in services.values() for name, value in environment(service).items()}
    named = [re.findall(r"dns:///(\w+):(\d+)", value) for value in variables.values()]
    found = [pair for pairs in named for pair in pairs]
    # The worker, the operator and the gateway know every service; a service knows its upstreams.
    assert len(found) == 3 * len(SERVICES) + sum(len(service.upstreams) for service in SERVICES)
    assert all(port == listens(services, name) for name, port in found)
    packages = [entry.partition("=")[0] for entry in variables["GATEWAY_UPSTREAMS"].split(",")]
    assert packages == [service.package for service in SERVICES]


def test_dsns_name_services_and_their_own_databases(services: dict[str, Service]):
    for variable, value in environment(services["migrate"]).items():
        parts = urlsplit(value)
        assert (parts.hostname, parts.port) == ("postgres", 5432)
        assert parts.path == f"/{parts.username}"
        assert variable in (POSTGRES_DSN, f"{prefix(parts.username or '')}DATABASE_DSN")
    assert urlsplit(environment(services[WORKER])["ARQ_WORKER_REDIS_DSN"]).hostname == "redis-work"


def test_health_checks_ask_the_ports_that_are_listened_on(services: dict[str, Service]):
    for service in SERVICES:
        assert services[service.name]["healthcheck"]["test"][-2:] == ["grpc", listens(services, service.name)]
    assert services[GATEWAY]["healthcheck"]["test"][-3:] == ["http", listens(services, GATEWAY), "/healthz"]
    metrics = environment(services[WORKER])["ARQ_WORKER_METRICS_LISTEN"].rpartition(":")[2]
    assert services[WORKER]["healthcheck"]["test"][-3:] == ["http", metrics, "/metrics"]
    assert importlib.util.find_spec("stack.check")


def test_only_the_gateway_is_published_and_only_it_leaves_the_backend(services: dict[str, Service], compose: Compose):
    assert [name for name, service in services.items() if "ports" in service] == [GATEWAY]
    assert interpolated(services[GATEWAY]["ports"][0]) == f"127.0.0.1:8080:{listens(services, GATEWAY)}"
    assert [name for name, service in services.items() if service["networks"] != ["backend"]] == [GATEWAY]
    assert compose["networks"]["backend"] == {"internal": True}


def test_what_is_waited_for_can_come(services: dict[str, Service]):
    for service in services.values():
        for other, need in service.get("depends_on", {}).items():
            if need["condition"] == "service_healthy":
                assert "healthcheck" in services[other]
            else:
                assert services[other]["restart"] == "no"


def test_each_process_has_its_own_key_and_no_other(services: dict[str, Service]):
    for name in (*(service.name for service in SERVICES), WORKER):
        variables = environment(services[name])
        own = key_path(KEYS, name)
        assert variables[f"{prefix(name)}KEY_FILE"] == str(own)
        assert mounts(services[name]).keys() <= {str(own.parent), str(jwks_path(KEYS).parent)}
    assert mounts(services["operator"]).keys() == {str(key_path(KEYS, USERS).parent)}


def test_the_task_that_makes_keys_has_a_place_for_each(services: dict[str, Service], compose: Compose):
    names = (USERS, *(service.name for service in SERVICES), WORKER)
    places = {str(jwks_path(KEYS).parent), *(str(key_path(KEYS, name).parent) for name in names)}
    assert mounts(services["keys"]).keys() == places
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert all(place in dockerfile for place in places)
    used = {volume for service in services.values() for volume in mounts(service).values()}
    assert used == compose["volumes"].keys()


def test_no_password_is_written_down():
    text = (ROOT / "compose.yaml").read_text()
    assert all(password.startswith("${") for password in re.findall(r"://\w*:([^@]*)@", text))
    assert all(value.startswith(("${", "$$")) for value in re.findall(r"(?:PASSWORD:|requirepass) (\S+)", text))
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_image_is_built_from_all_of_the_wheel():
    wanted = set(re.findall(r'"(\w+)"', next(_lines("pyproject.toml", "only-include"))))
    copied = {line.removeprefix("!") for line in _lines(".dockerignore", "!")}
    assert copied >= wanted


def _lines(file: str, start: str) -> Iterator[str]:
    return (line for line in (ROOT / file).read_text().splitlines() if line.startswith(start))
