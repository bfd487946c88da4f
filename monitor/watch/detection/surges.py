"""Tells a surge of complaints: of all of them, on one network, in one source, in one incident."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.alert_settings import AlertSettings
from monitor.desk.page.repeats import plain
from monitor.store.models import (
    Alert,
    AlertKind,
    AlertState,
    Author,
    Incident,
    IncidentStatus,
    Post,
    Severity,
    Source,
)
from monitor.watch.alerting import alert_words, alerts
from monitor.watch.alerting.alert_rows import STANDS, Finding
from monitor.watch.detection import spikes, tally
from monitor.watch.detection.surge_cases import cases_of
from monitor.watch.detection.tally import ALL, Tally
from monitor.watch.detection.usual import Counts

STANDING = (IncidentStatus.OPEN, IncidentStatus.WATCHING)


@dataclass(frozen=True)
class Watched:
    """One thing that is counted."""

    series: str
    name: str
    where: tuple[sa.ColumnElement[bool], ...] = ()
    """Conditions of its posts."""
    address: tuple[tuple[str, str], ...] = ()
    """The same in the address of the page that lists its cases."""

    @property
    def key(self) -> str:
        """The alert's."""
        return f"spike:{self.series}"


def detector(settings: AlertSettings) -> spikes.Settings:
    """The detector as it is configured: what is set for a fast surge holds in proportion for the
    slow one, smaller and longer."""
    default = spikes.DEFAULT
    ratio = settings.spike_ratio or default.fast_ratio
    excess = settings.spike_excess or default.fast_excess
    return replace(
        default,
        fast_ratio=ratio,
        fast_excess=excess,
        slow_ratio=max(1.2, default.slow_ratio * ratio / default.fast_ratio),
        slow_excess=max(1, round(default.slow_excess * excess / default.fast_excess)),
    )


def watched(
    session: Session, company: str, tables: Sequence[str], *, handles: bool
) -> list[Watched]:
    """All that is watched, the widest first. With one network, or one source, it is the same."""
    names = dict(session.exec(select(Source.id, Source.name)).all())
    networks = sorted(name for name in tables if name.startswith("network:"))
    sources = sorted(name for name in tables if name.startswith("source:"))
    found = [Watched(ALL, company)]
    for series in networks if len(networks) > 1 else []:
        network = series.partition(":")[2]
        found.append(
            Watched(
                series,
                f"{company} on {network}",
                (col(Post.network) == network,),
                (("network", network),),
            )
        )
    for series in sources if len(sources) > 1 else []:
        source_id = int(series.partition(":")[2])
        name = names.get(source_id, "?")
        where = (col(Post.source_id) == source_id,)
        found.append(Watched(series, f"{company} in {name}", where, (("source", name),)))
    standing = select(Incident).where(col(Incident.status).in_(STANDING))
    for incident in session.exec(standing.order_by(col(Incident.id))):
        where = (col(Post.case_id).in_(cases_of(incident.id)),)
        series = f"incident:{incident.id}"
        # A proposed title is made of what strangers wrote.
        name = f"“{alert_words.quote(incident.title, names=handles, most=80)}”"
        found.append(Watched(series, name, where, (("incident", str(incident.id)),)))
    return found


def look(
    session: Session,
    counted: Tally,
    company: str,
    settings: AlertSettings,
    zone: ZoneInfo,
    at: datetime,
    deaf: frozenset[int],
) -> None:
    """Fire and resolve the alerts of surges. `deaf` sources are silent themselves: no surge of
    theirs is told, and while all of it surges, its parts are shown but not told."""
    counted.look(session, at)
    rules = detector(settings)
    everything = watched(session, company, list(counted.tables), handles=settings.show_handles)
    covered = False
    for one in everything:
        counts = counted.counts(one.series)
        if one.series.startswith("incident:"):
            counts = _of_incident(session, one, counted, at)
        muted = covered or one.series in {f"source:{source_id}" for source_id in deaf}
        if counts is not None:
            fires = _judge(session, one, counts, counted, settings, rules, zone, muted=muted)
            covered = covered or (one.series == ALL and fires)
    # What is watched no longer surges no longer.
    keys = [one.key for one in everything]
    gone = select(Alert.key).where(
        col(Alert.kind) == AlertKind.SPIKE, STANDS, col(Alert.key).not_in(keys)
    )
    for key in session.exec(gone).all():
        alerts.resolve(session, key, settings)


