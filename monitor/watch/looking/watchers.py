"""Looks around every half minute: what is wrong fires, what is over is resolved.

Each look says all that is wrong of its kind; an alert that none of them names any more is over. So
an engine that was killed finds out anew, and two engines say the same.
"""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session, col, select

from monitor.config import Config
from monitor.store.models import (
    Alert,
    AlertKind,
    Severity,
    Source,
    now,
)
from monitor.watch.alerting import alert_words, alerts, health
from monitor.watch.alerting.alert_rows import STANDS, Finding
from monitor.watch.alerting.health import Condition
from monitor.watch.detection import silence, surges
from monitor.watch.detection.silence import Silence
from monitor.watch.detection.tally import Tally
from monitor.watch.looking.broken_promises import broken_promises, broken_slas
from monitor.watch.looking.grave_cases import grave_cases

LOOK_EVERY = 30.0
"""Seconds."""

FEW = 3
"""Failed fetches in a row are the network's everyday life."""


@dataclass
class Watchers:
    """What has to be remembered from one look to the next, all of it found again after a start."""

    config: Config
    threshold: float
    counted: Tally = field(init=False)
    backlog: int = 0

    def __post_init__(self) -> None:
        """Keep as many buckets as the detectors look back on."""
        size = surges.detector(self.config.alerts).history + 144
        self.counted = Tally(self.threshold, size, self.config.every)

    def look(self, session: Session) -> None:
        """Look at everything once."""
        at, settings, config = now(), self.config.alerts, self.config
        deaf = self._sources(session, at)
        surges.look(
            session, self.counted, config.company.name, settings, config.zone, at, frozenset(deaf)
        )
        self._backlog(session)
        self._disk(session)
        self._cases(session, at)
        keep(session, self.config, (AlertKind.SLA,), broken_slas(session, self.config, at))
        promises = broken_promises(session, self.config, at)
        keep(session, self.config, (AlertKind.PROMISE,), promises)
        self._channels(session)
        alerts.resolve(session, "engine", settings)

    def _sources(self, session: Session, at: datetime) -> list[int]:
        """Sources that fail, are off, or bring nothing though they answer. Returns whose surges
        mean nothing for that."""
        found, deaf = [], []
        for source in session.exec(select(Source).order_by(col(Source.id))).all():
            wrong = _failing(source, self.config, at)
            counts = self.counted.counts(f"source:{source.id}")
            if wrong is None and counts is not None and source.configured:
                configured = self.config.sources.get(source.name)
                every = configured.every if configured else timedelta(minutes=5)
                feed = silence.silent(counts, source.last_success_at, at, every)
                if feed.silence is Silence.SILENT:
                    wrong = _silent(source, feed, self.config)
            if wrong is not None:
                found.append(wrong)
                deaf.append(source.id)
        session.rollback()
        keep(session, self.config, (AlertKind.SOURCE, AlertKind.SILENCE), found)
        return deaf

    def _backlog(self, session: Session) -> None:
        """More posts wait than the engine can chew. One that shrinks is being dealt with."""
        found = health.health(session)
        session.rollback()
        waiting, before = found.to_score + found.to_triage, self.backlog
        self.backlog = waiting
        limit = self.config.alerts.backlog
        if waiting >= limit and waiting >= before > 0:
            text = (
                f"{waiting:,} posts wait to be read, and they do not get fewer: complaints among "
                "them appear late. Start another engine, or look whether this one is stuck."
            )
            finding = Finding(
                key="backlog",
                kind=AlertKind.BACKLOG,
                severity=Severity.TICKET,
                title=f"{waiting:,} posts wait to be read",
                text=text,
                address="sources",
                value=waiting,
            )
            alerts.fire(session, finding, self.config.alerts)
        elif waiting < limit / 2:
            alerts.resolve(session, "backlog", self.config.alerts)

    def _disk(self, session: Session) -> None:
        url = session.get_bind().engine.url
        if url.get_backend_name() != "sqlite" or not url.database:
            return
        disk = shutil.disk_usage(Path(url.database).parent)
        free, limit = disk.free / disk.total, self.config.alerts.disk_free
        if free < limit:
            finding = Finding(
                key="disk",
                kind=AlertKind.DISK,
                severity=Severity.PAGE,
                title=f"The disk is nearly full: {free:.1%} is free",
                text=f"{disk.free / 1e9:.1f} GB are left where the database is. When it is full, "
                "nothing is collected and nothing can be answered.",
                address="sources",
                value=free,
            )
            alerts.fire(session, finding, self.config.alerts)
        elif free > limit * 1.2:
            alerts.resolve(session, "disk", self.config.alerts)

    def _channels(self, session: Session) -> None:
        """A channel that is gone from the settings is used no more: nothing else ends its alert."""
        used = {f"channel:{name}" for name in self.config.named_channels}
        told = select(Alert.key).where(col(Alert.kind) == AlertKind.CHANNEL, STANDS)
        for key in session.exec(told).all():
            if key not in used:
                alerts.resolve(session, key, self.config.alerts)

    def _cases(self, session: Session, at: datetime) -> None:
        kinds = (AlertKind.VIP, AlertKind.REACH, AlertKind.WORD)
        standing = set(
            session.exec(select(Alert.key).where(col(Alert.kind).in_(kinds), STANDS)).all()
        )
        keep(session, self.config, kinds, grave_cases(session, self.config, at, standing))


