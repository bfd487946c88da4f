"""What managers and people on call watch: incidents and alerts."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from monitor.store.models.base import now, stored


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    PROPOSED = "proposed"
    """The monitor thinks that these cases have one cause; a person says so or not."""
    OPEN = "open"
    WATCHING = "watching"
    """Thought to be over; not sure yet."""
    FIXED = "fixed"
    NO_FAULT = "no fault"
    """Closed with evidence that nothing was wrong."""
    REJECTED = "rejected"
    """A person said that these cases have nothing in common: not proposed again."""
    MERGED = "merged"
    """Goes on in the incident of `merged_into`."""


class Reproduced(StrEnum):
    """Whether we saw the fault ourselves."""

    YES = "yes"
    NO = "no"
    NOT_TRIED = "not tried"


class Incident(SQLModel, table=True):
    """Many cases, one cause. Counted in distinct authors."""

    __table_args__ = (Index("ix_incident_by_status", "status", "id"),)

    id: int = Field(default=None, primary_key=True)
    title: str
    status: IncidentStatus = Field(default=IncidentStatus.PROPOSED, sa_type=stored(IncidentStatus))
    words: str = ""
    """What the posts have in common, in words, as the proposal saw it."""
    first_seen_at: datetime
    last_seen_at: datetime
    created_at: datetime = Field(default_factory=now)
    reporter: str | None = None
    """Who confirmed it or made it by hand."""
    fault: str = Field(default="", sa_type=sa.Text)
    cause: str = Field(default="", sa_type=sa.Text)
    reproduced: Reproduced = Field(default=Reproduced.NOT_TRIED, sa_type=stored(Reproduced))
    evidence_url: str = ""
    evidence_value: str = ""
    """A number that can prove it: page views, error counts, downloads."""
    evidence_by: str | None = None
    evidence_at: datetime | None = None
    update: str = Field(default="", sa_type=sa.Text)
    """What may be told to the customers now; offered in each of its cases."""
    update_by: str | None = None
    update_at: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    """When it was fixed, closed as no fault, rejected or merged."""
    merged_into: int | None = Field(default=None, foreign_key="incident.id")


class IncidentCase(SQLModel, table=True):
    """That a case belongs to an incident; a case has at most one that it stands in."""

    __table_args__ = (Index("ix_incidentcase_of_incident", "incident_id", "case_id"),)

    case_id: int = Field(foreign_key="case.id", primary_key=True)
    incident_id: int = Field(foreign_key="incident.id")
    post_id: int | None = None
    """The post that tells of it; null: the one that the case shows. No foreign key: a post that is
    erased only leaves the words that the case still has."""
    likeness: float | None = None
    """How near its posts lie to the others, 0 to 1; null: put there by hand."""
    added_by: str | None = None
    added_at: datetime = Field(default_factory=now)
    followed_up_at: datetime | None = None
    """When the customer was told that it is fixed."""
    followed_up_by: str | None = None


class IncidentApart(SQLModel, table=True):
    """A person took a case out of an incident: it is not proposed there again."""

    case_id: int = Field(foreign_key="case.id", primary_key=True)
    incident_id: int = Field(foreign_key="incident.id", primary_key=True)


class AlertKind(StrEnum):
    """What an alert tells of."""

    SPIKE = "spike"
    SILENCE = "silence"
    SOURCE = "source"
    """A source fails, or its token is refused."""
    ENGINE = "engine"
    BACKLOG = "backlog"
    DISK = "disk"
    VIP = "vip"
    REACH = "reach"
    WORD = "word"
    SLA = "sla"
    PROMISE = "promise"
    CHANNEL = "channel"
    """A channel that cannot be reached."""


class AlertState(StrEnum):
    """Where an alert stands."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """How loud an alert is."""

    PAGE = "page"
    """Somebody has to look now, also at night."""
    TICKET = "ticket"
    """Somebody has to look today."""


class Alert(SQLModel, table=True):
    """One thing that is wrong, or was: one row per key, however often it fires."""

    __table_args__ = (
        # Read by what repeats, escalates and resolves.
        Index("ix_alert_by_state", "state", "id"),
    )

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    kind: AlertKind = Field(sa_type=stored(AlertKind))
    severity: Severity = Field(sa_type=stored(Severity))
    state: AlertState = Field(default=AlertState.FIRING, sa_type=stored(AlertState))
    title: str
    text: str = Field(sa_type=sa.Text)
    """What, how much above what is usual, since when."""
    address: str = Field(default="", sa_type=sa.Text)
    """Query string of the page that shows just those cases."""
    posts: str = ""
    """Ids of the posts that show it, comma separated: at most three."""
    memory: str = ""
    """What its detector has to remember as long as it is open."""
    fired_at: datetime = Field(default_factory=now)
    """When it fired this time; `firings` counts all times."""
    last_seen_at: datetime = Field(default_factory=now)
    firings: int = 1
    value: float | None = None
    usual: float | None = None
    peak: float | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    silenced_by: str | None = None
    silenced_until: datetime | None = None
    silence_reason: str = ""
    resolved_at: datetime | None = None
    repeat_at: datetime | None = None
    """When it is told again: time after time as long as nobody has acknowledged it, then once."""
    escalate_at: datetime | None = None


class AlertEvent(SQLModel, table=True):
    """One line of an alert's history."""

    __table_args__ = (Index("ix_alertevent_of_alert", "alert_id", "id"),)

    id: int = Field(default=None, primary_key=True)
    alert_id: int = Field(foreign_key="alert.id")
    at: datetime = Field(default_factory=now)
    agent: str | None = None
    what: str
    detail: str = Field(default="", sa_type=sa.Text)


