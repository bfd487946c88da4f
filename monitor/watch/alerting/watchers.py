"""Looks around every half minute: what is wrong fires, what is over is resolved.

Each look says all that is wrong of its kind; an alert that none of them names any more is over. So
an engine that was killed finds out anew, and two engines say the same.
"""

import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from monitor.config import Config
from monitor.store.models import (
    Alert,
    AlertKind,
    Case,
    CaseStatus,
    Commitment,
    Post,
    Severity,
    SlaResult,
    Source,
    now,
)
from monitor.watch.alerting import alert_words, alerts, health
from monitor.watch.alerting.alerts import Finding
from monitor.watch.alerting.health import Condition
from monitor.watch.detection import silence, surges
from monitor.watch.detection.silence import Silence
from monitor.watch.detection.tally import Tally

LOOK_EVERY = 30.0
"""Seconds."""

NEWS = timedelta(days=1)
"""What is older when it is first seen came with posts of long ago: it is no news."""

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
        self.counted = Tally(self.threshold, size)

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

    def _cases(self, session: Session, at: datetime) -> None:
        kinds = (AlertKind.VIP, AlertKind.REACH, AlertKind.WORD)
        standing = set(
            session.exec(select(Alert.key).where(col(Alert.kind).in_(kinds), alerts.STANDS)).all()
        )
        keep(session, self.config, kinds, grave_cases(session, self.config, at, standing))


def keep(
    session: Session, config: Config, kinds: Sequence[AlertKind], found: Iterable[Finding]
) -> None:
    """Fire what is found; whatever else of these kinds stands is over."""
    found = list(found)
    keys = {finding.key for finding in found}
    standing = session.exec(
        select(Alert.key).where(col(Alert.kind).in_(kinds), alerts.STANDS)
    ).all()
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
    error = alert_words.one_line(source.last_error or "none")[:400]
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


def grave_cases(
    session: Session, config: Config, at: datetime, standing: set[str]
) -> list[Finding]:
    """Complaints that nobody has taken and that matter by themselves: of a VIP, of somebody whom
    many read, with a critical word."""
    settings = config.alerts
    words = [alert_words.one_line(word) for word in settings.words]
    grave = [col(Case.vip).is_(True), col(Case.reach) >= settings.reach]
    if words:
        said = aliased(Post)
        grave.append(
            sa.exists().where(
                col(said.case_id) == col(Case.id),
                col(said.created_at) >= col(Case.waiting_since),
                sa.or_(*(col(said.text).icontains(word, autoescape=True) for word in words)),
            )
        )
    # In no order: asked for one by id, the database goes through every case.
    rows = session.exec(
        select(Case, Post).where(
            col(Case.status) == CaseStatus.OPEN,
            col(Case.assignee).is_(None),
            col(Case.waiting_since).is_not(None),
            col(Post.id) == col(Case.post_id),
            sa.or_(
                col(Case.waiting_since) >= at - NEWS,
                col(Case.id).in_([int(key.partition(":")[2]) for key in standing]),
            ),
            sa.or_(*grave),
        )
    ).all()
    return [
        finding
        for case, post in sorted(rows, key=lambda row: row[0].id)
        if (finding := _grave(session, case, post, config, words)) is not None
    ]


def _grave(
    session: Session, case: Case, post: Post, config: Config, words: list[str]
) -> Finding | None:
    said = _critical(session, case, words)
    if case.vip:
        kind, why = AlertKind.VIP, "a VIP complains"
    elif case.reach >= config.alerts.reach:
        kind, why = AlertKind.REACH, f"a complaint that {case.reach:,} people may read"
    elif said:
        kind, why = AlertKind.WORD, f"a complaint says “{said}”"
    else:
        return None  # the letters are only a part of another word
    more = f" It says “{said}”." if said and kind is not AlertKind.WORD else ""
    quoted = alert_words.quote(post.text, names=config.alerts.show_handles)
    return Finding(
        key=f"case:{case.id}",
        kind=kind,
        severity=Severity.PAGE,
        title=f"{config.company.name}: {why}",
        text=f"Nobody has taken case {case.id} yet.{more}\n“{quoted}” ({post.network})",
        address=f"case?id={case.id}",
        posts=[post.id],
        value=case.reach,
    )


def _critical(session: Session, case: Case, words: list[str]) -> str | None:
    """The first critical word in what the customer waits with, as a word of its own."""
    if not words:
        return None
    texts = session.exec(
        select(Post.text).where(
            col(Post.case_id) == case.id, col(Post.created_at) >= case.waiting_since
        )
    ).all()
    for word in words:
        whole = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
        if any(whole.search(text) for text in texts):
            return word
    return None


def broken_slas(session: Session, config: Config, at: datetime) -> list[Finding]:
    """Promises of the SLA that were broken and whose customers still wait: one alert a day."""
    rows = session.exec(
        select(SlaResult.due_at, SlaResult.at, Case.id)
        .join(Case, col(Case.id) == col(SlaResult.case_id))
        .where(
            col(SlaResult.met).is_(False),
            col(SlaResult.due_at) >= at - 2 * NEWS,
            col(Case.status) == CaseStatus.OPEN,
            col(Case.waiting_since).is_not(None),
        )
        .order_by(col(SlaResult.due_at))
    ).all()
    days: dict[str, list[int]] = {}
    for due_at, found_at, case_id in rows:
        if found_at > due_at + NEWS:
            continue
        days.setdefault(f"{due_at.astimezone(config.zone):%Y-%m-%d}", []).append(case_id)
    found = []
    for day, ids in days.items():
        cases = list(dict.fromkeys(ids))
        many = f"{len(cases)} promises" if len(cases) > 1 else "A promise"
        named = ", ".join(f"{case_id}" for case_id in cases[:10])
        found.append(
            Finding(
                key=f"sla:{day}",
                kind=AlertKind.SLA,
                severity=Severity.TICKET,
                title=f"{many} of {day} broken, and the customers still wait",
                text=f"Cases, the longest overdue first: {named}"
                f"{' ...' if len(cases) > 10 else '.'}",
                address="work_queue?breaching=true&sort=Due+soonest",
                value=len(cases),
            )
        )
    return found


def broken_promises(session: Session, config: Config, at: datetime) -> list[Finding]:
    """What was promised to a customer by a person and is due."""
    rows = session.exec(
        select(Commitment)
        .where(
            col(Commitment.due_at) <= at,
            col(Commitment.kept_at).is_(None),
            col(Commitment.dropped_at).is_(None),
        )
        .order_by(col(Commitment.due_at))
        .limit(100)
    ).all()
    return [
        Finding(
            key=f"promise:{row.id}",
            kind=AlertKind.PROMISE,
            severity=Severity.TICKET,
            title=f"A promise to a customer is due: case {row.case_id}",
            text=f"{row.owner} promised by {row.due_at.astimezone(config.zone):%a %d %b %H:%M}: "
            f"“{alert_words.quote(row.text, names=config.alerts.show_handles)}”",
            address=f"case?id={row.case_id}",
        )
        for row in rows
    ]
