"""Which services there are. A new domain is one row here; everything else of the stack follows from it."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from stack.errors import NotInstalled

WORKER = "arq_worker"
GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Service:
    """A domain's service. `name` is its module, its database, its key and, in capitals, the prefix of its settings;
    `upstreams` are the services it calls itself, by `<PREFIX>_<UPSTREAM>_TARGET`."""

    name: str
    database: bool = True
    upstreams: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """The proto package that the gateway serves from it."""
        return f"sagamesh.{self.name}.v1"


SERVICES = (
    Service("line_provider"),
    Service("score_maker", upstreams=("line_provider",)),
    Service("tickets"),
)


def prefix(name: str) -> str:
    """The prefix of a process's settings in the environment."""
    return f"{name.upper()}_"


def descriptor_set() -> Path:
    """The descriptor set of all contracts, which lies beside the package of generated stubs."""
    stubs = importlib.util.find_spec("sagamesh")
    if stubs is None or not stubs.submodule_search_locations:
        raise NotInstalled("The generated stubs are not installed.")
    return Path(next(iter(stubs.submodule_search_locations))).with_name("sagamesh.binpb")
