"""Sees from outside that the engine has stopped: `monitor up` and `monitor dashboard` wait anyway.

An engine cannot tell its own death. The process that started it (or that serves the dashboard of an
engine elsewhere) looks at its sign of life, fires the alert and sends it, as nobody else would.
"""

import logging
import threading
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session

from monitor.config import Config
from monitor.store.models import AlertKind, Severity, now
from monitor.watch.alerting import alert_words, alerts, channels, health, notify
from monitor.watch.alerting.alert_rows import Finding
from monitor.watch.alerting.channels import Send

log = logging.getLogger(__name__)

LOOK_EVERY = 10.0
"""Seconds."""

SILENT_FOR = timedelta(seconds=60)
"""A busy machine makes an engine late, not dead."""

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def look(
    session: Session, config: Config, send: Send = channels.send, *, since: datetime = LONG_AGO
) -> bool:
    """Fire the alert of a dead engine, and send what is due in its stead. Returns whether it is
    dead; one that has never run is not, nor one that may only be slow to start: who looks on
    `since` a moment gives it its time from then."""
    seen = health.health(session).engine_seen_at
    session.rollback()
    if seen is None or now() - max(seen, since) < SILENT_FOR:
        return False
    _fire(session, config, f"It has shown no sign of life for {alert_words.span(now() - seen)}.")
    alerts.tick(session, config.alerts)
    notify.send_due(session, config, send)
    return True


def ended(session: Session, config: Config, part: str, send: Send = channels.send) -> None:
    """A part of the monitor ended by itself, and the others stop with it: tell it now, for good."""
    _fire(session, config, f"The {part} ended by itself, and the monitor stopped with it.")
    notify.send_now(session, config, send)


def start(database: sa.Engine, config: Config) -> None:
    """Look on in a thread that ends with the process."""
    stop, since = threading.Event(), now()

    def run() -> None:
        while not stop.wait(LOOK_EVERY):
            try:
                with Session(database) as session:
                    look(session, config, since=since)
            except Exception:
                # A database that is away for a moment must not end the watch.
                log.exception("cannot look after the engine")

    threading.Thread(target=run, name="lookout", daemon=True).start()


def _fire(session: Session, config: Config, how: str) -> None:
    finding = Finding(
        key="engine",
        kind=AlertKind.ENGINE,
        severity=Severity.PAGE,
        title="The engine has stopped: nothing is collected",
        text=f"{how} Posts, alerts and replies wait for the engine: `monitor up` or `monitor "
        "engine`. Nothing that was collected is lost.",
        address="sources",
    )
    alerts.fire(session, finding, config.alerts)
