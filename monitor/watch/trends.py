"""What managers look at: complaints and answers by day and network."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.models import BY_HAND, Author, Case, CaseStatus, Outcome, Post, now


@dataclass(frozen=True)
class Day:
    """Counts of one day, in the team's time zone, on one network."""

    day: date
    network: str
    posts: int
    """Public posts of others about us; no reposts, and nothing that was written down by hand."""
    complaints: int
    """Of these, the ones that opened or joined a case as complaints."""
    answered: int
    """Cases that got their first answer on this day."""


@dataclass(frozen=True)
class Summary:
    """Figures of a period; medians in hours, None where there is nothing to measure."""

    posts: int
    complaints: int
    cases: int
    """Cases opened in the period."""
    answered: int
    """Of these, the ones that we answered at least once."""
    dismissed: int
    """Of these, closed without an answer being needed; they count in the response rate."""
    median_first_response: float | None

    @property
    def response_rate(self) -> float | None:
        """Cases answered out of all cases found, dismissed ones included, 0 to 1."""
        return self.answered / self.cases if self.cases else None


def by_day(session: Session, zone: ZoneInfo, days: int, threshold: float) -> list[Day]:
    """Counts of the last `days` days, today included, oldest first, one per day and network.

    Counted by the hour in the database and folded into the team's days here, as SQLite knows no
    time zones.
    """
    since = _midnight(zone, days)
    counts: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    theirs = _theirs(since)
    for position, conditions in ((0, theirs), (1, [*theirs, col(Post.complaint) >= threshold])):
        hour = _hour(session, col(Post.created_at))
        query = (
            select(hour, col(Post.network), sa.func.count())
            .join(Author, col(Author.id) == col(Post.author_id))
            .where(*conditions)
            .group_by(hour, col(Post.network))
        )
        for at, network, number in session.exec(query):
            counts[_day(at, zone), network][position] += number
    hour = _hour(session, col(Case.first_answered_at))
    answers = (
        select(hour, col(Case.network), sa.func.count())
        .where(col(Case.first_answered_at) >= since, _own_case())
        .group_by(hour, col(Case.network))
    )
    for at, network, number in session.exec(answers):
        counts[_day(at, zone), network][2] += number
    return [Day(day, network, *numbers) for (day, network), numbers in sorted(counts.items())]


def summary(session: Session, zone: ZoneInfo, days: int, threshold: float) -> Summary:
    """Figures of the last `days` days, today included."""
    since = _midnight(zone, days)
    posts, complaints = session.exec(
        select(
            sa.func.count(),
            sa.func.coalesce(
                sa.func.sum(sa.case((col(Post.complaint) >= threshold, 1), else_=0)), 0
            ),
        )
        .select_from(Post)
        .join(Author, col(Author.id) == col(Post.author_id))
        .where(*_theirs(since))
    ).one()
    opened = col(Case.opened_at) >= since
    cases, answered, dismissed = session.exec(
        select(
            sa.func.count(),
            sa.func.count(col(Case.first_answered_at)),
            sa.func.coalesce(
                sa.func.sum(sa.case((col(Case.outcome) == Outcome.DISMISSED, 1), else_=0)), 0
            ),
        )
        .select_from(Case)
        .where(opened, _own_case())
    ).one()
    return Summary(posts, complaints, cases, answered, dismissed, _median_hours(session, opened))


def never_answered(session: Session, limit: int = 10) -> list[tuple[Case, Author]]:
    """Standing cases that nobody has ever answered, the oldest first."""
    query = (
        select(Case, Author)
        .where(
            col(Author.id) == col(Case.author_id),
            col(Case.first_answered_at).is_(None),
            col(Case.status) != CaseStatus.RESOLVED,
        )
        .order_by(col(Case.opened_at))
        .limit(limit)
    )
    return [(case, author) for case, author in session.exec(query)]


def _own_case() -> sa.ColumnElement[bool]:
    """One that goes on in another case is no case of its own."""
    return col(Case.merged_into).is_(None)


def _theirs(since: datetime) -> list[sa.ColumnElement[bool]]:
    return [
        col(Post.created_at) >= since,
        col(Post.repost_of).is_(None),
        col(Post.network) != BY_HAND,
        col(Author.own).is_(False),
    ]


def _median_hours(session: Session, opened: sa.ColumnElement[bool]) -> float | None:
    times = session.exec(
        select(Case.opened_at, Case.first_answered_at).where(
            opened, _own_case(), col(Case.first_answered_at).is_not(None)
        )
    ).all()
    waits = sorted((answer - start).total_seconds() for start, answer in times if answer)
    if not waits:
        return None
    middle = len(waits) // 2
    median = waits[middle] if len(waits) % 2 else (waits[middle - 1] + waits[middle]) / 2
    return median / 3600


def _midnight(zone: ZoneInfo, days: int) -> datetime:
    """When the first of the last `days` days began."""
    today = now().astimezone(zone).date()
    first = datetime.combine(today - timedelta(days=days - 1), datetime.min.time(), zone)
    return first.astimezone(UTC)


def _hour(session: Session, column: Any) -> Any:
    """The UTC hour of a time, as text such as 2026-11-23 14."""
    if session.get_bind().dialect.name == "sqlite":
        return sa.func.substr(sa.cast(column, sa.Text), 1, 13)
    return sa.func.to_char(sa.func.timezone("UTC", column), "YYYY-MM-DD HH24")


def _day(hour: str, zone: ZoneInfo) -> date:
    return datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC).astimezone(zone).date()
