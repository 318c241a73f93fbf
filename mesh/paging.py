"""Page tokens (AIP-158): opaque to callers, bound to the request's other fields, so that a token cannot be carried
over to another query."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from uuid import UUID

from google.protobuf.message import Message

from mesh.errors import InvalidArgument

DEFAULT_PAGE_SIZE = 50


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
        raise InvalidArgument("page_token is not one of this query's", field="page_token")
    return position


def id_position(request: Message, token: str) -> UUID | None:
    """The position in a page token whose one part is a UUID; None without a token. Raises InvalidArgument."""
    position = position_of(request, token)
    try:
        return UUID(position[0]) if position else None
    except ValueError:
        raise InvalidArgument("page_token is not one of this query's", field="page_token") from None


def _query_of(request: Message) -> str:
    query = type(request)()
    query.CopyFrom(request)
    query.ClearField("page_token")
    query.ClearField("page_size")
    return hashlib.blake2b(query.SerializeToString(deterministic=True), digest_size=6).hexdigest()
