"""How much is complained about: by time and by a dimension, against the period before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from monitor.store.models import Post
from monitor.watch.trends.conditions import Rules
from monitor.watch.trends.counting import (
    conditions,
    count,
    grouped,
    named,
    value_of,
)
from monitor.watch.trends.measures import Asked, Kind
from monitor.watch.trends.periods import Period

PARTS = {
    "network": "Network",
    "source": "Source and its query",
    "language": "Language",
    "tag": "Tag",
    "incident": "Incident",
}
"""What volumes can be broken down by, in words."""

OF_CASES = ("tag", "incident")
"""Put on cases by people: a post without a case has none, one with a case may have several."""


@dataclass(frozen=True)
class Totals:
    """What a period came to."""

    posts: int
    complaints: int
    authors: int
    """Who wrote the complaints, each once."""

    @property
    def share(self) -> float | None:
        """Complaints of all posts, 0 to 1; None where there were no posts."""
        return self.complaints / self.posts if self.posts else None


@dataclass(frozen=True)
class Cell:
    """One bar: a day or an hour, and one value of the dimension."""

    begins: datetime
    ends: datetime
    value: str
    posts: int | None
    """None by tag and incident, which only complaints have."""
    complaints: int


@dataclass(frozen=True)
class Part:
    """One line of the breakdown; None is what cannot be said of that dimension."""

    value: str
    posts: int | None
    complaints: int
    complaints_before: int
    authors: int
    cases: int
    answered: int

    @property
    def share(self) -> float | None:
        """Complaints of all posts, 0 to 1."""
        return self.complaints / self.posts if self.posts else None


@dataclass(frozen=True)
class Volumes:
    """The first half of the page."""

    period: Period
    before: Period
    totals: Totals
    totals_before: Totals
    cells: list[Cell]
    parts: list[Part]


def volumes(
    session: Session, period: Period, by: str, rules: Rules, at: datetime, *, hourly: bool = False
) -> Volumes:
    """Posts and complaints of a period by time and by a dimension, against the one before.

    Counted from an index that has every column that is asked for, in as few goes as can be.
    """
    before = period.before(at)
    posts = Asked("posts", period.begins, period.ends)
    posts_before = Asked("posts", before.begins, before.ends)
    cells = [
        Cell(begins, ends, value, number, complaints)
        for begins, ends in period.buckets(hourly=hourly)
        for value, (number, complaints) in _both(
            session, Asked("posts", begins, ends), by, rules
        ).items()
    ]
    present = _complaints(session, posts, by, rules)
    then = _complaints(session, posts_before, by, rules)
    if by in OF_CASES:
        number = count(session, posts, rules)
    else:  # each post has one network, one source, one language
        number = sum(cell.posts or 0 for cell in cells)
    return Volumes(
        period,
        before,
        _totals(session, posts, by, rules, number, present),
        _totals(session, posts_before, by, rules, count(session, posts_before, rules), then),
        cells,
        _parts(session, posts, by, rules, cells, present, then),
    )


def _both(
    session: Session, posts: Asked, by: str, rules: Rules
) -> dict[str, tuple[int | None, int]]:
    """Posts and complaints by value, in one go over the index."""
    if by in OF_CASES:
        complaints = grouped(session, posts.other("complaints"), by, rules)
        return {value: (None, number) for value, number in sorted(complaints.items())}
    value, _ = value_of(Kind.POST, by)
    flagged: Any = sa.case((col(Post.complaint) >= rules.threshold, 1), else_=0)
    rows = session.execute(
        sa.select(value, sa.func.count(), sa.func.sum(flagged))
        .where(*conditions(posts, rules))
        .group_by(value)
    ).all()
    return _named(session, by, rows)


def _complaints(
    session: Session, posts: Asked, by: str, rules: Rules
) -> dict[str, tuple[int | None, int]]:
    """Complaints and their authors by value, in one go."""
    value, joins = value_of(Kind.POST, by)
    query = sa.select(
        value, sa.func.count(), sa.func.count(sa.distinct(col(Post.author_id)))
    ).select_from(Post)
    for table, on in joins:
        query = query.join(table, on)
    complaints = conditions(posts.other("complaints"), rules)
    return _named(session, by, session.execute(query.where(*complaints).group_by(value)).all())


def _named(session: Session, by: str, rows: Sequence[Any]) -> dict[str, tuple[int | None, int]]:
    first = named(session, by, [(row[0], row[1]) for row in rows])
    second = named(session, by, [(row[0], row[2]) for row in rows])
    return {value: (first[value], second[value]) for value in sorted(first)}


def _totals(
    session: Session,
    posts: Asked,
    by: str,
    rules: Rules,
    number: int,
    found: dict[str, tuple[int | None, int]],
) -> Totals:
    """The sums of what was found by value, where they are the whole."""
    if by in OF_CASES:
        complaints = count(session, posts.other("complaints"), rules)
    else:
        complaints = sum(part or 0 for part, _ in found.values())
    if by == "network":  # an author is one of one network
        return Totals(number, complaints, sum(authors for _, authors in found.values()))
    return Totals(number, complaints, count(session, posts.other("authors"), rules))


def _parts(
    session: Session,
    posts: Asked,
    by: str,
    rules: Rules,
    cells: list[Cell],
    present: dict[str, tuple[int | None, int]],
    before: dict[str, tuple[int | None, int]],
) -> list[Part]:
    numbers: dict[str, int] = {}
    for cell in cells:
        numbers[cell.value] = numbers.get(cell.value, 0) + (cell.posts or 0)
    cases = grouped(session, posts.other("cases"), by, rules)
    answered = grouped(session, posts.other("answered"), by, rules)
    parts = []
    for value in {*numbers, *before, *cases}:
        complaints, authors = present.get(value, (0, 0))
        parts.append(
            Part(
                value,
                None if by in OF_CASES else numbers.get(value, 0),
                complaints or 0,
                before.get(value, (0, 0))[0] or 0,
                authors,
                cases.get(value, 0),
                answered.get(value, 0),
            )
        )
    return sorted(parts, key=lambda part: (-part.complaints, part.value))
