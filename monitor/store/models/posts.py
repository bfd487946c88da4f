"""Public posts with the model's score, and who writes them. Texts come from strangers."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from monitor.store.models.base import now, stored


class Author(SQLModel, table=True):
    """Who writes, once per network."""

    __table_args__ = (
        UniqueConstraint("network", "external_id"),
        # Read by trends, which leave our own posts out.
        Index("ix_author_own", "id", sqlite_where=text("own"), postgresql_where=text("own")),
    )

    id: int = Field(default=None, primary_key=True)
    network: str
    external_id: str
    handle: str
    name: str = ""
    followers: int | None = None
    own: bool = False
    """One of the company's accounts: never a case."""
    blocked: bool = False
    vip: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    """Somebody whose cases a person marked as mattering more."""
    preference: str = Field(
        default="", sa_type=sa.Text, sa_column_kwargs={"server_default": sa.text("''")}
    )
    """How this person wants to be answered: privately, by phone, in French ..."""


class Sentiment(StrEnum):
    """The tone of a post."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Post(SQLModel, table=True):
    """One public message, once per network and external id, with the model's score."""

    __table_args__ = (
        UniqueConstraint("network", "external_id"),
        # Read by scoring: posts without a score.
        Index(
            "ix_post_to_score",
            "id",
            sqlite_where=text("scorer IS NULL"),
            postgresql_where=text("scorer IS NULL"),
        ),
        # Read by triage: scored posts that nobody has looked at.
        Index(
            "ix_post_to_triage",
            "id",
            sqlite_where=text("triaged_at IS NULL AND scorer IS NOT NULL"),
            postgresql_where=text("triaged_at IS NULL AND scorer IS NOT NULL"),
        ),
        Index("ix_post_of_case", "case_id", "created_at"),
        Index("ix_post_of_author", "author_id", "created_at"),
        Index("ix_post_in_thread", "network", "thread"),
        # Read by trends, and by it alone: a count of a million posts never looks at their rows.
        Index(
            "ix_post_trends",
            "created_at",
            "repost_of",
            "complaint",
            "network",
            "source_id",
            "language",
            "author_id",
            "case_id",
        ),
    )

    id: int = Field(default=None, primary_key=True)
    network: str
    external_id: str
    source_id: int = Field(foreign_key="source.id")
    author_id: int = Field(foreign_key="author.id")
    text: str = Field(sa_type=sa.Text)
    previous_text: str | None = Field(default=None, sa_type=sa.Text)
    """What it said before its last edit."""
    url: str = ""
    language: str | None = None
    """What the text reads as, or what the network says of it where the text is too short."""
    created_at: datetime
    fetched_at: datetime = Field(default_factory=now)
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    reply_to: str | None = None
    thread: str | None = None
    """External id of the thread's first post; its own id where it begins one."""
    repost_of: str | None = None
    matched: str = ""
    """The words that make it ours."""
    ref: str = Field(default="", sa_type=sa.Text)
    """The connector's, to answer it."""

    scorer: str | None = None
    """Name of the model that scored it; null: to be scored."""
    complaint: float | None = None
    """Probability that it is a complaint, 0 to 1."""
    sentiment: Sentiment | None = Field(default=None, sa_type=stored(Sentiment))
    severity: float | None = None
    """How bad it sounds, 0 to 1."""
    odds: float | None = None
    """Log odds of a complaint as the model alone says, before what was learned from the team."""
    negative: float | None = None
    """Probability of a negative tone, 0 to 1."""
    measured: bool = Field(default=True, sa_column_kwargs={"server_default": sa.true()})
    """False in a language on which the model was not measured."""
    vector: bytes | None = None
    """What it is about, as the model sees it; groups posts of one fault."""

    triaged_at: datetime | None = None
    case_id: int | None = Field(default=None, foreign_key="case.id")
