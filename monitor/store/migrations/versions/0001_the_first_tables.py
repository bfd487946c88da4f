"""The first tables."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "author",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("network", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("external_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("handle", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("followers", sa.Integer(), nullable=True),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_author")),
        sa.UniqueConstraint("network", "external_id", name=op.f("uq_author_network")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("detail", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("connector", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("active", "off", name="sourcestate", native_enum=False, length=20),
            nullable=False,
        ),
        sa.Column("configured", sa.Boolean(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("next_fetch_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("last_success_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("name", name=op.f("uq_source_name")),
    )
    op.create_table(
        "case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("network", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "pending",
                "snoozed",
                "resolved",
                name="casestatus",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("assignee", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("opened_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("waiting_since", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("answered_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("first_answered_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("snoozed_until", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("resolved_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "solved",
                "explained",
                "cannot help",
                "not our service",
                "dismissed",
                name="outcome",
                native_enum=False,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column(
            "dismissal",
            sa.Enum(
                "not a complaint",
                "not about us",
                "spam",
                "duplicate",
                "post deleted",
                name="dismissal",
                native_enum=False,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column(
            "reply_status",
            sa.Enum(
                "unanswered",
                "draft",
                "sending",
                "sent",
                "seen",
                "failed",
                name="replystatus",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("complaint", sa.Float(), nullable=False),
        sa.Column("severity", sa.Float(), nullable=False),
        sa.Column("reach", sa.Integer(), nullable=False),
        sa.Column("contacts", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["author.id"], name=op.f("fk_case_author_id_author")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
    )
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.create_index("ix_case_by_time", ["opened_at"], unique=False)
        batch_op.create_index("ix_case_of_author", ["author_id", "id"], unique=False)
        batch_op.create_index("ix_case_queue", ["status", "rank", "id"], unique=False)
        batch_op.create_index("ix_case_queue_any", ["rank", "id"], unique=False)
        batch_op.create_index(
            "ix_case_queue_assignee", ["status", "assignee", "rank", "id"], unique=False
        )
        batch_op.create_index(
            "ix_case_queue_network", ["status", "network", "rank", "id"], unique=False
        )
        batch_op.create_index(
            "ix_case_to_wake",
            ["snoozed_until"],
            unique=False,
            sqlite_where=sa.text("status = 'snoozed'"),
            postgresql_where=sa.text("status = 'snoozed'"),
        )
        batch_op.create_index(
            "uq_case_standing",
            ["author_id"],
            unique=True,
            sqlite_where=sa.text("status != 'resolved'"),
            postgresql_where=sa.text("status != 'resolved'"),
        )

    op.create_table(
        "fetch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("finished_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("cursor_from", sa.Text(), nullable=True),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("unmatched", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("gap", sa.Text(), nullable=True),
        sa.Column("quota_remaining", sa.Integer(), nullable=True),
        sa.Column("quota_resets_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_fetch_source_id_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fetch")),
    )
    with op.batch_alter_table("fetch", schema=None) as batch_op:
        batch_op.create_index("ix_fetch_of_source", ["source_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fetch_started_at"), ["started_at"], unique=False)

    op.create_table(
        "caseevent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("agent", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("what", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_caseevent_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caseevent")),
    )
    with op.batch_alter_table("caseevent", schema=None) as batch_op:
        batch_op.create_index("ix_caseevent_of_case", ["case_id", "id"], unique=False)

    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("agent", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_note_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
    )
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.create_index("ix_note_of_case", ["case_id", "id"], unique=False)

    op.create_table(
        "post",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("network", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("external_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("previous_text", sa.Text(), nullable=True),
        sa.Column("url", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("language", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("fetched_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("edited_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("deleted_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("reply_to", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("thread", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("repost_of", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("matched", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("scorer", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("complaint", sa.Float(), nullable=True),
        sa.Column(
            "sentiment",
            sa.Enum(
                "negative", "neutral", "positive", name="sentiment", native_enum=False, length=20
            ),
            nullable=True,
        ),
        sa.Column("severity", sa.Float(), nullable=True),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.Column("triaged_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["author_id"], ["author.id"], name=op.f("fk_post_author_id_author")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_post_case_id_case")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["source.id"], name=op.f("fk_post_source_id_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
        sa.UniqueConstraint("network", "external_id", name=op.f("uq_post_network")),
    )
    with op.batch_alter_table("post", schema=None) as batch_op:
        batch_op.create_index("ix_post_by_time", ["created_at"], unique=False)
        batch_op.create_index("ix_post_in_thread", ["network", "thread"], unique=False)
        batch_op.create_index("ix_post_of_author", ["author_id", "created_at"], unique=False)
        batch_op.create_index("ix_post_of_case", ["case_id", "created_at"], unique=False)
        batch_op.create_index(
            "ix_post_to_score",
            ["id"],
            unique=False,
            sqlite_where=sa.text("scorer IS NULL"),
            postgresql_where=sa.text("scorer IS NULL"),
        )
        batch_op.create_index(
            "ix_post_to_triage",
            ["id"],
            unique=False,
            sqlite_where=sa.text("triaged_at IS NULL AND scorer IS NOT NULL"),
            postgresql_where=sa.text("triaged_at IS NULL AND scorer IS NOT NULL"),
        )

    op.create_table(
        "reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("agent", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "unanswered",
                "draft",
                "sending",
                "sent",
                "seen",
                "failed",
                name="replystatus",
                native_enum=False,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("elsewhere", sa.Boolean(), nullable=False),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("updated_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("sent_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("seen_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("checked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("external_id", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("url", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_reply_case_id_case")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_reply_post_id_post")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
        sa.UniqueConstraint("key", name=op.f("uq_reply_key")),
    )
    with op.batch_alter_table("reply", schema=None) as batch_op:
        batch_op.create_index("ix_reply_of_case", ["case_id", "id"], unique=False)
        batch_op.create_index(
            "ix_reply_to_settle",
            ["id"],
            unique=False,
            sqlite_where=sa.text("status IN ('sending', 'sent')"),
            postgresql_where=sa.text("status IN ('sending', 'sent')"),
        )
        batch_op.create_index(
            "uq_reply_unfinished",
            ["case_id"],
            unique=True,
            sqlite_where=sa.text("status IN ('draft', 'sending')"),
            postgresql_where=sa.text("status IN ('draft', 'sending')"),
        )


def downgrade() -> None:
    with op.batch_alter_table("reply", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_reply_unfinished",
            sqlite_where=sa.text("status IN ('draft', 'sending')"),
            postgresql_where=sa.text("status IN ('draft', 'sending')"),
        )
        batch_op.drop_index(
            "ix_reply_to_settle",
            sqlite_where=sa.text("status IN ('sending', 'sent')"),
            postgresql_where=sa.text("status IN ('sending', 'sent')"),
        )
        batch_op.drop_index("ix_reply_of_case")

    op.drop_table("reply")
    with op.batch_alter_table("post", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_post_to_triage",
            sqlite_where=sa.text("triaged_at IS NULL AND scorer IS NOT NULL"),
            postgresql_where=sa.text("triaged_at IS NULL AND scorer IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_post_to_score",
            sqlite_where=sa.text("scorer IS NULL"),
            postgresql_where=sa.text("scorer IS NULL"),
        )
        batch_op.drop_index("ix_post_of_case")
        batch_op.drop_index("ix_post_of_author")
        batch_op.drop_index("ix_post_in_thread")
        batch_op.drop_index("ix_post_by_time")

    op.drop_table("post")
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.drop_index("ix_note_of_case")

    op.drop_table("note")
    with op.batch_alter_table("caseevent", schema=None) as batch_op:
        batch_op.drop_index("ix_caseevent_of_case")

    op.drop_table("caseevent")
    with op.batch_alter_table("fetch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fetch_started_at"))
        batch_op.drop_index("ix_fetch_of_source")

    op.drop_table("fetch")
    with op.batch_alter_table("case", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_case_standing",
            sqlite_where=sa.text("status != 'resolved'"),
            postgresql_where=sa.text("status != 'resolved'"),
        )
        batch_op.drop_index(
            "ix_case_to_wake",
            sqlite_where=sa.text("status = 'snoozed'"),
            postgresql_where=sa.text("status = 'snoozed'"),
        )
        batch_op.drop_index("ix_case_queue_network")
        batch_op.drop_index("ix_case_queue_assignee")
        batch_op.drop_index("ix_case_queue_any")
        batch_op.drop_index("ix_case_queue")
        batch_op.drop_index("ix_case_of_author")
        batch_op.drop_index("ix_case_by_time")

    op.drop_table("case")
    op.drop_table("source")
    op.drop_table("heartbeat")
    op.drop_table("author")
