"""Writes the generated sections of README.md: the services, and every rpc with who may call it.

Reads the contracts' image and the stack's table of services; says nothing that they do not say.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto
from sagamesh.mesh.v1 import policy_pb2
from typer.core import TyperGroup
from typer.main import get_command

from stack.cli import app
from stack.services import GATEWAY, SERVICES, WORKER, prefix
from tools.sections import ROOT, Page, run, table

_SERVICE, _METHOD = 6, 2  # field numbers of FileDescriptorProto.service and ServiceDescriptorProto.method
_REPEATED = {
    policy_pb2.READ_ONLY: "reads",
    policy_pb2.IDEMPOTENT: "no further effect",
    policy_pb2.REQUEST_ID: "no further effect with `request_id`",
    policy_pb2.NON_IDEMPOTENT: "acts again",
}


@dataclass(frozen=True, slots=True)
class Rpc:
    """An rpc as its contract describes it; `service` and `purpose` are those of the service that has it."""

    package: str
    service: str
    purpose: str
    comment: str
    method: MethodDescriptorProto

    @property
    def row(self) -> tuple[str, str, str, str, str]:
        """Name, REST forms, who may call, what a repetition does, first sentence of the comment."""
        policy = self._policy
        name = f"{self.method.name} (stream)" if self.method.server_streaming else self.method.name
        rest = "<br>".join(f"`{form}`" for form in self.forms) or "gRPC only"
        return (name, rest, _callers(policy.access), _REPEATED[policy.idempotency], self.comment)

    @property
    def forms(self) -> list[str]:
        """Verb and path of each REST form."""
        options: Any = self.method.options.Extensions  # the stubs know no extension
        return _forms(options[annotations_pb2.http], self._policy.alias)

    @property
    def _policy(self) -> policy_pb2.Policy:
        options: Any = self.method.options.Extensions  # the stubs know no extension
        return options[policy_pb2.policy]


def services_table() -> str:
    """What runs, and what each process is there for."""
    rows = [
        (
            f"`{service.name}`",
            first_sentence(_docstring(service.name)),
            f"`{prefix(service.name)}`",
            ", ".join(f"`{upstream}`" for upstream in service.upstreams) or "nobody",
        )
        for service in SERVICES
    ]
    rows.append((f"`{WORKER}`", first_sentence(_docstring(WORKER)), f"`{prefix(WORKER)}`", "every service"))
    rows.append((f"`{GATEWAY}`", first_sentence(_docstring(GATEWAY)), f"`{prefix(GATEWAY)}`", "every service"))
    return table(("process", "what it is there for", "settings begin with", "calls"), rows)


def commands_table() -> str:
    """The commands of `sagamesh`, as they describe themselves."""
    rows = [(f"`{words}`", first_sentence(what)) for words, what in _commands(_command_line(), ("sagamesh",))]
    return table(("command", "what it does"), rows)


def rpcs_table() -> str:
    """Every rpc by service, those with a REST form first."""
    image = FileDescriptorSet.FromString((ROOT / "gen" / "sagamesh.binpb").read_bytes())
    services: dict[str, list[Rpc]] = {}
    for rpc in rpcs(image):
        services.setdefault(f"{rpc.package}.{rpc.service}", []).append(rpc)
    public = [name for name in services if not name.startswith("sagamesh.mesh.")]
    internal = [name for name in services if name.startswith("sagamesh.mesh.")]
    header = ("rpc", "REST", "who may call", "repeated", "what it does")
    return "\n\n".join(
        f"**{name}**: {services[name][0].purpose}\n\n{table(header, [rpc.row for rpc in services[name]])}"
        for name in (*sorted(public), *sorted(internal))
    )


def rpcs(image: FileDescriptorSet) -> Iterator[Rpc]:
    """The rpcs of our own packages, as the contracts list them."""
    for file in image.file:
        comments = _comments(file) if file.package.startswith("sagamesh.") else {}
        for s, service in enumerate(file.service if comments else ()):
            purpose = first_sentence(comments[_SERVICE, s])
            for m, method in enumerate(service.method):
                comment = first_sentence(comments[_SERVICE, s, _METHOD, m])
                yield Rpc(file.package, service.name, purpose, comment, method)


def first_sentence(comment: str) -> str:
    """The first sentence of a comment, on one line."""
    return re.split(r"(?<=\.)\s+(?=[A-Z])", " ".join(comment.split()))[0]


def _command_line() -> TyperGroup:
    command = get_command(app)
    if not isinstance(command, TyperGroup):
        raise TypeError("sagamesh has one command only")
    return command


def _commands(group: TyperGroup, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The command lines below a group, and what each says of itself."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command.get_short_help_str(limit=1000)


def _comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    return {tuple(location.path): location.leading_comments for location in file.source_code_info.location}


def _forms(rule: HttpRule, aliases: Iterable[str]) -> list[str]:
    """Verb and path of each REST form; aliases take the verb of the first."""
    if rule.WhichOneof("pattern") is None:
        return []
    forms = [_form(form) for form in (rule, *rule.additional_bindings)]
    return [*forms, *(f"{forms[0].split()[0]} {path}" for path in aliases)]


def _form(rule: HttpRule) -> str:
    verb = rule.WhichOneof("pattern") or ""
    return f"{rule.custom.kind} {rule.custom.path}" if verb == "custom" else f"{verb.upper()} {getattr(rule, verb)}"


def _callers(access: policy_pb2.Access) -> str:
    if access.anonymous:
        return "anybody"
    users = ["any user"] if access.user else [f"`{role}`" for role in access.roles]
    return ", ".join([*users, *(f"`service:{name}`" for name in access.services)])


def _docstring(package: str) -> str:
    """What a package says of itself, read without importing it."""
    return ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text())) or ""


README = Page(ROOT / "README.md", {"services": services_table, "commands": commands_table, "rpcs": rpcs_table})

if __name__ == "__main__":
    sys.exit(run(README, "python -m tools.readme", __doc__))
