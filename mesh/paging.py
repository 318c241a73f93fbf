"""Page tokens (AIP-158): opaque to callers, bound to the request's other fields, so that a token cannot be carried
over to another query."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from mesh.errors import InvalidArgument

_DEFAULT_SIZE = 50
PAGE_BYTES = 2 * 1024 * 1024
"""A page that has grown this large ends early: half of what a message may have."""

_HIGHEST = 2**63 - 1

Shown = TypeVar("Shown", bound=Message)
Row = TypeVar("Row")


class PagedRequest(Protocol):
    """A request message that asks for a page."""

    page_size: int
    page_token: str


@dataclass(frozen=True, slots=True)
class Page(Generic[Shown]):
    """A page as its response shows it. `token` is that of the next page, or empty."""

    messages: Sequence[Shown]
    token: str


def limit_of(request: PagedRequest) -> int:
    """How many rows to read for a page: one more than it shows, which tells whether another page follows."""
    return (request.page_size or _DEFAULT_SIZE) + 1


def page_of(
    request: Any,  # a PagedRequest that is a Message: Python has no name for both
    rows: Sequence[Row],
    encode: Callable[[Row], Shown],
    key: Callable[[Row], object],
) -> Page[Shown]:
    """The page of at most `limit_of(request)` rows that begin where it begins; `key` is what sorts them."""
    messages: list[Shown] = []
    size = 0
    for row in rows[: limit_of(request) - 1]:
        message = encode(row)
        size += message.ByteSize()
        if messages and size > PAGE_BYTES:
            break
        messages.append(message)
    is_last = len(messages) == len(rows)
    return Page(messages, "" if is_last else page_token(request, str(key(rows[len(messages) - 1]))))


def page_token(request: Message, *position: str) -> str:
    """A token for the page after `position`, the sort key of the last row shown."""
    return base64.urlsafe_b64encode(json.dumps([_query_of(request), *position]).encode()).decode().rstrip("=")


def position_of(request: Message, token: str, *, length: int = 1) -> Sequence[str] | None:
    """The position in a request's page token of `length` parts; None without a token.

    Raises InvalidArgument for a token that was not made for this query.
    """
    if not token:
        return None
    try:
        query, *position = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, TypeError, binascii.Error):
        query, position = None, []
    if query != _query_of(request) or len(position) != length or not all(isinstance(part, str) for part in position):
        raise _foreign()
    return position


def id_position(request: Message, token: str) -> UUID | None:
    """The position in a page token whose one part is a UUID; None without a token. Raises InvalidArgument."""
    position = position_of(request, token)
    try:
        return UUID(position[0]) if position else None
    except ValueError:
        raise _foreign() from None


def number_position(request: Message, token: str) -> int:
    """The position in a page token whose one part is a number above 0; 0 without a token. Raises InvalidArgument."""
    position = position_of(request, token)
    try:
        number = int(position[0]) if position else 0
    except ValueError:
        raise _foreign() from None
    if not 0 <= number <= _HIGHEST:
        raise _foreign()
    return number


def _foreign() -> InvalidArgument:
    return InvalidArgument("page_token is not one of this query's", field="page_token")


def _query_of(request: Message) -> str:
    query = type(request)()
    query.CopyFrom(request)
    query.ClearField("page_token")
    query.ClearField("page_size")
    return hashlib.blake2b(query.SerializeToString(deterministic=True), digest_size=6).hexdigest()
