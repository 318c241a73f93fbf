"""Brings a whole stack up in one data directory, keeps it, and takes it down. Speaks to people through Progress."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Callable, Coroutine, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stack.console import Progress
from stack.directory import DataDirectory
from stack.errors import StartFailed
from stack.keys import ensure_keys
from stack.layout import Layout
from stack.ports import free_port, is_free
from stack.redis import Role
from stack.services import GATEWAY, SERVICES, WORKER, Service
from stack.stores import Stores
from stack.supervisor import Supervisor


@dataclass(frozen=True, slots=True)
class Request:
    """What `up` was asked for. Port 0 picks one; no directory means one that is thrown away."""

    port: int = 8080
    directory: Path | None = None
    ephemeral: bool = False
    replicas: Mapping[str, int] = field(default_factory=dict[str, int])
    services: Sequence[Service] = SERVICES

    def arguments(self) -> list[str]:
        """What asks `sagamesh up` for the same, but for the directory."""
        replicas = [option for name, number in self.replicas.items() for option in ("--replicas", f"{name}={number}")]
        return ["--port", str(self.port), *(["--ephemeral"] if self.ephemeral else []), *replicas]


def run(request: Request, announce: Callable[[DataDirectory, str], None]) -> None:
    """Runs a stack until SIGINT, SIGTERM or SIGHUP; `announce` hears its URL when all of it serves.

    The request has passed `check`. Raises StartFailed, or another StackError, each with a sentence.
    """
    with _directory(request) as directory, directory.locked():
        asyncio.run(_until_signalled(_run(request, directory, announce)))


def check(request: Request) -> None:
    """Raises StartFailed when the request cannot be met, before anything is started."""
    if request.port and not is_free(request.port):
        raise StartFailed(f"Port {request.port} is taken. Choose another with --port.")
    known = [*(service.name for service in request.services), WORKER]
    for name, number in request.replicas.items():
        if name not in known or number < 1:
            raise StartFailed(f"--replicas takes NAME=N with N of 1 or more and NAME one of {', '.join(known)}.")
    directory = request.directory
    if request.ephemeral and directory and directory.exists() and any(directory.iterdir()):
        raise StartFailed(f"{directory} is not empty, and --ephemeral would delete it.")


async def migrate(supervisor: Supervisor, layout: Layout, dsns: Mapping[str, str]) -> None:
    """Brings the database of every service to its newest form."""
    services = [service for service in layout.services if service.database]
    programs = [layout.migration(service, dsns[service.name]) for service in services]
    await asyncio.gather(*map(supervisor.run_once, programs))


async def _run(request: Request, directory: DataDirectory, announce: Callable[[DataDirectory, str], None]) -> None:
    progress = Progress()
    port = request.port or free_port()
    ensure_keys(directory.keys, [*(service.name for service in request.services), WORKER])
    facts = {"url": f"http://127.0.0.1:{port}", "replicas": dict(request.replicas), GATEWAY: port}
    async with Supervisor(directory, progress.changed, facts=facts) as supervisor:
        with progress.table():
            await _start(supervisor, request, Layout(directory, port, request.replicas, request.services))
        supervisor.all_started()
        announce(directory, f"http://127.0.0.1:{port}")
        try:
            await asyncio.Event().wait()
        finally:
            progress.say("Stopping.")


async def _start(supervisor: Supervisor, request: Request, layout: Layout) -> None:
    stores = Stores.choose(layout.directory, request.services, layout.ports, ephemeral=request.ephemeral)
    stores.initialise()
    await supervisor.start(stores.units())
    dsns = {service.name: await stores.database_dsn(service) for service in request.services if service.database}
    await migrate(supervisor, layout, dsns)
    await supervisor.start(layout.service_units(dsns))
    await supervisor.start(layout.edge_units(stores.redis_dsn(Role.WORK)))


async def _until_signalled(work: Coroutine[Any, Any, None]) -> None:
    """Runs the work to its end, or to the first signal; further ones change nothing, since it is ending already."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    requested = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, requested.set)
    signalled = asyncio.create_task(requested.wait())
    await asyncio.wait([task, signalled], return_when=asyncio.FIRST_COMPLETED)
    signalled.cancel()
    if not task.done():
        task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@contextmanager
def _directory(request: Request) -> Generator[DataDirectory]:
    """The data directory; an ephemeral one is gone afterwards."""
    path = request.directory or Path(tempfile.mkdtemp(prefix="sagamesh-"))
    try:
        yield DataDirectory(path)
    finally:
        if request.ephemeral:
            shutil.rmtree(path, ignore_errors=True)
