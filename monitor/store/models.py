"""The tables: what is kept of posts, the people who wrote them, and the work that they make.

The database is the queue: a column that is null is work to do, and each such column has a partial
index named after its reader. Times are aware UTC. Texts come from strangers.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def stored(kind: type[StrEnum]) -> Any:
    """Column type of an enum: its values as text, the same on both databases."""
    return sa.Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )


def now() -> datetime:
    """The present, aware."""
    return datetime.now(UTC)


class SourceState(StrEnum):
    """Whether a source is asked."""

    ACTIVE = "active"
    OFF = "off"
    """Switched off by an error that only a person can mend."""


class Source(SQLModel, table=True):
    """One configured thing to watch. The row carries its own schedule, so it survives a restart."""

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    connector: str
    state: SourceState = Field(default=SourceState.ACTIVE, sa_type=stored(SourceState))
    configured: bool = True
    """False once its table has gone from config.toml: kept for its history, never asked."""
    cursor: str | None = Field(default=None, sa_type=sa.Text)
    next_fetch_at: datetime = Field(default_factory=now)
    """When it is due; while a fetch runs, the lease after which another engine may take over."""
    last_success_at: datetime | None = None
    failures: int = 0
    """Fetches failed in a row; 0 after a good one."""
    last_error: str | None = Field(default=None, sa_type=sa.Text)


class Fetch(SQLModel, table=True):
    """One run of a source: the coverage ledger's row."""

    __table_args__ = (Index("ix_fetch_of_source", "source_id", "id"),)

    id: int = Field(default=None, primary_key=True)
    source_id: int = Field(foreign_key="source.id")
    started_at: datetime = Field(default_factory=now, index=True)
    finished_at: datetime | None = None
    """Null while it runs, and for ever when the engine died: then its pages still count."""
    cursor_from: str | None = Field(default=None, sa_type=sa.Text)
    received: int = 0
    new: int = 0
    changed: int = 0
    """Known posts that came again edited or deleted."""
    unmatched: int = 0
    """Posts that the query does not count as being about us; not stored."""
    skipped: int = 0
    """Malformed or private posts that were left out."""
    notes: str | None = Field(default=None, sa_type=sa.Text)
    """Why posts were skipped or altered, a line each, each kind once."""
    gap: str | None = Field(default=None, sa_type=sa.Text)
    """Posts known to be missed, in words."""
    quota_remaining: int | None = None
    quota_resets_at: datetime | None = None
    error: str | None = Field(default=None, sa_type=sa.Text)


class Author(SQLModel, table=True):
    """Who writes, once per network."""

    __table_args__ = (UniqueConstraint("network", "external_id"),)

    id: int = Field(default=None, primary_key=True)
    network: str
    external_id: str
    handle: str
    name: str = ""
    followers: int | None = None
    own: bool = False
    """One of the company's accounts: never a case."""
    blocked: bool = False


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
        # Read by trends.
        Index("ix_post_by_time", "created_at"),
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
    vector: bytes | None = None
    """What it is about, as the model sees it; groups posts of one fault."""

    triaged_at: datetime | None = None
    case_id: int | None = Field(default=None, foreign_key="case.id")


