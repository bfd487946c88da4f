"""Lists of alerts, for pages and commands."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.models import Alert, AlertEvent, AlertState

# "page" comes before "ticket"; what is part of something wider comes after it.
_ORDER = (
    col(Alert.severity),
    sa.and_(col(Alert.state) == AlertState.FIRING, col(Alert.repeat_at).is_(None)),
    col(Alert.fired_at).desc(),
    col(Alert.id).desc(),
)


def firing(session: Session) -> Sequence[Alert]:
    """What fires and nobody looks after, pages first, then the newest."""
    query = select(Alert).where(col(Alert.state) == AlertState.FIRING)
    return session.exec(query.order_by(*_ORDER)).all()


def standing(session: Session, limit: int) -> Sequence[Alert]:
    """What is not over: what fires first, pages first, then the newest."""
    states = [AlertState.FIRING, AlertState.ACKNOWLEDGED, AlertState.SILENCED]
    order = sa.case({state: place for place, state in enumerate(states)}, value=col(Alert.state))
    query = select(Alert).where(col(Alert.state).in_(states))
    return session.exec(query.order_by(order, *_ORDER).limit(limit)).all()


def over(session: Session, limit: int) -> Sequence[Alert]:
    """What is over, the latest first."""
    query = select(Alert).where(col(Alert.state) == AlertState.RESOLVED)
    return session.exec(query.order_by(col(Alert.resolved_at).desc()).limit(limit)).all()


def history(session: Session, alert_id: int, limit: int = 100) -> Sequence[AlertEvent]:
    """What happened to an alert, the latest first."""
    events = select(AlertEvent).where(col(AlertEvent.alert_id) == alert_id)
    return session.exec(events.order_by(col(AlertEvent.id).desc()).limit(limit)).all()
