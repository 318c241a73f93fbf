"""An operator's calls to services, made with a token of the data directory's own `users` key."""

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import grpc
import grpc.aio

from mesh.identity import load_key, mint
from stack.directory import DataDirectory
from stack.errors import CallFailed, NothingRuns
from stack.keys import USERS, key_path
from stack.services import SERVICES

TARGETS = "SAGAMESH_TARGETS"
"""NAME=TARGET pairs of services that no stack here runs, in the form of the worker's ARQ_WORKER_TARGETS."""

_PATIENCE = 10.0
_TOKEN_LIFE = 60.0
# A service that starts no sagas does not know the question; one that does may not know the answer.
_NOT_HERE = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNIMPLEMENTED)

Reply = TypeVar("Reply")


@dataclass(frozen=True, slots=True)
class Session:
    """A channel to a service, and what every call on it carries."""

    channel: grpc.aio.Channel
    metadata: tuple[tuple[str, str], ...]
    timeout: float = _PATIENCE


def token(directory: DataDirectory, subject: str, roles: Sequence[str], ttl: float) -> str:
    """A user's token that the stack's services accept for `ttl` seconds. Raises NothingRuns without a key."""
    path = key_path(directory.keys, USERS)
    if not path.exists():
        raise NothingRuns(f"There is no stack in {directory.path}. Make one with: sagamesh up")
    return mint(load_key(path), subject, roles, ttl)


def targets(directory: DataDirectory, chosen: str | None = None) -> dict[str, str]:
    """Where the services are, or the chosen one: as the environment says, else those of the running stack.

    Raises NothingRuns when there are none.
    """
    named = os.environ.get(TARGETS)
    found = _parse(named) if named else {row["name"]: row["address"] for row in directory.running()}
    names = [service.name for service in SERVICES if service.name in found and chosen in (None, service.name)]
    if not names:
        raise NothingRuns(f"There is no service {chosen} in {directory.path}." if chosen else "There are no services.")
    return {name: found[name] for name in names}


async def ask(
    directory: DataDirectory, service: str, target: str, call: Callable[[Session], Awaitable[Reply]]
) -> Reply:
    """The answer of one service. Raises CallFailed."""
    bearer = token(directory, "operator", ["operator"], _TOKEN_LIFE)
    async with grpc.aio.insecure_channel(target, [("grpc.enable_http_proxy", 0)]) as channel:
        try:
            return await call(Session(channel, (("authorization", f"Bearer {bearer}"),)))
        except grpc.aio.AioRpcError as error:
            sentence = f"{service}: {error.details() or 'no answer'} ({error.code().name})"
            understood = error.code() is not grpc.StatusCode.UNIMPLEMENTED
            raise CallFailed(sentence, elsewhere=error.code() in _NOT_HERE, understood=understood) from None


async def ask_all(
    directory: DataDirectory, chosen: str | None, call: Callable[[Session], Awaitable[Reply]]
) -> dict[str, Reply]:
    """The answers by name: of each service that knows the question, or of the chosen one.

    Raises CallFailed, also when no service knows it."""
    answers: dict[str, Reply] = {}
    most = CallFailed("No service was asked.", understood=False)
    for service, target in targets(directory, chosen).items():
        try:
            answers[service] = await ask(directory, service, target, call)
        except CallFailed as error:
            if chosen or not error.elsewhere:
                raise
            most = max(error, most, key=_understood)
    if not answers:
        raise most
    return answers


async def ask_around(
    directory: DataDirectory, chosen: str | None, call: Callable[[Session], Awaitable[Reply]]
) -> tuple[str, Reply]:
    """The first service that has what is asked for, and its answer. Raises CallFailed when none has."""
    most = CallFailed("No service was asked.", understood=False)
    for service, target in targets(directory, chosen).items():
        try:
            return service, await ask(directory, service, target, call)
        except CallFailed as error:
            if not error.elsewhere:
                raise
            most = max(error, most, key=_understood)
    raise most


def _understood(failed: CallFailed) -> bool:
    return failed.understood


def _parse(text: str) -> dict[str, str]:
    pairs = [entry.strip().partition("=") for entry in text.split(";" if ";" in text else ",") if entry.strip()]
    return {name: target for name, _, target in pairs}
