"""Indexes that the trends count from, and those of the queue's orders and filters.

And the words of a reply's earlier tries.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

POSTS = [
    "created_at",
    "repost_of",
    "complaint",
    "network",
    "source_id",
    "language",
    "author_id",
    "case_id",
]
CASES = ["opened_at", "outcome", "dismissal", "first_answered_at", "network"]


def upgrade() -> None:
    op.drop_index("ix_post_by_time", "post")
    op.create_index("ix_post_trends", "post", POSTS)
    _create_partial("ix_author_own", "author", ["id"], "own")
    op.drop_index("ix_case_by_time", "case")
    op.create_index("ix_case_by_time", "case", CASES)
    _create_partial(
        "ix_case_by_answer",
        "case",
        ["first_answered_at", "outcome", "opened_at"],
        "first_answered_at IS NOT NULL",
    )
    _create_partial(
        "ix_case_by_end",
        "case",
        ["resolved_at", "outcome", "dismissal", "opened_at", "assignee"],
        "resolved_at IS NOT NULL",
    )
    _create_partial(
        "ix_case_never_answered",
        "case",
        ["opened_at"],
        "first_answered_at IS NULL AND status != 'resolved'",
    )
    op.create_index("ix_reply_by_time", "reply", ["sent_at", "status", "agent", "case_id"])
    op.drop_index("ix_slaresult_by_time", "slaresult")
    op.create_index("ix_slaresult_by_time", "slaresult", ["due_at", "kind", "met", "case_id"])
    op.create_index("ix_case_queue_reply", "case", ["status", "reply_status", "rank", "id"])
    op.create_index("ix_case_queue_newest", "case", ["status", "opened_at", "id"])
    _create_partial("ix_case_queue_due", "case", ["status", "due_at", "id"], "due_at IS NOT NULL")
    # SQLite keeps truth as a number, and compares the words of a query with those of the index.
    op.create_index(
        "ix_case_queue_vip",
        "case",
        ["status", "rank", "id"],
        sqlite_where=sa.text("vip = 1"),
        postgresql_where=sa.text("vip"),
    )
    op.add_column("reply", sa.Column("tried", sa.JSON(), nullable=True))


def _create_partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def downgrade() -> None:
    with op.batch_alter_table("reply", recreate="never") as table:
        table.drop_column("tried")
    op.drop_index("ix_case_queue_vip", "case")
    op.drop_index("ix_case_queue_due", "case")
    op.drop_index("ix_case_queue_newest", "case")
    op.drop_index("ix_case_queue_reply", "case")
    op.drop_index("ix_slaresult_by_time", "slaresult")
    op.create_index("ix_slaresult_by_time", "slaresult", ["due_at"])
    op.drop_index("ix_reply_by_time", "reply")
    op.drop_index("ix_case_never_answered", "case")
    op.drop_index("ix_case_by_end", "case")
    op.drop_index("ix_case_by_answer", "case")
    op.drop_index("ix_case_by_time", "case")
    op.create_index("ix_case_by_time", "case", ["opened_at"])
    op.drop_index("ix_author_own", "author")
    op.drop_index("ix_post_trends", "post")
    op.create_index("ix_post_by_time", "post", ["created_at"])
