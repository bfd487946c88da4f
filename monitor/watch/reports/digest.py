"""The week in a message, once a week: written for each channel here, sent by whoever sends alerts.

Saved before it is sent, and once however many engines there are: the channel and the week are its
key in the table of deliveries.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.config import Config
from monitor.hours import DAYS
from monitor.store.db import insert
from monitor.store.models import Delivery, Message, now
from monitor.watch.reports.report import Weekly, weekly
from monitor.watch.reports.wording import change, length, length_change, share, share_change
from monitor.watch.trends.overview import rules_of
from monitor.watch.trends.periods import Period, name_of_week, week_of
from monitor.watch.trends.response import WAITED

LATE = timedelta(days=2)
"""How late a digest is still worth a look: an engine that was down, or settings that are new."""

TOPICS = 5


def queue_digest(database: sa.Engine, config: Config, threshold: float) -> int:
    """Write last week's digest for every channel that has none, once it is time.

    Returns how many were written: 0 before its hour, long after it, and by whoever comes second.
    """
    at = now()
    # One that is due at the weekend may be late in the week after.
    for week in (week_of(at, config.zone, back=back) for back in (1, 2)):
        due = due_at(config, week)
        if due <= at < due + LATE:
            return _queue(database, config, threshold, week, at)
    return 0


def _queue(
    database: sa.Engine, config: Config, threshold: float, week: Period, at: datetime
) -> int:
    key = f"digest:{name_of_week(week)}"
    with Session(database) as session:
        query = select(Delivery.channel).where(col(Delivery.key) == key)
        known = set(session.exec(query))
    missing = [name for name in dict.fromkeys(config.digest.channels) if name not in known]
    if not missing:
        return 0
    told = weekly(database, config.company.name, week, rules_of(config, threshold), at)
    with Session(database) as session:
        written = [_write(session, channel, key, told) for channel in missing]
        session.commit()
    return sum(written)


def due_at(config: Config, week: Period) -> datetime:
    """When the digest of a week is due, by the clock of the team, in UTC."""
    day = week.last + timedelta(days=1 + DAYS.index(config.digest.weekday))
    return datetime.combine(day, config.digest.at, config.zone).astimezone(UTC)


def _write(session: Session, channel: str, key: str, told: Weekly) -> int:
    values = {
        "channel": channel,
        "key": key,
        "title": title(told),
        "text": words(told),
        "urgent": False,
        "created_at": now(),
        "next_try_at": now(),
        "tries": 0,
        "firing": 0,
        "message": Message.DIGEST,
    }
    statement = insert(session, Delivery).values(**values)
    once = statement.on_conflict_do_nothing(index_elements=["channel", "key"])
    return int(session.execute(once.returning(col(Delivery.id))).first() is not None)


def title(told: Weekly) -> str:
    """The subject."""
    number = told.told.volumes.totals.complaints
    return f"{told.company}: {number:,} complaints in {name_of_week(told.told.period)}"


def words(week: Weekly) -> str:
    """The message: counts, and words of our own about them. No stranger's text but topics."""
    told = week.told
    now_, then = told.volumes.totals, told.volumes.totals_before
    present, before = told.response, told.response_before
    lines = [
        f"{told.period}, against the week before.",
        "",
        f"Complaints: {now_.complaints:,}, {change(now_.complaints, then.complaints)}",
        f"Share of all posts: {share(now_.share)}, {share_change(now_.share, then.share)}",
        f"Authors: {now_.authors:,}, {change(now_.authors, then.authors)}",
        f"Answered, of all {present.found.cases:,} cases found: {share(present.found.rate)}, "
        f"{share_change(present.found.rate, before.found.rate)}",
    ]
    for name, called in WAITED.items():
        clock, earlier = present.times[name].clock, before.times[name].clock
        if clock.number:
            lines.append(
                f"{called}: median {length(clock.median)}, 90% within {length(clock.p90)}, "
                f"median {length_change(clock.median, earlier.median)}"
            )
    if present.sla_rate is not None:
        lines.append(f"SLA promises met: {share(present.sla_rate)}")
    if present.kept.rate is not None:
        lines.append(
            f"Promises to customers: {present.kept.kept:,} kept, {present.kept.late:,} late, "
            f"{present.kept.broken:,} broken"
        )
    lines.append(f"Never answered, now: {sum(age.number for age in told.ages):,}")
    if week.topics.topics:
        lines += ["", "New this week (authors, before):"]
        lines += [
            f"- {topic.words} ({topic.authors:,}, {topic.before:,})"
            for topic in week.topics.topics[:TOPICS]
        ]
    return "\n".join(lines)
