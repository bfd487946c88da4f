"""The row of an alert: begun, locked while it changes, and forgotten when it is long over.

Whoever changes one holds it: SQLite's write lock, or PostgreSQL's lock of the row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from monitor.desk.cases import CaseError
from monitor.store.db import insert, lock_writes
from monitor.store.models import Alert, AlertEvent, AlertKind, AlertState, Delivery, Severity, now
from monitor.watch.alerting.health import LEDGER_DAYS

STANDS = col(Alert.state) != AlertState.RESOLVED


class AlertError(CaseError):
    """An alert cannot be changed so. The text tells the person what is true, or what to do."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong now."""

    key: str
    """What it is about: the same thing has the same key whenever it goes wrong."""
    kind: AlertKind
    severity: Severity
    title: str
    text: str
    address: str = ""
    posts: Sequence[int] = ()
    memory: str = ""
    value: float | None = None
    usual: float | None = None


def begin(session: Session, found: Finding, at: datetime) -> bool:
    """Insert the row unless there is one; it begins the transaction."""
    session.rollback()
    lock_writes(session)
    values = {
        "key": found.key,
        "kind": found.kind,
        "severity": found.severity,
        "state": AlertState.FIRING,
        "title": found.title,
        "text": found.text,
        "address": "",
        "posts": "",
        "memory": "",
        "silence_reason": "",
        "fired_at": at,
        "last_seen_at": at,
        "firings": 1,
    }
    statement = insert(session, Alert).values(**values)
    made = statement.on_conflict_do_nothing(index_elements=["key"]).returning(Alert.id)
    return session.execute(made).first() is not None


def change(session: Session, alert_id: int, states: Sequence[AlertState]) -> Alert:
    """The alert, locked, if it is in one of these states; else raises AlertError, which says how it
    stands. It begins the transaction."""
    alert = opened(session, col(Alert.id) == alert_id, col(Alert.state).in_(states))
    if alert is None:
        raise AlertError(how_it_stands(session, alert_id))
    return alert


def opened(session: Session, *conditions: sa.ColumnElement[bool]) -> Alert | None:
    """The alert, locked, if the conditions hold; it begins the transaction."""
    session.rollback()
    lock_writes(session)
    alert = locked(session, *conditions)
    if alert is None:
        session.rollback()
    return alert


def locked(session: Session, *conditions: sa.ColumnElement[bool]) -> Alert | None:
    """The alert, locked, if the conditions hold, in a transaction that has begun."""
    query = select(Alert).where(*conditions).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).first()


def how_it_stands(session: Session, alert_id: int) -> str:
    """Why it cannot be changed as somebody wished, in words."""
    alert = session.get(Alert, alert_id, populate_existing=True)
    if alert is None:
        return "There is no such alert any more."
    by = {
        AlertState.ACKNOWLEDGED: alert.acknowledged_by,
        AlertState.SILENCED: alert.silenced_by,
    }.get(alert.state)
    return f"This alert changed meanwhile: it is {alert.state}{f' by {by}' if by else ''}."


def record(
    session: Session, alert: Alert, what: str, *, agent: str | None = None, detail: str = ""
) -> None:
    """Keep what happened to it in its history."""
    session.add(AlertEvent(alert_id=alert.id, what=what, agent=agent, detail=detail[:2000]))


def prune(session: Session, days: int = LEDGER_DAYS) -> None:
    """Forget alerts that have been over for `days`, with their history and all that was told of
    them, and of the others what was told so long ago.

    Kept however old: what still waits to go out, what the firing that stands was told with, as
    those are told when it is over, and what is silenced, should it fire again.
    """
    at = now()
    before = at - timedelta(days=days)
    waits = sa.exists().where(
        col(Delivery.alert_id) == col(Alert.id),
        col(Delivery.sent_at).is_(None),
        col(Delivery.dropped_at).is_(None),
    )
    old = select(Alert.id).where(
        col(Alert.state) == AlertState.RESOLVED,
        col(Alert.resolved_at) < before,
        sa.or_(col(Alert.silenced_until).is_(None), col(Alert.silenced_until) <= at),
        ~waits,
    )
    while True:
        session.rollback()
        lock_writes(session)
        # In one go: a later alert of this key begins at one again, and so do its messages.
        gone = session.exec(old.limit(200).with_for_update(skip_locked=True)).all()
        if not gone:
            break
        _delete(session, Delivery, col(Delivery.alert_id).in_(gone))
        _delete(session, AlertEvent, col(AlertEvent.alert_id).in_(gone))
        _delete(session, Alert, col(Alert.id).in_(gone))
        session.commit()
    current = sa.exists().where(
        col(Alert.id) == col(Delivery.alert_id), col(Alert.firings) == col(Delivery.firing), STANDS
    )
    ended = sa.func.coalesce(col(Delivery.sent_at), col(Delivery.dropped_at))
    _delete(session, Delivery, ended < before, ~current)
    session.commit()


def _delete(session: Session, table: type[SQLModel], *conditions: sa.ColumnElement[bool]) -> None:
    statement = sa.delete(table).where(*conditions)
    session.execute(statement.execution_options(synchronize_session=False))
