"""What is watched, how each fetch went, and whether an engine lives."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from monitor.store.models.base import now, stored

BY_HAND = "by hand"
"""Source, and network, of what a person wrote down: a phone call, a screenshot, a letter."""


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


class Heartbeat(SQLModel, table=True):
    """When an engine last showed that it lives; seen by the dashboard, another process."""

    name: str = Field(primary_key=True)
    at: datetime = Field(default_factory=now)
    detail: str = ""
