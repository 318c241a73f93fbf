"""Tickets, their comments and their histories; the mesh's request table."""

from alembic import op

from mesh.schema import drop_request_1, request_1

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates everything.

    Words are taken as they are written ('simple'): tickets come in many languages, and the stemmer of one would spoil
    the others, error codes and names. `tag_words` exists because array_to_string is not immutable for every array; for
    text it is. Each index that lists tickets ends with the id, by which they are sorted. `ticket` leaves room on its
    pages, so that a comment on a ticket touches no index. A change may be written before the comment that it names: the
    ticket comes first, since its UPDATE is what stops those who come too late.
    """
    request_1(op)
    op.execute(
        """CREATE FUNCTION tag_words(text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN array_to_string($1, ' ')"""
    )
    op.execute(
        """CREATE TABLE ticket (
            ticket_id uuid PRIMARY KEY,
            subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
            text text NOT NULL CHECK (length(text) BETWEEN 1 AND 20000),
            author_id text NOT NULL,
            status text NOT NULL CHECK (status IN ('OPEN', 'ANSWERED', 'AWAITING_REPLY', 'CLOSED')),
            priority text NOT NULL CHECK (priority IN ('LOW', 'NORMAL', 'HIGH', 'URGENT')),
            tags text[] NOT NULL CHECK (cardinality(tags) <= 20),
            assignee_id text CHECK (assignee_id <> ''),
            comment_count bigint NOT NULL CHECK (comment_count >= 0),
            edit bigint NOT NULL CHECK (edit BETWEEN 1 AND version),
            version bigint NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            close_time timestamptz,
            words tsvector NOT NULL GENERATED ALWAYS AS (
                to_tsvector('simple', subject) || to_tsvector('simple', text)
                || to_tsvector('simple', tag_words(tags))) STORED,
            CHECK ((status = 'CLOSED') = (close_time IS NOT NULL))) WITH (fillfactor = 70)"""
    )
    op.execute("CREATE INDEX ticket_author ON ticket (author_id, ticket_id)")
    op.execute("CREATE INDEX ticket_status ON ticket (status, ticket_id)")
    op.execute("CREATE INDEX ticket_priority ON ticket (priority, ticket_id)")
    op.execute("CREATE INDEX ticket_assignee ON ticket (assignee_id, ticket_id) WHERE assignee_id IS NOT NULL")
    op.execute("CREATE INDEX ticket_tags ON ticket USING gin (tags)")
    op.execute("CREATE INDEX ticket_words ON ticket USING gin (words)")
    op.execute(
        """CREATE TABLE comment (
            comment_id uuid PRIMARY KEY,
            ticket_id uuid NOT NULL REFERENCES ticket,
            number bigint NOT NULL CHECK (number >= 1),
            author_id text NOT NULL,
            author_role text NOT NULL CHECK (author_role IN ('CUSTOMER', 'AGENT')),
            text text NOT NULL CHECK (length(text) BETWEEN 1 AND 20000),
            edit bigint NOT NULL,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL,
            UNIQUE (ticket_id, number))"""
    )
    op.execute(
        """CREATE TABLE change (
            ticket_id uuid NOT NULL REFERENCES ticket,
            version bigint NOT NULL CHECK (version >= 1),
            kind text NOT NULL CHECK (
                kind IN ('CREATED', 'MOVED', 'ASSIGNED', 'EDITED', 'COMMENTED', 'COMMENT_EDITED')),
            actor_id text NOT NULL,
            time timestamptz NOT NULL,
            fields jsonb NOT NULL,
            comment_id uuid REFERENCES comment DEFERRABLE INITIALLY DEFERRED,
            PRIMARY KEY (ticket_id, version))"""
    )


def downgrade() -> None:
    """Drops everything."""
    op.execute("DROP TABLE change, comment, ticket")
    op.execute("DROP FUNCTION tag_words(text[])")
    drop_request_1(op)
