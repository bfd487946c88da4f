"""What the desk needs: tags, views, presence, promises, SLA times, outcomes with their parts."""

from typing import Any

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "absence",
        sa.Column("agent", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("until", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("agent", name=op.f("pk_absence")),
    )
    op.create_table(
        "canned",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("agent", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("updated_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned")),
        sa.UniqueConstraint("name", name=op.f("uq_canned_name")),
    )
    op.create_table(
        "savedview",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_savedview")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_savedview_owner")),
    )
    op.create_table(
        "casetag",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("tag", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_casetag_case_id_case")),
        sa.PrimaryKeyConstraint("case_id", "tag", name=op.f("pk_casetag")),
    )
    with op.batch_alter_table("casetag") as table:
        table.create_index("ix_casetag_by_tag", ["tag", "case_id"])

    op.create_table(
        "commitment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("owner", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("due_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("made_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("kept_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("dropped_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_commitment_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitment")),
    )
    with op.batch_alter_table("commitment") as table:
        table.create_index("ix_commitment_of_case", ["case_id", "id"])
        table.create_index(
            "ix_commitment_open",
            ["due_at"],
            sqlite_where=sa.text("kept_at IS NULL AND dropped_at IS NULL"),
            postgresql_where=sa.text("kept_at IS NULL AND dropped_at IS NULL"),
        )

    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agent", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("seen_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_notice_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("agent", "key", name=op.f("uq_notice_agent")),
    )
    with op.batch_alter_table("notice") as table:
        table.create_index(
            "ix_notice_unseen",
            ["agent", "id"],
            sqlite_where=sa.text("seen_at IS NULL"),
            postgresql_where=sa.text("seen_at IS NULL"),
        )

    op.create_table(
        "presence",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("agent", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("writing", sa.Boolean(), nullable=False),
        sa.Column("until", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_presence_case_id_case")),
        sa.PrimaryKeyConstraint("case_id", "agent", name=op.f("pk_presence")),
    )
    op.create_table(
        "slaresult",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("policy", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("due_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("met", sa.Boolean(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_slaresult_case_id_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slaresult")),
        sa.UniqueConstraint("case_id", "kind", "due_at", name=op.f("uq_slaresult_case_id")),
    )
    with op.batch_alter_table("slaresult") as table:
        table.create_index("ix_slaresult_by_time", ["due_at"])

    op.create_table(
        "draftoverride",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reply_id", sa.Integer(), nullable=False),
        sa.Column("rule", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("phrase", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("agent", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reply_id"], ["reply.id"], name=op.f("fk_draftoverride_reply_id_reply")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draftoverride")),
    )
    with op.batch_alter_table("draftoverride") as table:
        table.create_index("ix_draftoverride_of_rule", ["rule", "at"])
        table.create_index(op.f("ix_draftoverride_reply_id"), ["reply_id"])

    with op.batch_alter_table("author") as table:
        table.add_column(sa.Column("vip", sa.Boolean(), server_default=sa.false(), nullable=False))
        table.add_column(
            sa.Column("preference", sa.Text(), server_default=sa.text("''"), nullable=False)
        )

    with op.batch_alter_table("case") as table:
        table.add_column(
            sa.Column("wanted", sa.Text(), server_default=sa.text("''"), nullable=False)
        )
        table.add_column(
            sa.Column("delivered_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True)
        )
        table.add_column(
            sa.Column("remedy", sa.Text(), server_default=sa.text("''"), nullable=False)
        )
        table.add_column(
            sa.Column("goodwill", sa.Text(), server_default=sa.text("''"), nullable=False)
        )
        table.add_column(sa.Column("cannot_help", sa.String(length=20), nullable=True))
        table.add_column(
            sa.Column("partial", sa.Text(), server_default=sa.text("''"), nullable=False)
        )
        table.add_column(
            sa.Column(
                "referred_to",
                sqlmodel.sql.sqltypes.AutoString(),
                server_default=sa.text("''"),
                nullable=False,
            )
        )
        table.add_column(sa.Column("merged_into", sa.Integer(), nullable=True))
        table.add_column(
            sa.Column("by_hand", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        table.add_column(sa.Column("vip", sa.Boolean(), server_default=sa.false(), nullable=False))
        table.add_column(sa.Column("sla", sqlmodel.sql.sqltypes.AutoString(), nullable=True))
        table.add_column(
            sa.Column("promised_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True)
        )
        table.add_column(
            sa.Column("first_due_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True)
        )
        table.add_column(
            sa.Column("next_due_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True)
        )
        table.add_column(
            sa.Column("resolution_due_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True)
        )
        table.add_column(sa.Column("due_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
        table.create_index(
            "ix_case_due",
            ["due_at"],
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        table.create_index(
            "ix_case_merged",
            ["merged_into"],
            sqlite_where=sa.text("merged_into IS NOT NULL"),
            postgresql_where=sa.text("merged_into IS NOT NULL"),
        )
        table.create_index(
            "ix_case_to_promise",
            ["id"],
            sqlite_where=sa.text("promised_at IS NULL AND status != 'resolved'"),
            postgresql_where=sa.text("promised_at IS NULL AND status != 'resolved'"),
        )
        table.create_index("ix_case_waiting", ["status", "waiting_since", "id"])
        table.add_column(
            sa.Column("thread_due_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True)
        )
        table.create_index(
            "ix_case_thread_due",
            ["thread_due_at"],
            sqlite_where=sa.text("thread_due_at IS NOT NULL"),
            postgresql_where=sa.text("thread_due_at IS NOT NULL"),
        )
    # The threads of the cases that stand already are followed too.
    op.execute("UPDATE \"case\" SET thread_due_at = opened_at WHERE status != 'resolved'")

    with op.batch_alter_table("reply") as table:
        table.add_column(sa.Column("approver", sqlmodel.sql.sqltypes.AutoString(), nullable=True))
        table.add_column(sa.Column("refusal", sa.Text(), nullable=True))
        table.create_index("ix_reply_external_id", ["external_id"])
        _unfinished(table, "'draft', 'sending'", "'draft', 'waiting', 'sending'")


def _unfinished(table: Any, before: str, after: str) -> None:
    """The index of unfinished answers, which a waiting one belongs to from here on."""
    old, new = (sa.text(f"status IN ({statuses})") for statuses in (before, after))
    name = "uq_reply_unfinished"
    table.drop_index(name, sqlite_where=old, postgresql_where=old)
    table.create_index(name, ["case_id"], unique=True, sqlite_where=new, postgresql_where=new)


def downgrade() -> None:
    # An older version does not know the word.
    op.execute("UPDATE reply SET status = 'draft' WHERE status = 'waiting'")
    op.execute("UPDATE \"case\" SET reply_status = 'draft' WHERE reply_status = 'waiting'")
    with op.batch_alter_table("reply") as table:
        table.drop_index("ix_reply_external_id")
        _unfinished(table, "'draft', 'waiting', 'sending'", "'draft', 'sending'")

    # "never": SQLite would build the tables anew, and rows that point at them forbid that.
    with op.batch_alter_table("reply", recreate="never") as table:
        table.drop_column("refusal")
        table.drop_column("approver")

    with op.batch_alter_table("case", recreate="never") as table:
        table.drop_index(
            "ix_case_thread_due",
            sqlite_where=sa.text("thread_due_at IS NOT NULL"),
            postgresql_where=sa.text("thread_due_at IS NOT NULL"),
        )
        table.drop_column("thread_due_at")
        table.drop_index("ix_case_waiting")
        table.drop_index(
            "ix_case_to_promise",
            sqlite_where=sa.text("promised_at IS NULL AND status != 'resolved'"),
            postgresql_where=sa.text("promised_at IS NULL AND status != 'resolved'"),
        )
        table.drop_index(
            "ix_case_merged",
            sqlite_where=sa.text("merged_into IS NOT NULL"),
            postgresql_where=sa.text("merged_into IS NOT NULL"),
        )
        table.drop_index(
            "ix_case_due",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        table.drop_column("due_at")
        table.drop_column("resolution_due_at")
        table.drop_column("next_due_at")
        table.drop_column("first_due_at")
        table.drop_column("promised_at")
        table.drop_column("sla")
        table.drop_column("vip")
        table.drop_column("by_hand")
        table.drop_column("merged_into")
        table.drop_column("referred_to")
        table.drop_column("partial")
        table.drop_column("cannot_help")
        table.drop_column("goodwill")
        table.drop_column("remedy")
        table.drop_column("delivered_at")
        table.drop_column("wanted")

    with op.batch_alter_table("author", recreate="never") as table:
        table.drop_column("preference")
        table.drop_column("vip")

    with op.batch_alter_table("draftoverride") as table:
        table.drop_index(op.f("ix_draftoverride_reply_id"))
        table.drop_index("ix_draftoverride_of_rule")

    op.drop_table("draftoverride")
    with op.batch_alter_table("slaresult") as table:
        table.drop_index("ix_slaresult_by_time")

    op.drop_table("slaresult")
    op.drop_table("presence")
    with op.batch_alter_table("notice") as table:
        table.drop_index(
            "ix_notice_unseen",
            sqlite_where=sa.text("seen_at IS NULL"),
            postgresql_where=sa.text("seen_at IS NULL"),
        )

    op.drop_table("notice")
    with op.batch_alter_table("commitment") as table:
        table.drop_index(
            "ix_commitment_open",
            sqlite_where=sa.text("kept_at IS NULL AND dropped_at IS NULL"),
            postgresql_where=sa.text("kept_at IS NULL AND dropped_at IS NULL"),
        )
        table.drop_index("ix_commitment_of_case")

    op.drop_table("commitment")
    with op.batch_alter_table("casetag") as table:
        table.drop_index("ix_casetag_by_tag")

    op.drop_table("casetag")
    op.drop_table("savedview")
    op.drop_table("canned")
    op.drop_table("absence")
