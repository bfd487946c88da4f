"""Sends what `alerts` wrote down: every message until it went or is moot.

At least once, for a lost page is worse than a doubled one: a message is marked as being sent, in a
commit, right before it goes out, and as sent right after. Whoever is killed between the network's
answer and the second commit leaves a message of which nobody knows whether it went; it is sent
again, and says so. What was acknowledged meanwhile is not.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.alert_settings import channel_variable
from monitor.config import Config
from monitor.desk.cases import CaseError
from monitor.store.db import insert, lock_writes
from monitor.store.models import (
    Alert,
    AlertKind,
    Channel,
    Delivery,
    Message,
    Severity,
    now,
)
from monitor.watch.alerting import alert_words, alerts, channels, deliveries
from monitor.watch.alerting.alert_rows import Finding
from monitor.watch.alerting.channels import Letter, Send

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
"""Longer than any network takes: who sends for so long was killed."""

WAITS = [timedelta(seconds=seconds) for seconds in (10, 20, 60, 120, 300, 600)]
"""Between two tries; the last one for ever, as what still fires is still to be told."""

DEAD_AFTER = 3
"""Failures in a row from which a channel is told of through the others."""

PERHAPS_TWICE = "(The monitor was stopped while it sent this: you may have it already.)"

Row = tuple[Delivery, Alert | None]
"""A message with the alert that it tells of; a digest tells of none."""

PENDING = sa.and_(col(Delivery.sent_at).is_(None), col(Delivery.dropped_at).is_(None))


class ChannelError(CaseError):
    """A channel did not take a message. The text says why."""


def send_due(session: Session, config: Config, send: Send = channels.send) -> int:
    """Send what is due on every channel, each channel's in one message. Returns how many went."""
    at = now()
    due = session.exec(
        select(Delivery.channel).where(PENDING, col(Delivery.next_try_at) <= at).distinct()
    ).all()
    session.rollback()
    went = 0
    for name in due:
        while batch := _claim(session, config, name):
            error = _post(config, name, batch, send)
            went += error is None
            _settle(session, config, name, batch, error)
            if error:
                break
    return went


def send_now(session: Session, config: Config, send: Send = channels.send) -> int:
    """Send without waiting for company: whoever calls this is about to end."""
    session.execute(
        sa.update(Delivery)
        .where(PENDING, col(Delivery.tries) == 0, col(Delivery.next_try_at) > now())
        .values(next_try_at=now())
        .execution_options(synchronize_session=False)
    )
    session.commit()
    return send_due(session, config, send)


def prove(session: Session, config: Config, name: str, send: Send = channels.send) -> str | None:
    """Send a test message to a channel. Returns what went wrong, or None."""
    letter = Letter(
        title="Complaint monitor: a test",
        text=f"This is how alerts reach the channel “{name}”. Nothing is wrong.",
        urgent=False,
        over=True,
        key=f"test:{name}",
    )
    error = _send(config, name, letter, send)
    _note(session, name, error)
    if error is None:
        alerts.resolve(session, f"channel:{name}", config.alerts)
    return error


def _claim(session: Session, config: Config, name: str) -> list[Row]:
    """Take what goes out together now, so that nobody else does."""
    session.rollback()
    lock_writes(session)
    at = now()
    free = sa.or_(col(Delivery.sending_until).is_(None), col(Delivery.sending_until) <= at)
    wanted = [PENDING, free, col(Delivery.channel) == name]
    if config.alerts.is_quiet(at, config.zone):
        wanted.append(col(Delivery.urgent).is_(True))
    # What waits only for company goes with what is due.
    soon = sa.and_(col(Delivery.tries) == 0, col(Delivery.next_try_at) <= at + deliveries.TOGETHER)
    rows = session.exec(
        select(Delivery, Alert)
        .join(Alert, col(Alert.id) == col(Delivery.alert_id), isouter=True)
        .where(*wanted, sa.or_(col(Delivery.next_try_at) <= at, soon))
        .order_by(col(Delivery.id))
        .with_for_update(skip_locked=True, of=Delivery)
        .execution_options(populate_existing=True)
    ).all()
    batch: list[Row] = []
    if any(delivery.next_try_at <= at for delivery, _ in rows):
        for delivery, alert in rows:
            if name not in config.named_channels:
                delivery.dropped_at = at
                delivery.error = "This channel is no longer in the settings."
            elif delivery.message != Message.RESOLVED or _wanted(session, delivery, at):
                batch.append((delivery, alert))
        if config.channels.get(name, "").startswith(channels.APART):
            batch = batch[:1]
        for delivery, _ in batch:
            if delivery.sending_until and PERHAPS_TWICE not in delivery.text:
                delivery.text += f"\n\n{PERHAPS_TWICE}"
            delivery.sending_until = at + LEASE
            delivery.tries += 1
    session.commit()
    for row in batch:
        for part in row:
            if part is not None:
                session.refresh(part)
    session.rollback()
    return batch


