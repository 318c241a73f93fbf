"""The data stores of a stack: embedded ones unless the environment names real ones. Knows no process but theirs.

SAGAMESH_POSTGRES_DSN     a PostgreSQL, as an account that may create roles and databases
<SERVICE>_DATABASE_DSN    the database of one service, such as LINE_PROVIDER_DATABASE_DSN
SAGAMESH_REDIS_WORK_DSN   a Redis for the worker; may be flushed at any time
SAGAMESH_REDIS_LOG_DSN    a Redis for streams; keeps what it acknowledges
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from stack import probes
from stack.directory import DataDirectory
from stack.keeper import Unit
from stack.postgres import Cluster, ensure_database
from stack.redis import Instance, Role
from stack.services import Service, prefix

POSTGRES_DSN = "SAGAMESH_POSTGRES_DSN"
REDIS_DSN = {Role.WORK: "SAGAMESH_REDIS_WORK_DSN", Role.LOG: "SAGAMESH_REDIS_LOG_DSN"}


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one stack. An embedded one is None where a real one is used."""

    directory: DataDirectory
    cluster: Cluster | None
    redis: dict[Role, Instance | None]

    @classmethod
    def choose(
        cls, directory: DataDirectory, services: Sequence[Service], ports: Iterator[int], *, ephemeral: bool
    ) -> "Stores":
        """Embeds what the environment does not name."""
        needed = any(service.database and not own_dsn(service) for service in services)
        cluster = Cluster(directory.path / "postgres", directory.secret("postgres"), next(ports), ephemeral)
        instances = {
            role: None
            if os.environ.get(REDIS_DSN[role])
            else Instance(role, directory.path / role.value, next(ports), directory.secret(role.value))
            for role in Role
        }
        return cls(directory, None if os.environ.get(POSTGRES_DSN) or not needed else cluster, instances)

    def initialise(self) -> None:
        """Prepares the directories of the embedded ones. Blocks for a moment when they are new."""
        if self.cluster:
            self.cluster.initialise()
        for instance in self._embedded_redis():
            instance.initialise()

    def units(self) -> list[Unit]:
        """The embedded servers."""
        units = [Unit(i.program(), f"127.0.0.1:{i.port}", probes.redis(i.port)) for i in self._embedded_redis()]
        if self.cluster:
            port = self.cluster.port
            units.insert(0, Unit(self.cluster.program(), f"127.0.0.1:{port}", probes.postgresql(port)))
        return units

    def redis_dsn(self, role: Role) -> str:
        """Where the Redis of that role is."""
        instance = self.redis[role]
        return instance.url if instance else os.environ[REDIS_DSN[role]]

    async def database_dsn(self, service: Service) -> str:
        """The service's DSN, the environment's or one made here; role and database are created where we may."""
        own = own_dsn(service)
        if own:
            await _ensure_as_named(own)
            return own
        admin = self.cluster.dsn if self.cluster else os.environ[POSTGRES_DSN]
        return await ensure_database(admin, service.name, self.directory.secret(service.name))

    def _embedded_redis(self) -> list[Instance]:
        return [instance for instance in self.redis.values() if instance]


def own_dsn(service: Service) -> str:
    """The DSN that the environment gives the service; empty when it gives none."""
    return os.environ.get(f"{prefix(service.name)}DATABASE_DSN", "")


async def _ensure_as_named(dsn: str) -> None:
    """Creates a DSN's role and database on the server we may administer, if they share a name as ours do."""
    parts = urlsplit(dsn)
    name = unquote(parts.username or "")
    if os.environ.get(POSTGRES_DSN) and name == unquote(parts.path.lstrip("/")):
        await ensure_database(os.environ[POSTGRES_DSN], name, unquote(parts.password or ""))
