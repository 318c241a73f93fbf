"""Events and the revisions of the scores that they count; the mesh's request and inbox tables."""

from alembic import op

from mesh.schema import drop_inbox_1, drop_request_1, inbox_1, request_1

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates everything.

    No constraint on the deadline: a time that has passed must not make later updates of the row fail. `event` leaves
    room on its pages, so that counting a score touches no index while the status stays. `score_revision` has no
    foreign key: its rows are written under the lock of an event that is never deleted, and the check would cost a
    lookup for every score.
    """
    request_1(op)
    inbox_1(op)
    op.execute(
        """CREATE TABLE event (
            event_id uuid PRIMARY KEY,
            title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
            deadline timestamptz NOT NULL,
            finished_at timestamptz,
            histogram bigint[] NOT NULL CHECK (cardinality(histogram) = 5 AND 0 <= ALL (histogram)),
            status text NOT NULL CHECK (status IN ('PROCESSING', 'LOW_SCORE', 'HIGH_SCORE')),
            edit bigint NOT NULL,
            version bigint NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL) WITH (fillfactor = 70)"""
    )
    op.execute("CREATE INDEX event_status ON event (status, event_id)")
    op.execute("CREATE INDEX event_open ON event (deadline, event_id) WHERE finished_at IS NULL")
    op.execute(
        """CREATE TABLE score_revision (
            score_id uuid NOT NULL,
            revision bigint NOT NULL CHECK (revision >= 1),
            event_id uuid NOT NULL,
            rate smallint CHECK (rate BETWEEN 1 AND 5),
            revoked boolean NOT NULL,
            PRIMARY KEY (score_id, revision))"""
    )


def downgrade() -> None:
    """Drops everything."""
    op.execute("DROP TABLE score_revision, event")
    drop_inbox_1(op)
    drop_request_1(op)
