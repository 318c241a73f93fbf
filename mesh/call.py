"""What is known about the call being served: who calls, until when, under which trace. Set by the server's
interceptor, read by client channels, the outbox and the unit of work. No transport objects here."""

import time
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller. `id` is `user:<sub>` or `service:<name>`."""

    id: str
    roles: frozenset[str] = frozenset()

    @property
    def subject(self) -> str:
        """The id without its kind: a user's `sub`."""
        return self.id.partition(":")[2]

    @property
    def is_user(self) -> bool:
        """Whether this is a person rather than a service."""
        return self.id.startswith("user:")

    def has_role(self, *roles: str) -> bool:
        """Whether the caller has one of the roles."""
        return not self.roles.isdisjoint(roles)


ANONYMOUS = Principal("anonymous:")


@dataclass(frozen=True, slots=True)
class Call:
    """One call being served. `method` is `/package.Service/Method`; `deadline` is on time.monotonic's clock."""

    method: str = ""
    principal: Principal = ANONYMOUS
    deadline: float | None = None
    traceparent: str = ""

    @property
    def time_remaining(self) -> float | None:
        """Seconds until the deadline, never below 0; None without a deadline."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())


_OUTSIDE = Call()
CURRENT: ContextVar[Call] = ContextVar("call", default=_OUTSIDE)


def current_call() -> Call:
    """The call being served by this task; an anonymous one outside a call."""
    return CURRENT.get()
