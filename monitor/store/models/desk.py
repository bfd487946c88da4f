"""What the people at the desk need around the cases: tags, views, promises, who is where."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from monitor.store.models.base import now, stored


class CaseTag(SQLModel, table=True):
    """A word that somebody put on a case."""

    __table_args__ = (Index("ix_casetag_by_tag", "tag", "case_id"),)

    case_id: int = Field(foreign_key="case.id", primary_key=True)
    tag: str = Field(primary_key=True)


class SavedView(SQLModel, table=True):
    """A filter of the queue with a name: for its owner, or shared with everybody."""

    __table_args__ = (UniqueConstraint("owner", "name"),)

    id: int = Field(default=None, primary_key=True)
    owner: str
    name: str
    shared: bool = False
    address: str = Field(sa_type=sa.Text)
    """The query string of the queue's address, which a link opens too."""


class Presence(SQLModel, table=True):
    """Who is at a case now. It ends by itself: a browser that dies says no goodbye."""

    case_id: int = Field(foreign_key="case.id", primary_key=True)
    agent: str = Field(primary_key=True)
    writing: bool = False
    until: datetime


class Absence(SQLModel, table=True):
    """Somebody who is not here; no row: they are."""

    agent: str = Field(primary_key=True)
    until: datetime | None = None
    """Null: until they say that they are back."""


class Canned(SQLModel, table=True):
    """An answer to begin with. {name}s in it are filled in, or it cannot be sent."""

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    text: str = Field(sa_type=sa.Text)
    agent: str
    updated_at: datetime = Field(default_factory=now)


class Commitment(SQLModel, table=True):
    """A promise to a customer: kept in time, or it comes back into the queue."""

    __table_args__ = (
        Index("ix_commitment_of_case", "case_id", "id"),
        # Read by what is due.
        Index(
            "ix_commitment_open",
            "due_at",
            sqlite_where=text("kept_at IS NULL AND dropped_at IS NULL"),
            postgresql_where=text("kept_at IS NULL AND dropped_at IS NULL"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id")
    text: str = Field(sa_type=sa.Text)
    owner: str
    due_at: datetime
    made_at: datetime = Field(default_factory=now)
    kept_at: datetime | None = None
    dropped_at: datetime | None = None
    """The customer needs it no longer; counts neither as kept nor as broken."""


class SlaKind(StrEnum):
    """What an SLA policy promises."""

    FIRST = "first response"
    NEXT = "next response"
    RESOLUTION = "resolution"


class SlaResult(SQLModel, table=True):
    """One promise of a policy that was met or missed, once each time the clock ran."""

    __table_args__ = (
        UniqueConstraint("case_id", "kind", "due_at"),
        Index("ix_slaresult_by_time", "due_at", "kind", "met", "case_id"),
    )

    id: int = Field(default=None, primary_key=True)
    case_id: int = Field(foreign_key="case.id")
    policy: str
    kind: SlaKind = Field(sa_type=stored(SlaKind))
    due_at: datetime
    met: bool
    at: datetime = Field(default_factory=now)


class NoticeKind(StrEnum):
    """Why somebody at the desk is told something."""

    NOTE = "note"
    """A colleague named them in a note."""
    SLA_SOON = "sla soon"
    SLA_BROKEN = "sla broken"
    PROMISE_DUE = "promise due"
    PROMISE_BROKEN = "promise broken"
    APPROVAL = "approval"
    """A draft waits for a lead, or came back."""
    ASSIGNED = "assigned"
    CUSTOMER = "customer"
    """The customer of one of their cases wrote again."""
    GONE = "answer gone"
    """An answer of ours was deleted on the network."""


class Notice(SQLModel, table=True):
    """Something that one person at the desk is told, once."""

    __table_args__ = (
        # The same thing is told to a person once, whichever engine notices it.
        UniqueConstraint("agent", "key"),
        Index(
            "ix_notice_unseen",
            "agent",
            "id",
            sqlite_where=text("seen_at IS NULL"),
            postgresql_where=text("seen_at IS NULL"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    agent: str
    key: str
    kind: NoticeKind = Field(sa_type=stored(NoticeKind))
    case_id: int | None = Field(default=None, foreign_key="case.id")
    text: str = Field(sa_type=sa.Text)
    at: datetime = Field(default_factory=now)
    seen_at: datetime | None = None
