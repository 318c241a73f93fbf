"""The unit of work: one transaction on one connection, rolled back unless `commit()` was called.

Connection faults become Unavailable here, and only here; a text that no table can hold becomes InvalidArgument. No
repository and no table of a domain is known.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncTransaction, create_async_engine

from mesh.errors import InvalidArgument, Unavailable
from mesh.idempotency import Once


def open_engine(dsn: str, *, pool_size: int = 16) -> AsyncEngine:
    """An engine on a libpq-style DSN (`postgresql://...`, a socket directory as `?host=`); connects on first use."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(dsn, timeout=5, server_settings=_SESSION)

    return create_async_engine(
        "postgresql+asyncpg://", async_creator=connect, pool_size=pool_size, max_overflow=0, pool_timeout=5
    )


@asynccontextmanager
async def disposing(engine: AsyncEngine) -> AsyncGenerator[None]:
    """Closes the engine's connections after the block."""
    try:
        yield
    finally:
        await engine.dispose()


_SESSION = {
    "application_name": "sagamesh",
    "jit": "off",
    # A statement is planned once a connection, perhaps while its table was empty; a scan of the whole table would be
    # chosen then, and kept while the table grows or fills with dead rows. Every statement of ours has its index.
    "enable_seqscan": "off",
}


class UnitOfWork:
    """`async with UnitOfWork(engine) as work: ...; await work.commit()`.

    Subclasses add repositories over `connection`. Raises Unavailable when the database cannot be reached.
    """

    connection: AsyncConnection
    _transaction: AsyncTransaction

    def __init__(self, engine: AsyncEngine, *, once: Once | None = None) -> None:
        self._engine = engine
        self._once = once
        self._hooks: list[Callable[[], None]] = []

    async def __aenter__(self) -> Self:
        try:
            self.connection = await self._engine.connect()
        except Exception as error:
            raise _translated(error) from error
        try:
            self._transaction = await self.connection.begin()
            if self._once is not None:
                await self._once.claim(self.connection)
        except BaseException as error:
            await self._close()
            raise _translated(error) from error
        return self

    async def commit(self, answer: object = None) -> None:
        """Makes everything durable, then runs the hooks. `answer` is the command's result, kept for repetitions
        of a request that carries a request_id."""
        if self._once is not None:
            await self._once.answer(self.connection, answer)
        await self._transaction.commit()
        for hook in self._hooks:
            hook()

    def on_commit(self, hook: Callable[[], None]) -> None:
        """Runs `hook` after a successful commit; it must not fail or block."""
        self._hooks.append(hook)

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._close()
        if exc is not None and (translated := _translated(exc)) is not exc:
            raise translated from exc

    async def _close(self) -> None:
        """Rolls back what was not committed. A connection that is lost by now has rolled it back, so what the body came
        to stands; the pool makes another connection (SQLAlchemy before 2.1 would lose the place)."""
        try:
            await self.connection.close()
        except DBAPIError as error:
            if not is_connection_lost(error):
                raise


_UNREACHABLE = (
    OSError,
    InterfaceError,
    OperationalError,
    PoolTimeoutError,
    asyncpg.InternalClientError,  # a connection that breaks in the middle leaves asyncpg in a state it does not know
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)
# What a server says that is up and takes no connection, or ends one. SQLAlchemy has no class of its own for these.
_AWAY = ("57P01", "57P02", "57P03", "53300", "08")  # it stops, crashed, starts; is full; the connection broke (a class)


def is_connection_lost(error: BaseException) -> bool:
    """Whether the database went away, so that nothing more can be done in this transaction."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, _UNREACHABLE)
    said = (_sqlstate(error) or "").startswith(_AWAY)
    return error.connection_invalidated or said or isinstance(error, _UNREACHABLE) or _is_driver_lost(error)


def _is_driver_lost(error: DBAPIError) -> bool:
    """Whether the driver itself said so: SQLAlchemy's wrapper of a wrapper keeps that as a cause."""
    return error.orig is not None and isinstance(error.orig.__cause__, _UNREACHABLE)


def is_conflict(error: BaseException) -> bool:
    """Whether the database gave this transaction up for another one (a deadlock), so that it may simply run again."""
    return _sqlstate(error) in ("40P01", "40001")


def _translated(error: BaseException) -> BaseException:
    """Unavailable for a lost connection, InvalidArgument for a text with a NUL, else the error itself."""
    if is_connection_lost(error):
        return Unavailable("The database does not answer; try later.", retry_after=1.0)
    if _sqlstate(error) == "22021":  # the last resort: a domain that checks its texts can name the field
        return InvalidArgument("A text holds a character that cannot be stored.")
    return error


def _sqlstate(error: BaseException) -> str | None:
    return getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
