"""What a saga is made of, as a service declares it. Nothing here runs one.

The theory: steps up to and including the *pivot* may be refused; once the pivot is done the saga can only end well, so
the steps after it are retried until they succeed. A refusal before that takes back, last first, what was done.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from google.protobuf.any_pb2 import Any as AnyProto
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from mesh.uow import UnitOfWork


@dataclass(frozen=True, slots=True)
class Progress:
    """What a saga's steps and callbacks see of it. `replies` maps a done step to its participant's reply (a
    google.protobuf.Any, empty without one); `error` says why the saga was taken back."""

    saga_id: UUID
    entity_id: str
    input: Message
    replies: Mapping[str, AnyProto] = field(default_factory=lambda: MappingProxyType({}))
    error: Status | None = None


Build = Callable[[Progress], Message]
Callback = Callable[[UnitOfWork, Sequence[Progress]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Step:
    """One participant's part: `do` builds its command, `undo` the one that takes it back (None: nothing to undo)."""

    name: str
    destination: str
    do: Build
    undo: Build | None = None


@dataclass(frozen=True, slots=True)
class Saga:
    """A definition. The callbacks run in the transaction that settles the pivot, or the compensation, for all the
    sagas that it settles; a running saga keeps the version that it was started with."""

    name: str
    version: int
    input: type[Message]
    steps: tuple[Step, ...]
    pivot: str
    on_pivot: Callback
    on_compensated: Callback
    deadline: timedelta = timedelta(minutes=15)

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        if len(set(names)) != len(names) or self.pivot not in names:
            raise ValueError(f"saga {self.name}: step names must differ, and the pivot must be one of them")

    def step(self, name: str) -> Step:
        """The step of that name. Raises KeyError."""
        return self.steps[self.position(name)]

    def position(self, name: str) -> int:
        """The index of a step. Raises KeyError."""
        for index, step in enumerate(self.steps):
            if step.name == name:
                return index
        raise KeyError(f"saga {self.name} version {self.version} has no step {name}")

    def after(self, name: str) -> Step | None:
        """The step that follows."""
        index = self.position(name) + 1
        return self.steps[index] if index < len(self.steps) else None

    def undoable(self, before: int) -> Step | None:
        """The last step with an undo among the first `before` steps."""
        return next((step for step in reversed(self.steps[:before]) if step.undo is not None), None)

    def is_after_pivot(self, name: str) -> bool:
        """Whether a step may not be refused."""
        return self.position(name) > self.position(self.pivot)
