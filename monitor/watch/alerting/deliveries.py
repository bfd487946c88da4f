"""What is to be told of an alert, and to which channels: written down here, sent by `notify`."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from monitor.alert_settings import AlertSettings
from monitor.store.db import insert
from monitor.store.models import Alert, AlertKind, Delivery, Message, Severity
from monitor.watch.alerting import alert_words

TOGETHER = timedelta(seconds=30)
"""So long a message waits for others that it can go out with."""


def channels_of(alert: Alert, settings: AlertSettings) -> list[str]:
    """Who is told of an alert; of a channel that fails, all the others."""
    if alert.kind == AlertKind.CHANNEL:
        return [name for name in settings.channels if f"channel:{name}" != alert.key]
    return settings.told(urgent=alert.severity == Severity.PAGE)


def write(
    session: Session,
    alert: Alert,
    message: Message,
    channels: Iterable[str],
    settings: AlertSettings,
    at: datetime,
) -> None:
    """Write down what each channel is to be told, once each: in the transaction of the change."""
    # The others are told once in a firing, whatever happens to it.
    often = message in (Message.REPEATED, Message.REMINDED, Message.ESCALATED)
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


def drop(session: Session, alert_id: int, at: datetime) -> None:
    """What has not gone out is moot: in the transaction of the change."""
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
