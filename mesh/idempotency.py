"""A repeated request gets its first answer (AIP-155): the answer is a row in the command's own transaction.

Only requests that carry a `request_id` take part. The row is inserted first, so that a second request with the same
id waits for the first to commit or roll back. No domain table is touched here.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from google.protobuf.message import Message
from sqlalchemy import Column, DateTime, LargeBinary, MetaData, Table, Text, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from mesh.call import current_call
from mesh.errors import RequestIdReused


class Replayed(Exception):
    """This request was answered before; `response` is that answer in the protobuf wire format."""

    def __init__(self, response: bytes) -> None:
        super().__init__()
        self.response = response


class RequestWithId(Protocol):
    """A request message that has a `request_id`."""

    request_id: str

    def SerializeToString(self, *, deterministic: bool = ...) -> bytes:
        """See google.protobuf.message.Message."""
        ...


def request_table(metadata: MetaData) -> Table:
    """Adds the table of answered requests to a service's metadata."""
    return Table(
        "request",
        metadata,
        Column("principal", Text, primary_key=True),
        Column("method", Text, primary_key=True),
        Column("request_id", Text, primary_key=True),
        Column("request_hash", LargeBinary, nullable=False),
        Column("response", LargeBinary),
        Column("create_time", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )


@dataclass(frozen=True, slots=True)
class Once:
    """One request that is to be answered once. `encode` turns the command's result into the response message."""

    table: Table
    request_id: str
    request_hash: bytes
    encode: Callable[[Any], Message]  # the result's type is the command's business

    async def claim(self, connection: AsyncConnection) -> None:
        """Claims the request id. Raises Replayed when it was answered, RequestIdReused for another body."""
        row = {**self._key(), "request_hash": self.request_hash}
        claimed = await connection.execute(insert(self.table).values(row).on_conflict_do_nothing())
        if claimed.rowcount == 1:
            return
        columns = (self.table.c.request_hash, self.table.c.response)
        first = (await connection.execute(select(*columns).where(*self._where()))).one()
        if first.request_hash != self.request_hash:
            raise RequestIdReused(field="request_id")
        raise Replayed(first.response)

    async def answer(self, connection: AsyncConnection, result: object) -> None:
        """Stores the answer that repetitions will get."""
        response = self.encode(result).SerializeToString()
        await connection.execute(update(self.table).where(*self._where()).values(response=response))

    def _key(self) -> dict[str, str]:
        call = current_call()
        return {"principal": call.principal.id, "method": call.method, "request_id": self.request_id}

    def _where(self) -> list[Any]:  # SQLAlchemy's clause type is generic in a way pyright cannot name
        return [self.table.c[name] == value for name, value in self._key().items()]


def once(table: Table, request: RequestWithId, encode: Callable[[Any], Message]) -> Once | None:
    """The once-only form of a request, or None when it carries no request_id."""
    if not request.request_id:
        return None
    digest = hashlib.blake2b(request.SerializeToString(deterministic=True), digest_size=16).digest()
    return Once(table, request.request_id, digest, encode)


async def prune(connection: AsyncConnection, table: Table, before: datetime) -> int:
    """Forgets answers older than `before`; returns how many."""
    return (await connection.execute(delete(table).where(table.c.create_time < before))).rowcount