class Message(StrEnum):
    """What a delivery tells of an alert."""

    FIRED = "fired"
    RAISED = "raised"
    """It was a ticket and is a page now."""
    REPEATED = "repeated"
    """It still fires, and nobody has acknowledged it."""
    ESCALATED = "escalated"
    REMINDED = "reminded"
    """Somebody acknowledged it long ago, and it still fires."""
    RESOLVED = "resolved"
    DIGEST = "digest"
    """Of no alert: the week in numbers."""


class Delivery(SQLModel, table=True):
    """One message to one channel. Saved before it is sent; tried until it went or is moot."""

    __table_args__ = (
        UniqueConstraint("channel", "key"),
        Index(
            "ix_delivery_to_send",
            "next_try_at",
            sqlite_where=text("sent_at IS NULL AND dropped_at IS NULL"),
            postgresql_where=text("sent_at IS NULL AND dropped_at IS NULL"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    alert_id: int | None = Field(default=None, foreign_key="alert.id", index=True)
    """Null: it tells of no alert, as a digest does."""
    firing: int = 0
    """Which firing of the alert it tells of."""
    message: Message = Field(sa_type=stored(Message))
    channel: str
    key: str
    """What is told, once: the alert, its firing and which message of it."""
    title: str
    text: str = Field(sa_type=sa.Text)
    urgent: bool = True
    created_at: datetime = Field(default_factory=now)
    next_try_at: datetime = Field(default_factory=now)
    tries: int = 0
    sending_until: datetime | None = None
    """Somebody is sending it. Long past: they were killed, and nobody knows whether it went."""
    sent_at: datetime | None = None
    dropped_at: datetime | None = None
    """Acknowledged or over before it could go out."""
    error: str | None = Field(default=None, sa_type=sa.Text)


class Channel(SQLModel, table=True):
    """How a channel of alerts fares."""

    name: str = Field(primary_key=True)
    sent_at: datetime | None = None
    failed_at: datetime | None = None
    failures: int = 0
    """In a row, since the last message that went."""
    error: str | None = Field(default=None, sa_type=sa.Text)
