"""The life of an alert: it fires, is acknowledged or silenced, and is resolved. One row per key.

Every message that has to go out is a Delivery written in the same transaction as the change that it
tells of, and a pending one is dropped in the transaction that makes it moot. So an alert is told if
and only if it fired, whoever is killed when; `notify` sends what is written here.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.alert_settings import AlertSettings
from monitor.store.models import (
    Alert,
    AlertState,
    Delivery,
    Message,
    Severity,
    now,
)
from monitor.watch.alerting.alert_rows import (
    STANDS,
    AlertError,
    Finding,
    begin,
    change,
    how_it_stands,
    locked,
    opened,
    record,
)
from monitor.watch.alerting.deliveries import channels_of, drop, write

LONGEST_SILENCE = timedelta(days=30)


def fire(session: Session, found: Finding, settings: AlertSettings, *, mute: bool = False) -> bool:
    """Say that something is wrong: it fires, fires again, or fires on with newer figures.

    A page that was a ticket is told again, even where the ticket was acknowledged; a ticket that
    was a page stays one. Muted, it is shown but told to nobody. Returns whether it began to fire.
    """
    at = now()
    alert = None
    while alert is None:  # one that was long over may be pruned between these two
        begun = begin(session, found, at)
        alert = locked(session, col(Alert.key) == found.key)
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
        record(session, alert, ("fired again" if again else "fired") + silent, detail=found.title)
    # Nobody has been told of this firing yet.
    untold = alert.state == AlertState.FIRING and alert.repeat_at is None
    worse = alert.severity == Severity.TICKET and found.severity == Severity.PAGE
    # Muted, what was told as a ticket stays one until it may be told that it is worse.
    raised = worse and (untold or not mute)
    _refresh(alert, found, at)
    if raised:
        alert.severity = Severity.PAGE
        record(session, alert, "raised to a page")
    if untold and not mute:
        _tell(session, alert, Message.FIRED, settings, at)
    elif raised and not untold and alert.state != AlertState.SILENCED:
        alert.state = AlertState.FIRING
        alert.acknowledged_by = alert.acknowledged_at = None
        _tell(session, alert, Message.RAISED, settings, at)
    session.add(alert)
    session.commit()
    return begun or again


def resolve(session: Session, key: str, settings: AlertSettings) -> bool:
    """Say that it is over: told once, to those who were told that it fired. Returns whether it
    was not over yet."""
    if session.exec(select(Alert.id).where(col(Alert.key) == key, STANDS)).first() is None:
        return False
    alert = opened(session, col(Alert.key) == key, STANDS)
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
    drop(session, alert.id, at)
    alert.state, alert.resolved_at, alert.last_seen_at = AlertState.RESOLVED, at, at
    alert.repeat_at = alert.escalate_at = None
    alert.memory = ""
    record(session, alert, "resolved")
    write(session, alert, Message.RESOLVED, told, settings, at)
    session.add(alert)
    session.commit()
    return True


def acknowledge(session: Session, alert_id: int, agent: str, settings: AlertSettings) -> None:
    """`agent` looks after it: it is told once more if it fires on for `settings.remind_after`, and
    when it is over. Raises AlertError."""
    alert = change(session, alert_id, (AlertState.FIRING,))
    at = now()
    alert.state, alert.acknowledged_by, alert.acknowledged_at = AlertState.ACKNOWLEDGED, agent, at
    _hush(session, alert, at)
    if settings.remind_after is not None:
        alert.repeat_at = at + settings.remind_after
    record(session, alert, "acknowledged", agent=agent)
    session.commit()


def take_back(session: Session, alert_id: int, agent: str, settings: AlertSettings) -> None:
    """Nobody looks after it after all; it is told again in time. Raises AlertError."""
    alert = change(session, alert_id, (AlertState.ACKNOWLEDGED,))
    alert.acknowledged_by = alert.acknowledged_at = None
    _fire_on(alert, settings)
    record(session, alert, "acknowledgement taken back", agent=agent)
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
    alert = change(session, alert_id, (AlertState.FIRING, AlertState.ACKNOWLEDGED))
    alert.state = AlertState.SILENCED
    alert.silenced_by, alert.silenced_until, alert.silence_reason = agent, until, why
    alert.acknowledged_by = alert.acknowledged_at = None
    _hush(session, alert, at)
    stamp = f"until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {why}"
    record(session, alert, "silenced", agent=agent, detail=stamp)
    session.commit()


def unsilence(session: Session, alert_id: int, agent: str, settings: AlertSettings) -> None:
    """End a silence early; if it still fires, it is told again in time. Raises AlertError."""
    alert = opened(session, col(Alert.id) == alert_id, col(Alert.silenced_until) > now())
    if alert is None:
        raise AlertError(how_it_stands(session, alert_id))
    _end_silence(alert)
    if alert.state == AlertState.SILENCED:
        _fire_on(alert, settings)
    record(session, alert, "silence taken back", agent=agent)
    session.commit()


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
            alert = opened(session, col(Alert.id) == alert_id, *conditions)
            if alert is not None:
                _due(session, alert, message, settings, at)
                told += 1
    session.rollback()
    return told


def _due(
    session: Session, alert: Alert, message: Message, settings: AlertSettings, at: datetime
) -> None:
    if message is Message.ESCALATED:
        alert.escalate_at = None
        write(session, alert, message, settings.escalate, settings, at)
        record(session, alert, "escalated", detail=", ".join(settings.escalate))
    elif message is Message.REMINDED:
        alert.repeat_at = None
        write(session, alert, message, channels_of(alert, settings), settings, at)
        by = alert.acknowledged_by
        record(session, alert, "told again", detail=f"acknowledged by {by} and still firing")
    else:
        if message is Message.FIRED:
            _fire_on(alert, settings)
            _end_silence(alert)
            record(session, alert, "silence over")
        _tell(session, alert, Message.REPEATED, settings, at)
    session.add(alert)
    session.commit()


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
    write(session, alert, message, channels_of(alert, settings), settings, at)
    alert.repeat_at = at + settings.repeat
    if message is Message.REPEATED:
        record(session, alert, "told again")
    elif alert.severity == Severity.PAGE and settings.escalate:
        alert.escalate_at = at + settings.escalate_after


def _hush(session: Session, alert: Alert, at: datetime) -> None:
    """What waited to be told of this firing is told no more."""
    alert.repeat_at = alert.escalate_at = None
    session.add(alert)
    drop(session, alert.id, at)


def _fire_on(alert: Alert, settings: AlertSettings) -> None:
    at = now()
    alert.state = AlertState.FIRING
    alert.repeat_at = at + settings.repeat
    if alert.severity == Severity.PAGE and settings.escalate:
        alert.escalate_at = at + settings.escalate_after


def _end_silence(alert: Alert) -> None:
    alert.silenced_by = alert.silenced_until = None
    alert.silence_reason = ""