def keep(
    session: Session, config: Config, kinds: Sequence[AlertKind], found: Iterable[Finding]
) -> None:
    """Fire what is found; whatever else of these kinds stands is over."""
    found = list(found)
    keys = {finding.key for finding in found}
    standing = session.exec(select(Alert.key).where(col(Alert.kind).in_(kinds), STANDS)).all()
    for finding in found:
        alerts.fire(session, finding, config.alerts)
    for key in standing:
        if key not in keys:
            alerts.resolve(session, key, config.alerts)
    session.rollback()


def _failing(source: Source, config: Config, at: datetime) -> Finding | None:
    """A source that is off, or has failed for long: nothing comes in from there."""
    condition = health.condition(source)
    configured = config.sources.get(source.name)
    patience = silence.DEFAULT.late
    if configured is not None:
        patience = max(patience, 3 * configured.every)
    if condition is Condition.OFF:
        title = f"Source {source.name} is off: only a person can mend it"
    elif condition is not Condition.FAILING or source.failures < FEW:
        return None
    elif source.last_success_at is None:
        title = f"Source {source.name} has never worked"
    elif at - source.last_success_at > patience:
        title = (
            f"Source {source.name} has failed for {alert_words.span(at - source.last_success_at)}"
        )
    else:
        return None
    # It may repeat what strangers wrote, or an address with a token in it.
    told = source.last_error or "none"
    error = alert_words.quote(told, names=config.alerts.show_handles, most=400)
    return Finding(
        key=f"source:{source.name}",
        kind=AlertKind.SOURCE,
        severity=Severity.TICKET if source.last_success_at is None else Severity.PAGE,
        title=title,
        text=f"Nothing comes in from there. The last error: {error}",
        address="sources",
        value=source.failures,
    )


def _silent(source: Source, feed: silence.Feed, config: Config) -> Finding:
    since = feed.since.astimezone(config.zone) if feed.since else None
    return Finding(
        key=f"silence:{source.name}",
        kind=AlertKind.SILENCE,
        severity=Severity.PAGE,
        title=f"Source {source.name} is silent",
        text=f"It answers without an error but brings nothing since {since:%a %d %b %H:%M}; usual "
        f"are {feed.an_hour:.0f} posts an hour, so at least {feed.missing:.0f} are missing.",
        address="sources",
        value=feed.missing,
        usual=feed.an_hour,
    )
