"""An operator's calls to the services of a running stack, made with a token of the stack's own `users` key."""

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


def services(directory: DataDirectory, chosen: str | None = None) -> list[str]:
    """The services of the running stack, or the chosen one. Raises NothingRuns when it is not among them."""
    names = {row["name"] for row in directory.running()}
    found = [service.name for service in SERVICES if service.name in names and chosen in (None, service.name)]
    if not found:
        raise NothingRuns(f"No service {chosen or ''} runs in {directory.path}.".replace("  ", " "))
    return found


async def ask(directory: DataDirectory, service: str, call: Callable[[Session], Awaitable[Reply]]) -> Reply:
    """The answer of one service. Raises CallFailed."""
    address = next(row["address"] for row in directory.running() if row["name"] == service)
    bearer = token(directory, "operator", ["operator"], _TOKEN_LIFE)
    async with grpc.aio.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        try:
            return await call(Session(channel, (("authorization", f"Bearer {bearer}"),)))
        except grpc.aio.AioRpcError as error:
            sentence = f"{service}: {error.details() or 'no answer'} ({error.code().name})"
            raise CallFailed(sentence, elsewhere=error.code() in _NOT_HERE) from None


async def ask_all(
    directory: DataDirectory, chosen: str | None, call: Callable[[Session], Awaitable[Reply]]
) -> dict[str, Reply]:
    """The answers by name: of each service that knows the question, or of the chosen one. Raises CallFailed."""
    answers: dict[str, Reply] = {}
    for service in services(directory, chosen):
        try:
            answers[service] = await ask(directory, service, call)
        except CallFailed as error:
            if chosen or not error.elsewhere:
                raise
    return answers


async def ask_around(
    directory: DataDirectory, chosen: str | None, call: Callable[[Session], Awaitable[Reply]]
) -> tuple[str, Reply]:
    """The first service that has what is asked for, and its answer. Raises CallFailed when none has."""
    asked = services(directory, chosen)
    for service in asked:
        try:
            return service, await ask(directory, service, call)
        except CallFailed as error:
            if not error.elsewhere or service == asked[-1]:
                raise
    raise AssertionError("services() never gives an empty list")
