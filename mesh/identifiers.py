"""UUIDv7 identifiers and the times inside them (RFC 9562)."""

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A UUIDv7: ids of one process sort by creation."""
    return uuid_utils.compat.uuid7()


def created_at(identifier: UUID) -> datetime:
    """When a UUIDv7 was made, to the millisecond."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)


def lowest_id(at: datetime) -> UUID:
    """The bound below every UUIDv7 made at or after `at`; a partition boundary, not a valid id."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
