"""How often an alert of surges would have fired: what the engine would have said, bucket by bucket,
of the posts that there are now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.models import Post, Severity, Source
from monitor.watch.detection import outages, spikes, tally
from monitor.watch.detection.tally import ALL, BUCKET, Table

LONGEST = 180
"""Days back at most."""


@dataclass(frozen=True)
class Firing:
    """One time that it would have fired."""

    began: datetime
    ended: datetime | None
    """None: it fires now."""
    severity: Severity
    """The gravest."""
    peak: int
    """Complaints in the hour, or in three of a slow one, when there were most."""
    usual: float
    """At that time."""


@dataclass(frozen=True)
class Backtest:
    """What a rule would have done."""

    days: int
    firings: list[Firing]
    learned_since: datetime | None
    """From when on it could have fired; None: never, as there are too few days of posts."""
    by_day: list[tuple[str, int]]
    """Counted complaints by day of the zone that was asked for."""


def backtest(
    session: Session,
    threshold: float,
    rules: spikes.Settings,
    days: int,
    at: datetime,
    every: Mapping[str, timedelta],
    *,
    network: str | None = None,
    source: str | None = None,
    zone: tzinfo = UTC,
) -> Backtest:
    """Run the rule over the last `days` days: over everything, a network, or a source. `every` says
    how often each source is fetched, by name."""
    days = max(1, min(days, LONGEST))
    end = tally.floor(at)
    size = days * rules.day + rules.history
    start = end - size * BUCKET
    conditions: list[sa.ColumnElement[bool]] = []
    if network is not None:
        conditions.append(col(Post.network) == network)
    if source is not None:
        named = sa.select(col(Source.id)).where(col(Source.name) == source)
        conditions.append(col(Post.source_id).in_(named))
    tables: dict[str, Table] = {}
    rows = tally.read(session, start, end, threshold, *conditions)
    members = tally.count(rows, tables, start, start, size)
    session.rollback()
    if ALL not in tables:
        return Backtest(days, [], None, [])
    posts = tally.posts_of_sources(tables)
    dead = outages.dead(session, posts, members, start, end, every)
    counts = tally.counts(tables[ALL], start, dead.get(ALL))
    since = end - timedelta(days=days)
    verdicts = [said for said in spikes.run(counts, rules) if said.at > since]
    learned = next((v.at for v in verdicts if v.state is not spikes.State.LEARNING), None)
    by_day: dict[str, int] = {}
    for place, number in enumerate(counts.complaints[size - days * rules.day :]):
        day = f"{(since + place * BUCKET).astimezone(zone):%Y-%m-%d}"
        by_day[day] = by_day.get(day, 0) + int(number)
    return Backtest(days, firings(verdicts), learned, list(by_day.items()))


def firings(verdicts: Sequence[spikes.Verdict]) -> list[Firing]:
    """The times of firing among verdicts in a row, the newest first."""
    found: list[Firing] = []
    run: list[spikes.Verdict] = []
    for said in verdicts:
        if said.opening is not None:
            run.append(said)
        elif run:
            found.append(_firing(run, said.at))
            run = []
    if run:
        found.append(_firing(run, None))
    return found[::-1]


def _firing(run: Sequence[spikes.Verdict], ended: datetime | None) -> Firing:
    most = max(run, key=lambda said: said.count)
    paged = any(v.opening and v.opening.severity is spikes.Severity.PAGE for v in run)
    severity = Severity.PAGE if paged else Severity.TICKET
    return Firing(run[0].at, ended, severity, most.count, most.expected)


def choices(session: Session) -> tuple[list[str], list[str]]:
    """The networks and the sources that a rule can be tried on."""
    names = session.exec(select(Source.name).order_by(col(Source.name))).all()
    networks: list[str] = []
    while True:  # one seek each
        after = networks[-1] if networks else ""
        query = select(sa.func.min(col(Post.network))).where(col(Post.network) > after)
        found = session.exec(query).one()
        if found is None:
            return networks, list(names)
        networks.append(found)
