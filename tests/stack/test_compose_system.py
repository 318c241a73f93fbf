"""compose.yaml as a container tool reads it. Needs Debian's docker-compose (`.ci/run` installs it), but no engine."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from stack.services import GATEWAY, SERVICES, WORKER

ROOT = Path(__file__).resolve().parents[2]
# Debian's 1.29 reads the Compose Specification as it was before it had the key `name`.
COMPOSE = re.sub(r"^name: .*\n", "", (ROOT / "compose.yaml").read_text(), flags=re.MULTILINE)
PASSWORDS = set(re.findall(r"\$\{([A-Z_]+_PASSWORD)", COMPOSE))

pytestmark = pytest.mark.system


def compose_config(**environment: str) -> subprocess.CompletedProcess[str]:
    command = ["docker-compose", "--project-directory", str(ROOT), "--file", "-", "config"]
    variables = {"PATH": os.environ["PATH"]} | environment
    return subprocess.run(command, env=variables, input=COMPOSE, capture_output=True, text=True, check=False)


def test_the_compose_file_is_valid_and_runs_every_process() -> None:
    result = compose_config(**dict.fromkeys(PASSWORDS, "a-password"))

    assert result.returncode == 0, result.stderr
    services = yaml.safe_load(result.stdout)["services"]
    assert {*(service.name for service in SERVICES), WORKER, GATEWAY} <= set(services)


@pytest.mark.parametrize("forgotten", sorted(PASSWORDS))
def test_it_does_not_start_with_an_empty_password(forgotten: str) -> None:
    result = compose_config(**dict.fromkeys(PASSWORDS - {forgotten}, "a-password"))

    assert result.returncode != 0
    assert forgotten in result.stderr
