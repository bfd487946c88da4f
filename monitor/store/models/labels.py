"""What people say of posts that the model has read, and what was learned from it."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from monitor.store.models.base import now, stored


class LabelOrigin(StrEnum):
    """Where a label was given."""

    DESK = "desk"
    """A correction on a case."""
    OUTCOME = "outcome"
    """How a case was closed says it."""
    CHECK = "check"
    """An uncertain post that was shown to a person."""
    SAMPLE = "sample"
    """A post of the weekly blind sample: drawn at random, so it may measure."""


class BlindSample(SQLModel, table=True):
    """The posts of one week that people label without seeing their score."""

    id: int = Field(default=None, primary_key=True)
    week: date = Field(unique=True)
    """Its Monday, in the team's time zone."""
    threshold: float
    """From where posts ranked as complaints when it was drawn."""
    fine: int
    """Posts of that week that ranked under the threshold."""
    flagged: int
    """Posts of that week from the threshold on."""
    drawn_at: datetime = Field(default_factory=now)


class Label(SQLModel, table=True):
    """What a person says of one post; null as long as nobody was asked it or nobody answered."""

    __table_args__ = (
        UniqueConstraint("post_id", "origin"),
        # Read by the sample's page: posts that wait for a person's word.
        Index(
            "ix_label_to_give",
            "sample_id",
            "id",
            sqlite_where=text("complaint IS NULL"),
            postgresql_where=text("complaint IS NULL"),
        ),
        # Read by learning and the quality page.
        Index("ix_label_by_time", "labelled_at"),
    )

    id: int = Field(default=None, primary_key=True)
    post_id: int = Field(foreign_key="post.id")
    origin: LabelOrigin = Field(sa_type=stored(LabelOrigin))
    sample_id: int | None = Field(default=None, foreign_key="blindsample.id")
    flagged: bool | None = None
    """Which part of its sample it was drawn from; null outside a sample."""
    complaint: bool | None = None
    severity: float | None = None
    """0 to 1, where a person corrected it."""
    agent: str | None = None
    labelled_at: datetime | None = None


class Layer(SQLModel, table=True):
    """What was learned from the labels of this team: a small layer over the shipped model."""

    __table_args__ = (
        # At most one layer is in use.
        Index(
            "uq_layer_active",
            "active",
            unique=True,
            sqlite_where=text("active"),
            postgresql_where=text("active"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    """Its version."""
    model: str
    """The scorer that it sits on; with another one it is not used."""
    weights: bytes
    """Float32, as monitor.model.layer writes them."""
    labels: int
    """How many labels it was fitted to."""
    before: float
    """Average precision without it, by cross-validation."""
    after: float
    """Average precision with it, by cross-validation."""
    created_at: datetime = Field(default_factory=now)
    active: bool = False
