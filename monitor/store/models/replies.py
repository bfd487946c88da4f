"""Our public answers, and the warnings that they were sent despite."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from monitor.store.models.base import now, stored


class ReplyStatus(StrEnum):
    """Where a public answer stands. A case shows its latest reply's, or that the customer spoke."""

    UNANSWERED = "unanswered"
    DRAFT = "draft"
    WAITING = "waiting"
    """Written; a lead has to approve it."""
    SENDING = "sending"
    SENT = "sent"
    SEEN = "seen"
    """It was found on the network."""
    FAILED = "failed"
    GONE = "gone"
    """It was deleted on the network."""
    CUSTOMER_ANSWERED = "customer answered"
    """Of a case only: the customer wrote after our answer."""


class Reply(SQLModel, table=True):
    """One public answer. It is saved before it is sent."""

    __table_args__ = (
        Index("ix_reply_of_case", "case_id", "id"),
        # Read when one of our posts comes from the network: do we know it?
        Index("ix_reply_external_id", "external_id"),
        # Read by trends.
        Index("ix_reply_by_time", "sent_at", "status", "agent", "case_id"),
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
            sqlite_where=text("status IN ('draft', 'waiting', 'sending')"),
            postgresql_where=text("status IN ('draft', 'waiting', 'sending')"),
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
    """When its status last changed, or the words of a draft."""
    sent_at: datetime | None = None
    seen_at: datetime | None = None
    checked_at: datetime | None = None
    """When we, or a person, last looked for it on the network. On a draft: it was on its way once,
    and is looked for again before it is sent."""
    tried: list[str] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    """The words of earlier tries, any of which may have arrived: they are looked for too."""
    external_id: str | None = None
    url: str = ""
    error: str | None = Field(default=None, sa_type=sa.Text)
    approver: str | None = None
    """The lead who let it go out, or sent it back."""
    refusal: str | None = Field(default=None, sa_type=sa.Text)
    """Why a lead sent it back; the draft goes on."""


class DraftOverride(SQLModel, table=True):
    """A warning of the draft check that somebody sent all the same, and why."""

    __table_args__ = (Index("ix_draftoverride_of_rule", "rule", "at"),)

    id: int = Field(default=None, primary_key=True)
    reply_id: int = Field(foreign_key="reply.id", index=True)
    rule: str
    phrase: str = Field(sa_type=sa.Text)
    reason: str = Field(sa_type=sa.Text)
    agent: str
    at: datetime = Field(default_factory=now)
