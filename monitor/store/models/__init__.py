"""The tables, a module for each noun.

The database is the queue: a column that is null is work to do, and each such column has a partial
index named after its reader. Times are aware UTC.
"""

from sqlmodel import SQLModel

from monitor.store.models.base import now, stored
from monitor.store.models.cases import (
    ACTIVE,
    Case,
    CaseEvent,
    CaseStatus,
    Dismissal,
    Note,
    Outcome,
    Reply,
    ReplyStatus,
)
from monitor.store.models.labels import BlindSample, Label, LabelOrigin, Layer
from monitor.store.models.posts import Author, Post, Sentiment
from monitor.store.models.sources import Fetch, Heartbeat, Source, SourceState

__all__ = [
    "ACTIVE",
    "Author",
    "BlindSample",
    "Case",
    "CaseEvent",
    "CaseStatus",
    "Dismissal",
    "Fetch",
    "Heartbeat",
    "Label",
    "LabelOrigin",
    "Layer",
    "Note",
    "Outcome",
    "Post",
    "Reply",
    "ReplyStatus",
    "SQLModel",
    "Sentiment",
    "Source",
    "SourceState",
    "now",
    "stored",
]
