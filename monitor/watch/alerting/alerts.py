"""The life of an alert: it fires, is acknowledged or silenced, and is resolved. One row per key.

Every message that has to go out is a Delivery written in the same transaction as the change that it
tells of, and a pending one is dropped in the transaction that makes it moot. So an alert is told if
and only if it fired, whoever is killed when; `notify` sends what is written here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, SQLModel, col, select

from monitor.alert_settings import AlertSettings
from monitor.desk.cases import CaseError
from monitor.store.db import insert, lock_writes
from monitor.store.models import (
    Alert,
    AlertEvent,
    AlertKind,
    AlertState,
    Delivery,
    Message,
    Severity,
    now,
)
from monitor.watch.alerting import alert_words

TOGETHER = timedelta(seconds=30)
"""So long a message waits for others that it can go out with."""

LONGEST_SILENCE = timedelta(days=30)

STANDS = col(Alert.state) != AlertState.RESOLVED

# "page" comes before "ticket"; what is part of something wider comes after it.
_ORDER = (
    col(Alert.severity),
    sa.and_(col(Alert.state) == AlertState.FIRING, col(Alert.repeat_at).is_(None)),
    col(Alert.fired_at).desc(),
    col(Alert.id).desc(),
)


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


def fire(session: Session, found: Finding, settings: AlertSettings, *, mute: bool = False) -> bool:
    """Say that something is wrong: it fires, fires again, or fires on with newer figures.

    A page that was a ticket is told again, even where the ticket was acknowledged; a ticket that
    was a page stays one. Muted, it is shown but told to nobody. Returns whether it began to fire.
    """
    at = now()
    alert = None
    while alert is None:  # one that was long over may be pruned between these two
        begun = _begin(session, found, at)
        alert = _locked(session, col(Alert.key) == found.key)
    again = not begun and alert.state == AlertState.RESOLVED
    if again:
        alert.firings += 1
        alert.severity, alert.fired_at, alert.peak = found.severity, at, None
        alert.acknowledged_by = alert.acknowledged_at = alert.resolved_at = None
        alert.state = AlertState.FIRING
        if alert.silenced_until is not None and alert.silenced_until > at:
            alert.state = AlertState.SILENCED
    if begun or again:
        silent = ", silenced" if alert.state == AlertState.SILENCED else ""
        _record(session, alert, ("fired again" if again else "fired") + silent, detail=found.title)
    raised = alert.severity == Severity.TICKET and found.severity == Severity.PAGE
    _refresh(alert, found, at)
    if raised:
        alert.severity = Severity.PAGE
        _record(session, alert, "raised to a page")
    if raised and alert.state != AlertState.SILENCED:
        alert.state = AlertState.FIRING
        alert.acknowledged_by = alert.acknowledged_at = None
        _tell(session, alert, Message.RAISED, settings, at)
    elif alert.state == AlertState.FIRING and alert.repeat_at is None and not mute:
        # Nobody has been told of this firing yet.
        _tell(session, alert, Message.FIRED, settings, at)
    session.add(alert)
    session.commit()
    return begun or again


def resolve(session: Session, key: str, settings: AlertSettings) -> bool:
    """Say that it is over: told once, to those who were told that it fired. Returns whether it
    was not over yet."""
    if session.exec(select(Alert.id).where(col(Alert.key) == key, STANDS)).first() is None:
        return False
    alert = _open(session, col(Alert.key) == key, STANDS)
    if alert is None:
        return False
    at = now()
    told = session.exec(
        select(Delivery.channel)
        .where(
            col(Delivery.alert_id) == alert.id,
            col(Delivery.firing) == alert.firings,
            sa.or_(col(Delivery.sent_at).is_not(None), col(Delivery.sending_until).is_not(None)),
        )
        .distinct()
    ).all()
    _drop(session, alert.id, at)
    alert.state, alert.resolved_at, alert.last_seen_at = AlertState.RESOLVED, at, at
    alert.repeat_at = alert.escalate_at = None
    alert.memory = ""
    _record(session, alert, "resolved")
    _write(session, alert, Message.RESOLVED, told, settings, at)
    session.add(alert)
    session.commit()
    return True


def acknowledge(session: Session, alert_id: int, agent: str, settings: AlertSettings) -> None:
    """`agent` looks after it: it is told once more if it fires on for `settings.remind_after`, and
    when it is over. Raises AlertError."""
    alert = _change(session, alert_id, (AlertState.FIRING,))
    at = now()
    alert.state, alert.acknowledged_by, alert.acknowledged_at = AlertState.ACKNOWLEDGED, agent, at
    _hush(session, alert, at)
    if settings.remind_after is not None:
        alert.repeat_at = at + settings.remind_after
    _record(session, alert, "acknowledged", agent=agent)
    session.commit()


def take_back(session: Session, alert_id: int, agent: str, settings: AlertSettings) -> None:
    """Nobody looks after it after all; it is told again in time. Raises AlertError."""
    alert = _change(session, alert_id, (AlertState.ACKNOWLEDGED,))
    alert.acknowledged_by = alert.acknowledged_at = None
    _fire_on(alert, settings)
    _record(session, alert, "acknowledgement taken back", agent=agent)
    session.commit()


def silence(session: Session, alert_id: int, agent: str, until: datetime, why: str) -> None:
    """Tell nothing of it until then, even if it ends and fires again. Raises AlertError."""
    at = now()
    why = " ".join(why.split())[:500]
    if not why:
        raise AlertError("Say why it is silenced: the next person on call will ask.")
    if until <= at:
        raise AlertError("Choose a time in the future.")
    if until > at + LONGEST_SILENCE:
        raise AlertError(f"Silence it for {LONGEST_SILENCE.days} days at most.")
    alert = _change(session, alert_id, (AlertState.FIRING, AlertState.ACKNOWLEDGED))
    alert.state = AlertState.SILENCED
    alert.silenced_by, alert.silenced_until, alert.silence_reason = agent, until, why
    alert.acknowledged_by = alert.acknowledged_at = None
    _hush(session, alert, at)
    stamp = f"until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {why}"
    _record(session, alert, "silenced", agent=agent, detail=stamp)
    session.commit()


def unsilence(session: Session, alert_id: int, agent: str, settings: AlertSettings) -> None:
    """End a silence early; if it still fires, it is told again in time. Raises AlertError."""
    alert = _open(session, col(Alert.id) == alert_id, col(Alert.silenced_until) > now())
    if alert is None:
        raise AlertError(_how_it_stands(session, alert_id))
    _end_silence(alert)
    if alert.state == AlertState.SILENCED:
        _fire_on(alert, settings)
    _record(session, alert, "silence taken back", agent=agent)
    session.commit()


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


def tick(session: Session, settings: AlertSettings) -> int:
    """End the silences that are over, repeat and escalate what nobody has acknowledged, and remind
    once of what somebody acknowledged long ago.

    Returns how many alerts were told again.
    """
    at = now()
    firing = col(Alert.state) == AlertState.FIRING
    dues = {
        Message.FIRED: (col(Alert.state) == AlertState.SILENCED, col(Alert.silenced_until) <= at),
        Message.ESCALATED: (firing, col(Alert.escalate_at) <= at),
        Message.REPEATED: (firing, col(Alert.repeat_at) <= at),
        Message.REMINDED: (
            col(Alert.state) == AlertState.ACKNOWLEDGED,
            col(Alert.repeat_at) <= at,
        ),
    }
    told = 0
    for message, conditions in dues.items():
        for alert_id in session.exec(select(Alert.id).where(*conditions)).all():
            # Another engine may have been first.
            alert = _open(session, col(Alert.id) == alert_id, *conditions)
            if alert is not None:
                _due(session, alert, message, settings, at)
                told += 1
    session.rollback()
    return told


def prune(session: Session, days: int = 30) -> None:
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
        for column in (col(Delivery.alert_id), col(AlertEvent.alert_id), col(Alert.id)):
            _delete(session, column.class_, column.in_(gone))
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


def _due(
    session: Session, alert: Alert, message: Message, settings: AlertSettings, at: datetime
) -> None:
    if message is Message.ESCALATED:
        alert.escalate_at = None
        _write(session, alert, message, settings.escalate, settings, at)
        _record(session, alert, "escalated", detail=", ".join(settings.escalate))
    elif message is Message.REMINDED:
        alert.repeat_at = None
        _write(session, alert, message, channels_of(alert, settings), settings, at)
        by = alert.acknowledged_by
        _record(session, alert, "told again", detail=f"acknowledged by {by} and still firing")
    else:
        if message is Message.FIRED:
            alert.state = AlertState.FIRING
            _end_silence(alert)
            _record(session, alert, "silence over")
        _tell(session, alert, Message.REPEATED, settings, at)
    session.add(alert)
    session.commit()


def _begin(session: Session, found: Finding, at: datetime) -> bool:
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


def _refresh(alert: Alert, found: Finding, at: datetime) -> None:
    alert.kind, alert.title, alert.text = found.kind, found.title[:200], found.text
    alert.address, alert.memory = found.address, found.memory
    alert.posts = ",".join(str(post_id) for post_id in list(found.posts)[:3])
    alert.value, alert.usual, alert.last_seen_at = found.value, found.usual, at
    if found.value is not None:
        alert.peak = max(alert.peak or 0.0, found.value)


def _tell(
    session: Session, alert: Alert, message: Message, settings: AlertSettings, at: datetime
) -> None:
    """Tell those who are told of such an alert; later again, as long as nobody acknowledges it."""
    _write(session, alert, message, channels_of(alert, settings), settings, at)
    alert.repeat_at = at + settings.repeat
    if message is Message.REPEATED:
        _record(session, alert, "told again")
    elif alert.severity == Severity.PAGE and settings.escalate:
        alert.escalate_at = at + settings.escalate_after


def channels_of(alert: Alert, settings: AlertSettings) -> list[str]:
    """Who is told of an alert; of a channel that fails, all the others."""
    if alert.kind == AlertKind.CHANNEL:
        return [name for name in settings.channels if f"channel:{name}" != alert.key]
    return settings.told(urgent=alert.severity == Severity.PAGE)


def _write(
    session: Session,
    alert: Alert,
    message: Message,
    channels: Iterable[str],
    settings: AlertSettings,
    at: datetime,
) -> None:
    """A delivery for each channel, once each."""
    often = message in (Message.REPEATED, Message.REMINDED)
    times = f":{at:%Y-%m-%dT%H:%M:%S}" if often else ""
    title, text = alert_words.message(alert, message, settings.link, at)
    for name in channels:
        statement = insert(session, Delivery).values(
            alert_id=alert.id,
            firing=alert.firings,
            message=message,
            channel=name,
            key=f"{alert.key}#{alert.firings}:{message}{times}",
            title=title,
            text=text,
            urgent=alert.severity == Severity.PAGE,
            created_at=at,
            next_try_at=at + TOGETHER,
            tries=0,
        )
        session.execute(statement.on_conflict_do_nothing(index_elements=["channel", "key"]))


def _hush(session: Session, alert: Alert, at: datetime) -> None:
    """What waited to be told of this firing is told no more."""
    alert.repeat_at = alert.escalate_at = None
    session.add(alert)
    _drop(session, alert.id, at)


def _drop(session: Session, alert_id: int, at: datetime) -> None:
    """What has not gone out is moot."""
    session.execute(
        sa.update(Delivery)
        .where(
            col(Delivery.alert_id) == alert_id,
            col(Delivery.sent_at).is_(None),
            col(Delivery.dropped_at).is_(None),
        )
        .values(dropped_at=at)
        .execution_options(synchronize_session=False)
    )


def _fire_on(alert: Alert, settings: AlertSettings) -> None:
    at = now()
    alert.state = AlertState.FIRING
    alert.repeat_at = at + settings.repeat
    if alert.severity == Severity.PAGE and settings.escalate:
        alert.escalate_at = at + settings.escalate_after


def _end_silence(alert: Alert) -> None:
    alert.silenced_by = alert.silenced_until = None
    alert.silence_reason = ""


def _change(session: Session, alert_id: int, states: Sequence[AlertState]) -> Alert:
    alert = _open(session, col(Alert.id) == alert_id, col(Alert.state).in_(states))
    if alert is None:
        raise AlertError(_how_it_stands(session, alert_id))
    return alert


def _open(session: Session, *conditions: sa.ColumnElement[bool]) -> Alert | None:
    """The alert, locked, if the conditions hold; it begins the transaction."""
    session.rollback()
    lock_writes(session)
    alert = _locked(session, *conditions)
    if alert is None:
        session.rollback()
    return alert


def _locked(session: Session, *conditions: sa.ColumnElement[bool]) -> Alert | None:
    query = select(Alert).where(*conditions).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).first()


def _how_it_stands(session: Session, alert_id: int) -> str:
    alert = session.get(Alert, alert_id, populate_existing=True)
    if alert is None:
        return "There is no such alert any more."
    by = {
        AlertState.ACKNOWLEDGED: alert.acknowledged_by,
        AlertState.SILENCED: alert.silenced_by,
    }.get(alert.state)
    return f"This alert changed meanwhile: it is {alert.state}{f' by {by}' if by else ''}."


def _record(
    session: Session, alert: Alert, what: str, *, agent: str | None = None, detail: str = ""
) -> None:
    session.add(AlertEvent(alert_id=alert.id, what=what, agent=agent, detail=detail[:2000]))
