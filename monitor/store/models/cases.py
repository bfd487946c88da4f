"""The work that posts make: cases, their notes and history."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from monitor.store.models.base import now, stored
from monitor.store.models.replies import ReplyStatus


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
    PARTED = "parted politely"
    """We let this customer go, and said so kindly; counted apart from the solved."""
    MERGED = "merged"
    """Goes on in the case of `merged_into`; no outcome of its own, never counted."""
    DISMISSED = "dismissed"
    """Needed no answer; says why in `dismissal`."""


class Dismissal(StrEnum):
    """Why a case needed no answer; counted, and part of the response rate's denominator."""

    NOT_A_COMPLAINT = "not a complaint"
    NOT_ABOUT_US = "not about us"
    SPAM = "spam"
    DUPLICATE = "duplicate"
    POST_DELETED = "post deleted"


class CannotHelp(StrEnum):
    """Why we cannot do what the customer wanted."""

    LAW = "the law"
    CUSTOMER = "the customer's act"
    TECHNOLOGY = "technology"
    THIRD_PARTY = "a third party"
    POLICY = "our policy"
    NOT_OFFERED = "we do not offer it"


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
        Index("ix_case_queue_reply", "status", "reply_status", "rank", "id"),
        Index("ix_case_queue_newest", "status", "opened_at", "id"),
        Index(
            "ix_case_queue_vip",
            "status",
            "rank",
            "id",
            sqlite_where=text("vip = 1"),
            postgresql_where=text("vip"),
        ),
        Index(
            "ix_case_queue_due",
            "status",
            "due_at",
            "id",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index("ix_case_of_author", "author_id", "id"),
        # Read by trends, which count by when cases opened, were answered first and were resolved.
        Index(
            "ix_case_by_time",
            "opened_at",
            "outcome",
            "dismissal",
            "first_answered_at",
            "network",
        ),
        Index(
            "ix_case_by_answer",
            "first_answered_at",
            "outcome",
            "opened_at",
            sqlite_where=text("first_answered_at IS NOT NULL"),
            postgresql_where=text("first_answered_at IS NOT NULL"),
        ),
        Index(
            "ix_case_by_end",
            "resolved_at",
            "outcome",
            "dismissal",
            "opened_at",
            "assignee",
            sqlite_where=text("resolved_at IS NOT NULL"),
            postgresql_where=text("resolved_at IS NOT NULL"),
        ),
        Index(
            "ix_case_never_answered",
            "opened_at",
            sqlite_where=text("first_answered_at IS NULL AND status != 'resolved'"),
            postgresql_where=text("first_answered_at IS NULL AND status != 'resolved'"),
        ),
        # Read by what is due, and by the view of what breaks soon.
        Index(
            "ix_case_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        # Read by the promises: standing cases whose due times are to be reckoned.
        Index(
            "ix_case_to_promise",
            "id",
            sqlite_where=text("promised_at IS NULL AND status != 'resolved'"),
            postgresql_where=text("promised_at IS NULL AND status != 'resolved'"),
        ),
        # Read by following.
        Index(
            "ix_case_thread_due",
            "thread_due_at",
            sqlite_where=text("thread_due_at IS NOT NULL"),
            postgresql_where=text("thread_due_at IS NOT NULL"),
        ),
        Index("ix_case_waiting", "status", "waiting_since", "id"),
        Index(
            "ix_case_merged",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
        # Read by incidents: cases that nobody has compared with the others.
        Index(
            "ix_case_to_compare",
            "id",
            sqlite_where=text("compared_at IS NULL"),
            postgresql_where=text("compared_at IS NULL"),
        ),
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
    wanted: str = Field(
        default="", sa_type=sa.Text, sa_column_kwargs={"server_default": sa.text("''")}
    )
    """What the customer wanted, in a line."""
    delivered_at: datetime | None = None
    """When the customer got it."""
    remedy: str = Field(
        default="", sa_type=sa.Text, sa_column_kwargs={"server_default": sa.text("''")}
    )
    """What put the problem right."""
    goodwill: str = Field(
        default="", sa_type=sa.Text, sa_column_kwargs={"server_default": sa.text("''")}
    )
    """What was given on top; never in place of a remedy."""
    cannot_help: CannotHelp | None = Field(default=None, sa_type=stored(CannotHelp))
    partial: str = Field(
        default="", sa_type=sa.Text, sa_column_kwargs={"server_default": sa.text("''")}
    )
    """The part that we could do all the same."""
    referred_to: str = Field(default="", sa_column_kwargs={"server_default": sa.text("''")})
    """Who takes what we cannot do."""
    merged_into: int | None = None
    """The case that this one goes on in. Nothing moves: its posts, replies and notes stay its own
    and are shown there. No foreign key: SQLite would have to build this large table anew."""
    by_hand: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    """Made by a person from a text: a phone call, a screenshot, a letter."""

    thread_due_at: datetime | None = Field(default_factory=now)
    """When its threads are looked at next on the network; null: no more."""

    sla: str | None = None
    """The policy that applies, by name; null: none."""
    promised_at: datetime | None = None
    """When the due times below were reckoned; null: to be done, as something changed."""
    first_due_at: datetime | None = None
    """Until when the first response is promised."""
    next_due_at: datetime | None = None
    """Until when the present waiting is promised to end; null where nobody waits."""
    resolution_due_at: datetime | None = None
    due_at: datetime | None = None
    """The earliest of these that still runs: what breaks next."""
    reply_status: ReplyStatus = Field(default=ReplyStatus.UNANSWERED, sa_type=stored(ReplyStatus))

    compared_at: datetime | None = None
    """When it was compared with other cases, for incidents; null: to be done, as it is new or the
    customer wrote more."""

    complaint: float = 0.0
    """The complaint probability of its worst unanswered post, by points."""
    severity: float = 0.0
    """The highest severity of its unanswered posts."""
    reach: int = 0
    """Followers of the author and of those who reposted."""
    contacts: int = 1
    """Posts by the author in this case and the resolved ones of the last month."""
    measured: bool = Field(default=True, sa_column_kwargs={"server_default": sa.true()})
    """False where its worst post is in a language on which the model was not measured."""
    vip: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})
    """Whether its author is one: here too, as the rank counts it."""
    rank: float = 0.0
    """Sorts as the priority does, at any time: see monitor.desk.priority."""


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