class CaseStatus(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    PENDING = "pending"
    """Answered; the customer has the word."""
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


ACTIVE = (CaseStatus.OPEN, CaseStatus.PENDING, CaseStatus.SNOOZED)
"""Statuses of a case that still stands; an author has at most one such case."""


class Outcome(StrEnum):
    """How a case ended."""

    SOLVED = "solved"
    EXPLAINED = "explained"
    CANNOT_HELP = "cannot help"
    NOT_OUR_SERVICE = "not our service"
    DISMISSED = "dismissed"
    """Needed no answer; says why in `dismissal`."""


class Dismissal(StrEnum):
    """Why a case needed no answer; counted, and part of the response rate's denominator."""

    NOT_A_COMPLAINT = "not a complaint"
    NOT_ABOUT_US = "not about us"
    SPAM = "spam"
    DUPLICATE = "duplicate"
    POST_DELETED = "post deleted"


class ReplyStatus(StrEnum):
    """Where a public answer stands. A case shows its latest reply's."""

    UNANSWERED = "unanswered"
    DRAFT = "draft"
    SENDING = "sending"
    SENT = "sent"
    SEEN = "seen"
    """It was found on the network."""
    FAILED = "failed"


class Case(SQLModel, table=True):
    """One author's problem to be answered."""

    __table_args__ = (
        # An author has one standing case: two engines cannot open it twice.
        Index(
            "uq_case_standing",
            "author_id",
            unique=True,
            sqlite_where=text("status != 'resolved'"),
            postgresql_where=text("status != 'resolved'"),
        ),
        # Read by the queue, which pages by (rank, id) within what it filters.
        Index("ix_case_queue", "status", "rank", "id"),
        Index("ix_case_queue_any", "rank", "id"),
        Index("ix_case_queue_network", "status", "network", "rank", "id"),
        Index("ix_case_queue_assignee", "status", "assignee", "rank", "id"),
        Index("ix_case_of_author", "author_id", "id"),
        # Read by trends.
        Index("ix_case_by_time", "opened_at"),
        # Read by the waker.
        Index(
            "ix_case_to_wake",
            "snoozed_until",
            sqlite_where=text("status = 'snoozed'"),
            postgresql_where=text("status = 'snoozed'"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    author_id: int = Field(foreign_key="author.id")
    network: str
    post_id: int
    """The post that the queue shows: the worst one that we have not answered. No foreign key, as
    posts already point at their case and a circle could not be created in one order."""
    status: CaseStatus = Field(default=CaseStatus.OPEN, sa_type=stored(CaseStatus))
    assignee: str | None = None
    opened_at: datetime = Field(default_factory=now)
    waiting_since: datetime | None = None
    """When the customer began to wait; null once we answered or the case ended."""
    answered_at: datetime | None = None
    """When we last answered."""
    first_answered_at: datetime | None = None
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    outcome: Outcome | None = Field(default=None, sa_type=stored(Outcome))
    dismissal: Dismissal | None = Field(default=None, sa_type=stored(Dismissal))
    reply_status: ReplyStatus = Field(default=ReplyStatus.UNANSWERED, sa_type=stored(ReplyStatus))

    complaint: float = 0.0
    """The highest complaint probability of its unanswered posts."""
    severity: float = 0.0
    """The highest severity of its unanswered posts."""
    reach: int = 0
    """Followers of the author and of those who reposted."""
    contacts: int = 1
    """Posts by the author in this case and the resolved ones of the last month."""
    rank: float = 0.0
    """Sorts as the priority does, at any time: see monitor.desk.priority."""


class Reply(SQLModel, table=True):
    """One public answer. It is saved before it is sent."""

    __table_args__ = (
        Index("ix_reply_of_case", "case_id", "id"),
        # Read by settling: replies sent or stuck whose visibility is not known.
        Index(
            "ix_reply_to_settle",
            "id",
            sqlite_where=text("status IN ('sending', 'sent')"),
            postgresql_where=text("status IN ('sending', 'sent')"),
        ),
        # One unfinished answer per case: nothing is sent twice by two clicks.
        Index(
            "uq_reply_unfinished",
            "case_id",
            unique=True,
            sqlite_where=text("status IN ('draft', 'sending')"),
            postgresql_where=text("status IN ('draft', 'sending')"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id")
    post_id: int = Field(foreign_key="post.id")
    agent: str
    text: str = Field(sa_type=sa.Text)
    status: ReplyStatus = Field(default=ReplyStatus.DRAFT, sa_type=stored(ReplyStatus))
    key: str = Field(unique=True)
    """Idempotency key: the same for every try of this reply."""
    elsewhere: bool = False
    """Made on the network by hand and recorded with its link."""
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)
    """When its status last changed."""
    sent_at: datetime | None = None
    seen_at: datetime | None = None
    checked_at: datetime | None = None
    """When we last looked for it on the network."""
    external_id: str | None = None
    url: str = ""
    error: str | None = Field(default=None, sa_type=sa.Text)


class Note(SQLModel, table=True):
    """An internal remark; it never leaves."""

    __table_args__ = (Index("ix_note_of_case", "case_id", "id"),)

    id: int = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id")
    agent: str
    text: str = Field(sa_type=sa.Text)
    created_at: datetime = Field(default_factory=now)


class CaseEvent(SQLModel, table=True):
    """One line of a case's history. A log, never the source of truth."""

    __table_args__ = (Index("ix_caseevent_of_case", "case_id", "id"),)

    id: int = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id")
    at: datetime = Field(default_factory=now)
    agent: str | None = None
    """Null: the monitor itself."""
    what: str
    detail: str = Field(default="", sa_type=sa.Text)


class Heartbeat(SQLModel, table=True):
    """When an engine last showed that it lives; seen by the dashboard, another process."""

    name: str = Field(primary_key=True)
    at: datetime = Field(default_factory=now)
    detail: str = ""
