"""Where contracts come from, and when there may be a new one. Knows bytes, and nothing of what they say."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError

from gateway.contract import ContractError

_SETTLING = 0.2
_SHARED = ("google/", "buf/validate/")
"""Files that everybody has in a version of their own: it does not matter whose is taken."""


class SourceError(Exception):
    """A source cannot be read now."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a source says: a serialised FileDescriptorSet and, where the source knows, who serves a service (by its
    full name)."""

    descriptor_set: bytes = b""
    services: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


class Source(Protocol):
    """Something that has a contract, and may have another later."""

    @property
    def name(self) -> str:
        """What the source is called in logs."""
        ...

    def call(self) -> None:
        """Asks for the contract to be read soon, changed or not."""
        ...

    async def next(self) -> Snapshot:
        """Waits until there may be something new, and reads it. Raises SourceError."""
        ...

    async def close(self) -> None:
        """Nothing more is wanted."""
        ...


class Pause:
    """A wait that a call ends early; a call before the wait is not lost."""

    def __init__(self) -> None:
        self._called = asyncio.Event()

    def call(self) -> None:
        """Ends the wait."""
        self._called.set()

    async def wait(self, seconds: float) -> bool:
        """Whether it was called."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._called.wait()
        called = self._called.is_set()
        self._called.clear()
        return called


class FileSource:
    """A descriptor set in a file, which is looked at every `poll` seconds. A change counts when nothing has changed
    further for a moment, since half a descriptor set may well be a valid one, of fewer services."""

    def __init__(self, path: Path, poll: float) -> None:
        self._path = path
        self._poll = poll
        self._pause = Pause()
        self._mark = self._look()

    @property
    def name(self) -> str:
        """The path."""
        return str(self._path)

    def call(self) -> None:
        """Reads the file at once, changed or not."""
        self._pause.call()

    def read(self) -> Snapshot:
        """The file as it is now. Raises OSError."""
        return Snapshot(self._path.read_bytes())

    async def next(self) -> Snapshot:
        """Raises SourceError, once per change, when the file cannot be read."""
        called = False
        while not called and self._look() == self._mark:
            called = await self._pause.wait(self._poll)
        self._mark = self._look() if called else await self._settled()
        try:
            return self.read()
        except OSError as error:
            raise SourceError(str(error)) from error

    async def close(self) -> None:
        """Nothing is open."""

    async def _settled(self) -> object:
        mark, before = self._look(), object()
        while mark != before:
            await asyncio.sleep(_SETTLING)
            mark, before = self._look(), mark
        return mark

    def _look(self) -> object:
        """What changes when the file does, a rename over it included; None when there is no file."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev


def merged(snapshots: Iterable[Snapshot]) -> Snapshot:
    """One contract of several. Raises ContractError when two have different files of one name."""
    snapshots = tuple(snapshots)
    if len(snapshots) == 1:
        return snapshots[0]
    files: dict[str, FileDescriptorProto] = {}
    services: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for snapshot in snapshots:
        for file in _parsed(snapshot):
            if not _is_alike(files.setdefault(file.name, file), file):
                raise ContractError(f"there are two different files {file.name}")
        for service, targets in snapshot.services.items():
            services[service] += targets
    return Snapshot(FileDescriptorSet(file=files.values()).SerializeToString(), services)


def _parsed(snapshot: Snapshot) -> Iterable[FileDescriptorProto]:
    try:
        return FileDescriptorSet.FromString(snapshot.descriptor_set).file
    except DecodeError as error:
        raise ContractError(f"not a descriptor set: {error}") from error


def _is_alike(one: FileDescriptorProto, other: FileDescriptorProto) -> bool:
    """Whether it does not matter which is taken; comments never do."""
    return one is other or one.name.startswith(_SHARED) or _uncommented(one) == _uncommented(other)


def _uncommented(file: FileDescriptorProto) -> FileDescriptorProto:
    copy = FileDescriptorProto()
    copy.CopyFrom(file)
    copy.ClearField("source_code_info")
    return copy