def _judge(
    session: Session,
    one: Watched,
    counts: Counts,
    counted: Tally,
    settings: AlertSettings,
    rules: spikes.Settings,
    zone: ZoneInfo,
    *,
    muted: bool,
) -> bool:
    """Whether it surges; its alert follows."""
    alert = session.exec(
        select(Alert)
        .where(col(Alert.key) == one.key, col(Alert.state) != AlertState.RESOLVED)
        .execution_options(populate_existing=True)
    ).first()
    before = remembered(alert.memory) if alert else None
    said = spikes.verdict(counts, before, rules)
    if said.opening is None:
        if alert is not None:
            alerts.resolve(session, one.key, settings)
        return False
    found = _finding(session, one, said, said.opening, counted, settings, zone)
    if alert is not None and said.count < (alert.peak or 0):
        # Its peak tells what it was; while it ebbs away the words stay.
        posts = [int(post_id) for post_id in alert.posts.split(",") if post_id]
        found = replace(found, title=alert.title, text=alert.text, posts=posts)
    alerts.fire(session, found, settings, mute=muted)
    return True


def memory(opening: spikes.Opening) -> str:
    """What is stored of an open alert."""
    return f"{opening.since.isoformat()} {opening.severity} {opening.kind}"


def remembered(text: str) -> spikes.Opening | None:
    """What was stored of an open alert."""
    try:
        since, severity, kind = text.split()
        return spikes.Opening(
            datetime.fromisoformat(since), spikes.Severity(severity), spikes.Kind(kind)
        )
    except ValueError:
        return None


def _finding(
    session: Session,
    one: Watched,
    said: spikes.Verdict,
    opening: spikes.Opening,
    counted: Tally,
    settings: AlertSettings,
    zone: ZoneInfo,
) -> Finding:
    hours = 3 if opening.kind is spikes.Kind.SLOW else 1
    window = "3 hours" if hours == 3 else "an hour"
    usual = f"{said.expected:.1f}".removesuffix(".0")
    posts = _posts(session, one, said.at - timedelta(hours=hours), said.at, counted.threshold)
    networks: dict[str, int] = {}
    for post in posts:
        networks[post.network] = networks.get(post.network, 0) + 1
    lines = [
        f"{said.count} complaints in {window} (until {said.at.astimezone(zone):%H:%M}); usual at "
        f"this time are {usual}: {said.ratio:.1f} times as many. "
        f"It has fired since {opening.since.astimezone(zone):%a %d %b %H:%M}."
    ]
    if len(networks) > 1:
        most = sorted(networks.items(), key=lambda pair: -pair[1])[:3]
        lines.append("Most of them: " + ", ".join(f"{name} {n}" for name, n in most) + ".")
    shown = posts[:3]
    lines += [
        f"“{alert_words.quote(post.text, names=settings.show_handles)}” ({post.network})"
        for post in shown
    ]
    since = opening.since - timedelta(hours=hours)
    return Finding(
        key=one.key,
        kind=AlertKind.SPIKE,
        severity=Severity(opening.severity),
        title=f"{one.name}: {said.count} complaints in {window}, {said.ratio:.1f} times the usual",
        text="\n".join(lines),
        address=urlencode([("since", since.isoformat()), *one.address]),
        posts=[post.id for post in shown],
        memory=memory(opening),
        value=said.count,
        usual=said.expected,
    )


def _posts(
    session: Session, one: Watched, since: datetime, until: datetime, threshold: float
) -> list[Post]:
    """Complaints of a time that show it: the gravest first, each author and each text once."""
    found = session.exec(
        select(Post)
        .join(Author, col(Author.id) == col(Post.author_id))
        .where(
            col(Post.created_at) >= since,
            col(Post.created_at) < until,
            col(Post.complaint) >= threshold,
            col(Post.repost_of).is_(None),
            col(Post.deleted_at).is_(None),
            col(Author.own).is_(False),
            col(Author.blocked).is_(False),
            *one.where,
        )
        .order_by(sa.func.coalesce(col(Post.severity), 0.0).desc(), col(Post.id).desc())
        .limit(500)
    ).all()
    authors, texts, shown = set(), set(), []
    for post in found:
        letters = plain(post.text)
        if post.author_id not in authors and letters not in texts:
            authors.add(post.author_id)
            texts.add(letters)
            shown.append(post)
    return shown


def _of_incident(session: Session, one: Watched, counted: Tally, at: datetime) -> Counts | None:
    """The counts of an incident: few posts, read each time, as cases come and go."""
    if counted.start is None:
        return None
    table = np.zeros((3, counted.size), np.int64)
    tables = {ALL: table}
    rows = tally.read(session, counted.start, tally.floor(at), counted.threshold, *one.where)
    tally.count(rows, tables, counted.start, counted.start, counted.size)
    return tally.counts(table, counted.start, counted.dead.get(ALL))
