"""How much is complained about: by time and by a dimension, against the period before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from monitor.store.models import Post
from monitor.watch.trends.counting import (
    conditions,
    count,
    grouped,
    named,
    value_of,
)
from monitor.watch.trends.measures import Asked, Kind, Rules
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

    Counted from an index that has every column that is asked for: see README's figures.
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
    then = _both(session, posts_before, by, rules)
    return Volumes(
        period,
        before,
        _totals(session, posts, rules, [(cell.posts, cell.complaints) for cell in cells], by),
        _totals(session, posts_before, rules, list(then.values()), by),
        cells,
        _parts(session, posts, by, rules, cells, {v: found[1] for v, found in then.items()}),
    )


def totals(session: Session, posts: Asked, rules: Rules) -> Totals:
    """What a period came to."""
    return _totals(session, posts, rules, [], OF_CASES[0])


def _totals(
    session: Session,
    posts: Asked,
    rules: Rules,
    found: list[tuple[int | None, int]],
    by: str,
) -> Totals:
    """Each post has one network, one source, one language: then the sums are known already."""
    authors = count(session, posts.other("authors"), rules)
    if by in OF_CASES:
        complaints = count(session, posts.other("complaints"), rules)
        return Totals(count(session, posts, rules), complaints, authors)
    return Totals(sum(number or 0 for number, _ in found), sum(n for _, n in found), authors)


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
    numbers = named(session, by, [(row[0], row[1]) for row in rows])
    flags = named(session, by, [(row[0], row[2]) for row in rows])
    return {value: (numbers[value], flags[value]) for value in sorted(numbers)}


def _parts(
    session: Session,
    posts: Asked,
    by: str,
    rules: Rules,
    cells: list[Cell],
    before: dict[str, int],
) -> list[Part]:
    numbers: dict[str, int | None] = {}
    complaints: dict[str, int] = {}
    for cell in cells:
        known = numbers.get(cell.value) or 0
        numbers[cell.value] = None if cell.posts is None else known + cell.posts
        complaints[cell.value] = complaints.get(cell.value, 0) + cell.complaints
    authors = grouped(session, posts.other("authors"), by, rules)
    cases = grouped(session, posts.other("cases"), by, rules)
    answered = grouped(session, posts.other("answered"), by, rules)
    values = sorted(
        {*numbers, *before, *cases}, key=lambda value: (-complaints.get(value, 0), value)
    )
    return [
        Part(
            value,
            numbers.get(value, None if by in OF_CASES else 0),
            complaints.get(value, 0),
            before.get(value, 0),
            authors.get(value, 0),
            cases.get(value, 0),
            answered.get(value, 0),
        )
        for value in values
    ]