def _wanted(session: Session, over: Delivery, at: datetime) -> bool:
    """Whether to tell now that it is over: only where it was told that it fires."""
    same = (
        col(Delivery.alert_id) == over.alert_id,
        col(Delivery.firing) == over.firing,
        col(Delivery.channel) == over.channel,
        col(Delivery.message) != Message.RESOLVED,
    )
    told = select(Delivery).where(*same)
    rows = session.exec(told).all()
    if any(row.sent_at is None and row.sending_until and row.sending_until > at for row in rows):
        over.next_try_at = at + timedelta(seconds=5)  # it is on its way this moment
        return False
    if any(row.sent_at or row.sending_until for row in rows):
        return True
    over.dropped_at = at
    return False


def _post(config: Config, name: str, batch: Sequence[Row], send: Send) -> str | None:
    # Of one alert only the latest word counts.
    latest = {delivery.alert_id: delivery for delivery, _ in batch}
    rows = [row for row in batch if row[1] is None or latest[row[0].alert_id] is row[0]]
    title, text = alert_words.joined([(delivery.title, delivery.text) for delivery, _ in rows])
    letter = Letter(
        title=title,
        text=text,
        urgent=any(delivery.urgent for delivery, _ in rows),
        over=all(delivery.message == Message.RESOLVED for delivery, _ in rows),
        key=rows[0][1].key if len(rows) == 1 and rows[0][1] else "",
    )
    return _send(config, name, letter, send)


def _send(config: Config, name: str, letter: Letter, send: Send) -> str | None:
    address = config.channels.get(name)
    if address is None:
        return f"It has no address: set {channel_variable(name)}."
    return send(address, letter)


def _settle(
    session: Session,
    config: Config,
    name: str,
    batch: Sequence[Row],
    error: str | None,
) -> None:
    """Keep what came of it, at once: until this commit nobody knows that it went."""
    at = now()
    ids = [delivery.id for delivery, _ in batch]
    if error is None:
        values: dict[str, object] = {"sent_at": at, "error": None}
    else:
        tries = max(delivery.tries for delivery, _ in batch)
        wait = WAITS[min(tries, len(WAITS)) - 1]
        values = {"sending_until": None, "error": error, "next_try_at": at + wait}
    session.execute(
        sa.update(Delivery)
        .where(col(Delivery.id).in_(ids))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    session.commit()
    failures = _note(session, name, error)
    if failures == 1:
        log.warning("alerts do not reach the channel %s: %s", name, error)
    if error is None:
        alerts.resolve(session, f"channel:{name}", config.alerts)
    elif failures >= DEAD_AFTER:
        found = Finding(
            key=f"channel:{name}",
            kind=AlertKind.CHANNEL,
            severity=Severity.PAGE,
            title=f"Alerts do not reach the channel “{name}”",
            text=f"The last {failures} tries failed: {error} What it should have told is kept and "
            "tried again. `monitor alert test` tries it now.",
            value=failures,
        )
        alerts.fire(session, found, config.alerts)


def _note(session: Session, name: str, error: str | None) -> int:
    """Keep how a channel fares. Returns how often it has failed in a row."""
    at = now()
    values: dict[str, object] = {"name": name, "failures": int(error is not None), "error": error}
    values["failed_at" if error else "sent_at"] = at
    new = insert(session, Channel).values(**values)
    changed: dict[str, object] = {
        "failures": col(Channel.failures) + 1,
        "error": error,
        "failed_at": at,
    }
    if error is None:
        changed = {"failures": 0, "error": None, "sent_at": at}
    kept = new.on_conflict_do_update(index_elements=["name"], set_=changed)
    failures: int = session.execute(kept.returning(Channel.failures)).scalar_one()
    session.commit()
    return failures
