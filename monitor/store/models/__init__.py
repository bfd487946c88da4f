"""The tables, a module for each noun.

The database is the queue: a column that is null is work to do, and each such column has a partial
index named after its reader. Times are aware UTC.
"""

from sqlmodel import SQLModel

from monitor.store.models.base import now, stored
from monitor.store.models.cases import (
    ACTIVE,
    CannotHelp,
    Case,
    CaseEvent,
    CaseStatus,
    Dismissal,
    Note,
    Outcome,
)
from monitor.store.models.desk import (
    Absence,
    Canned,
    CaseTag,
    Commitment,
    Notice,
    NoticeKind,
    Presence,
    SavedView,
    SlaKind,
    SlaResult,
)
from monitor.store.models.labels import BlindSample, Label, LabelOrigin, Layer
from monitor.store.models.posts import Author, Post, Sentiment
from monitor.store.models.replies import DraftOverride, Reply, ReplyStatus
from monitor.store.models.sources import BY_HAND, Fetch, Heartbeat, Source, SourceState
from monitor.store.models.watch import (
    Alert,
    AlertEvent,
    AlertKind,
    AlertState,
    Channel,
    Delivery,
    Incident,
    IncidentApart,
    IncidentCase,
    IncidentStatus,
    Message,
    Reproduced,
    Severity,
)

__all__ = [
    "ACTIVE",
    "BY_HAND",
    "Absence",
    "Alert",
    "AlertEvent",
    "AlertKind",
    "AlertState",
    "Author",
    "BlindSample",
    "Canned",
    "CannotHelp",
    "Case",
    "CaseEvent",
    "CaseStatus",
    "CaseTag",
    "Channel",
    "Commitment",
    "Delivery",
    "Dismissal",
    "DraftOverride",
    "Fetch",
    "Heartbeat",
    "Incident",
    "IncidentApart",
    "IncidentCase",
    "IncidentStatus",
    "Label",
    "LabelOrigin",
    "Layer",
    "Message",
    "Note",
    "Notice",
    "NoticeKind",
    "Outcome",
    "Post",
    "Presence",
    "Reply",
    "ReplyStatus",
    "Reproduced",
    "SQLModel",
    "SavedView",
    "Sentiment",
    "Severity",
    "SlaKind",
    "SlaResult",
    "Source",
    "SourceState",
    "now",
    "stored",
]
