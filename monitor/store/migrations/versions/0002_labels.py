"""Labels by people, what was learned from them, and what the model alone says."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blindsample",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("fine", sa.Integer(), nullable=False),
        sa.Column("flagged", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blindsample")),
        sa.UniqueConstraint("week", name=op.f("uq_blindsample_week")),
    )
    op.create_table(
        "label",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=True),
        sa.Column("flagged", sa.Boolean(), nullable=True),
        sa.Column("complaint", sa.Boolean(), nullable=True),
        sa.Column("severity", sa.Float(), nullable=True),
        sa.Column("agent", sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column("labelled_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_label_post_id_post")),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["blindsample.id"], name=op.f("fk_label_sample_id_blindsample")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
        sa.UniqueConstraint("post_id", "origin", name=op.f("uq_label_post_id")),
    )
    with op.batch_alter_table("label") as table:
        table.create_index(
            "ix_label_to_give",
            ["sample_id", "id"],
            sqlite_where=sa.text("complaint IS NULL"),
            postgresql_where=sa.text("complaint IS NULL"),
        )
        table.create_index("ix_label_by_time", ["labelled_at"])
    op.create_table(
        "layer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("model", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("weights", sa.LargeBinary(), nullable=False),
        sa.Column("labels", sa.Integer(), nullable=False),
        sa.Column("before", sa.Float(), nullable=False),
        sa.Column("after", sa.Float(), nullable=False),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_layer")),
    )
    with op.batch_alter_table("layer") as table:
        table.create_index(
            "uq_layer_active",
            ["active"],
            unique=True,
            sqlite_where=sa.text("active"),
            postgresql_where=sa.text("active"),
        )
    # Not in batch mode: that would copy every row of a large table.
    op.add_column("post", sa.Column("odds", sa.Float(), nullable=True))
    op.add_column("post", sa.Column("negative", sa.Float(), nullable=True))
    for name in ("post", "case"):
        op.add_column(
            name, sa.Column("measured", sa.Boolean(), server_default=sa.true(), nullable=False)
        )


def downgrade() -> None:
    op.drop_column("case", "measured")
    for name in ("measured", "negative", "odds"):
        op.drop_column("post", name)
    op.drop_table("layer")
    op.drop_table("label")
    op.drop_table("blindsample")
