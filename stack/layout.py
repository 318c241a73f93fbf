"""Turns the table of services into processes: which settings each gets, where it listens, whom it calls.

Everything computed here can be replaced by the process's own environment variable, except where it listens.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stack import probes
from stack.directory import DataDirectory
from stack.keeper import Unit
from stack.keys import jwks_path, key_path
from stack.ports import free_ports
from stack.program import Program
from stack.services import GATEWAY, SERVICES, WORKER, Service, descriptor_set, prefix

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of one stack listens. `replicas` holds the number of processes of a name, where it is not 1;
    the address of each is drawn when the layout is made, and stays for the stack's life."""

    directory: DataDirectory
    gateway_port: int
    replicas: Mapping[str, int]
    services: Sequence[Service] = SERVICES
    ports: Iterator[int] = field(init=False)
    addresses: dict[str, list[str]] = field(default_factory=dict[str, list[str]], init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ports", free_ports(besides=self.gateway_port))
        for service in self.services:
            self.addresses[service.name] = [self._address() for _ in range(self.replicas.get(service.name, 1))]

    def service_units(self, dsns: Mapping[str, str]) -> list[Unit]:
        """The services' processes; `dsns` has the database of each that has one."""
        return [
            self._service_unit(service, process, address, dsns)
            for service in self.services
            for process, address in zip(self._names(service.name), self.addresses[service.name], strict=True)
        ]

    def edge_units(self, redis_work_dsn: str) -> list[Unit]:
        """The worker's processes and the gateway."""
        return [*(self._worker_unit(name, redis_work_dsn) for name in self._names(WORKER)), self._gateway_unit()]

    def migration(self, service: Service, dsn: str) -> Program:
        """What brings the service's database to its newest form and ends."""
        settings = {f"{prefix(service.name)}DATABASE_DSN": dsn}
        return Program(
            f"migrate-{service.name}", python("mesh.migrate", service.name), inherited(service.name) | settings
        )

    def target(self, name: str) -> str:
        """The gRPC target of a service: its address, or a list of those of its replicas."""
        addresses = self.addresses[name]
        return addresses[0] if len(addresses) == 1 else f"ipv4:{','.join(addresses)}"

    def _service_unit(self, service: Service, process: str, address: str, dsns: Mapping[str, str]) -> Unit:
        defaults = {
            "JWKS": str(jwks_path(self.directory.keys)),
            "KEY_FILE": str(key_path(self.directory.keys, service.name)),
            **({"DATABASE_DSN": dsns[service.name]} if service.database else {}),
        }
        defaults |= {f"{upstream.upper()}_TARGET": self.target(upstream) for upstream in service.upstreams}
        metrics = self._address()
        fixed = {"LISTEN": address, "METRICS_LISTEN": metrics}
        program = Program(process, python(service.name), environment(service.name, defaults, fixed))
        return Unit(program, address, probes.grpc_health(_port(address)), metrics)

    def _worker_unit(self, process: str, redis_work_dsn: str) -> Unit:
        metrics = self._address()
        defaults = {
            "REDIS_DSN": redis_work_dsn,
            "KEY_FILE": str(key_path(self.directory.keys, WORKER)),
            "TARGETS": self._listed({service.name: self.target(service.name) for service in self.services}),
        }
        program = Program(process, python(WORKER), environment(WORKER, defaults, {"METRICS_LISTEN": metrics}))
        return Unit(program, metrics, probes.http(_port(metrics), "/metrics"), metrics)

    def _gateway_unit(self) -> Unit:
        address = f"{_HOST}:{self.gateway_port}"
        defaults = {
            "DESCRIPTOR_SET": str(descriptor_set()),
            "UPSTREAMS": self._listed({service.package: self.target(service.name) for service in self.services}),
        }
        program = Program(GATEWAY, python(GATEWAY), environment(GATEWAY, defaults, {"LISTEN": address}))
        return Unit(program, address, probes.http(self.gateway_port, "/healthz"), address)

    def _listed(self, targets: Mapping[str, str]) -> str:
        """NAME=TARGET pairs in the form of the worker's and the gateway's settings. A target may hold commas."""
        return "".join(f"{name}={target};" for name, target in targets.items())

    def _names(self, name: str) -> list[str]:
        """The first replica has the plain name; the others are numbered from 2."""
        return [name, *(f"{name}-{number}" for number in range(2, self.replicas.get(name, 1) + 1))]

    def _address(self) -> str:
        return f"{_HOST}:{next(self.ports)}"


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of ours, whatever lies in the current directory."""
    return (sys.executable, "-P", "-m", module, *arguments)


def environment(name: str, defaults: Mapping[str, str], fixed: Mapping[str, str]) -> dict[str, str]:
    """What a process is told: the defaults, over them what we were told for it, over that what is fixed."""
    own = prefix(name)
    return (
        {f"{own}{setting}": value for setting, value in defaults.items()}
        | inherited(name)
        | {f"{own}{setting}": value for setting, value in fixed.items()}
    )


def inherited(name: str) -> dict[str, str]:
    """Our environment without the settings of others: a process learns no password that is not its own."""
    foreign = ["SAGAMESH_", *(prefix(other) for other in _process_names() if other != name)]
    return {variable: value for variable, value in os.environ.items() if not variable.startswith(tuple(foreign))}


def _process_names() -> list[str]:
    return [*(service.name for service in SERVICES), WORKER, GATEWAY]


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
