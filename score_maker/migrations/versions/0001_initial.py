"""Scores; the mesh's request, outbox and saga tables."""

from alembic import op

from mesh.schema import drop_outbox_1, drop_request_1, drop_saga_1, outbox_1, request_1, saga_1

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates everything.

    No index holds what a saga changes, and `score` leaves room on its pages: settling a score touches no index.
    """
    request_1(op)
    outbox_1(op)
    saga_1(op)
    op.execute(
        """CREATE TABLE score (
            score_id uuid PRIMARY KEY,
            event_id uuid NOT NULL,
            user_id text NOT NULL,
            status text NOT NULL CHECK (status IN ('PENDING', 'CONFIRMED', 'REJECTED', 'WITHDRAWING', 'WITHDRAWN')),
            rate smallint NOT NULL CHECK (rate BETWEEN 1 AND 5),
            revision bigint NOT NULL CHECK (revision BETWEEN 1 AND drawn),
            drawn bigint NOT NULL,
            standing_status text CHECK (standing_status IN ('CONFIRMED', 'WITHDRAWN')),
            standing_revision bigint,
            standing_rate smallint CHECK (standing_rate BETWEEN 1 AND 5),
            reason text NOT NULL,
            saga_id uuid NOT NULL,
            version bigint NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            UNIQUE (event_id, user_id),
            CHECK (num_nulls(standing_status, standing_revision, standing_rate) IN (0, 3))) WITH (fillfactor = 70)"""
    )
    op.execute("CREATE INDEX score_user ON score (user_id, score_id)")
    op.execute("CREATE INDEX score_event ON score (event_id, score_id)")


def downgrade() -> None:
    """Drops everything."""
    op.execute("DROP TABLE score")
    drop_saga_1(op)
    drop_outbox_1(op)
    drop_request_1(op)
