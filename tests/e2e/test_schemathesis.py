"""The OpenAPI document of the running gateway, and what schemathesis finds between it and the system."""

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Mapping
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from stack.services import descriptor_set
from tests.e2e.ratings import Ratings, done
from tests.system import System
from tools.readme import rpcs

HERE = Path(__file__).parent
# ProtoJSON is freer than a JSON Schema says, and what is wrong is said before anybody is asked for a token:
# schemathesis_hooks.py has checks that know it. A schema cannot say that a deadline lies in the future, or that a page
# token is one of ours; and a withdrawn score can still be read.
REPLACED = "positive_data_acceptance,negative_data_rejection,missing_required_header,use_after_free"
PEOPLE = {"a manager": ("maria", "manager", "agent"), "a user": ("ursula",), "nobody": ()}


async def findings(system: System, who: str, directory: Path, **options: str) -> str:
    """What schemathesis says against the system when that person asks; empty when it finds nothing."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{system.base_url}/openapi.json"]
    command += ["--exclude-checks", REPLACED, "--continue-on-failure", "--warnings", "off", "--request-timeout", "10"]
    command += ["--generation-database", "none", "--output-truncate", "false", "--no-color"]
    command += [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)]
    command += [part for name, value in _headers(system, who).items() for part in ("--header", f"{name}: {value}")]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=_environment(), cwd=directory
    )
    said = (await process.communicate())[0].decode()
    every_operation = re.search(r"Selected: (\d+)/\1\s+Tested: \1\s", said)
    return "" if process.returncode == 0 and every_operation else f"As {who}:\n{said}"


def _headers(system: System, who: str) -> Mapping[str, str]:
    return system.user(*PEOPLE[who]) if PEOPLE[who] else {}


def _environment() -> dict[str, str]:
    own = {"PYTHONPATH": str(HERE.parents[1]), "SCHEMATHESIS_HOOKS": "tests.e2e.schemathesis_hooks"}
    return {**os.environ, **own, "NO_PROXY": "*"}


async def test_the_document_is_openapi_3_1_and_has_every_path(ratings: Ratings):
    document = done(await ratings.http.get("/openapi.json"))
    assert document["openapi"].startswith("3.1.")
    validate(document, cls=OpenAPIV31SpecValidator)
    image = FileDescriptorSet.FromString(descriptor_set().read_bytes())
    forms = [form.partition(" ")[2] for rpc in rpcs(image) for form in rpc.forms]
    paths = {re.sub(r"\{(?:\w+\.)*(\w+)\}", r"{\1}", path) for path in forms}
    assert set(document["paths"]) == paths > {"/v1/events", "/events/{event_id}/score", "/v1/tickets"}


async def test_schemathesis_finds_no_5xx_and_nothing_undocumented(system: System, tmp_path: Path):
    said = await asyncio.gather(
        findings(system, "a manager", tmp_path, max_examples="5", phases="examples,coverage,fuzzing", seed="1"),
        findings(system, "a user", tmp_path, phases="coverage", seed="1"),
        findings(system, "nobody", tmp_path, phases="coverage", seed="1"),
    )
    assert not any(said), "\n".join(said)


@pytest.mark.long
@pytest.mark.parametrize("who", PEOPLE)
async def test_schemathesis_finds_nothing_in_many_examples_and_sequences(who: str, system: System, tmp_path: Path):
    said = await findings(system, who, tmp_path, max_examples="60")
    assert not said, said
