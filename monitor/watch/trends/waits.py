"""How long customers waited: medians and 90th percentiles, by the clock and in working time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlmodel import Session, col

from monitor.hours import Hours, spans
from monitor.store.models import Case, Reply
from monitor.watch.trends.conditions import Conditions
from monitor.watch.trends.measures import IN, MEASURES, Kind

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """Of how many waits, and how long they were in seconds; None where there is none."""

    number: int
    median: float | None
    p90: float | None


@dataclass(frozen=True)
class Waits:
    """Rows that waited: their ids, from when until when, in seconds of the epoch."""

    ids: list[int]
    begins: Floats
    ends: Floats

    def of(self, hours: Hours, part: str) -> "Waits":
        """Those that began in working hours (IN) or outside of them."""
        inside = WorkTime(hours, self.begins, self.ends).open_at(self.begins)
        chosen = inside if part == IN else ~inside
        kept = [number for number, keep in zip(self.ids, chosen, strict=True) if keep]
        return Waits(kept, self.begins[chosen], self.ends[chosen])

    def by_clock(self) -> Spread:
        """As the customer felt it."""
        return spread(self.ends - self.begins)

    def in_hours(self, hours: Hours) -> Spread:
        """Only the time counts in which the team works."""
        return spread(WorkTime(hours, self.begins, self.ends).between(self.begins, self.ends))


class WorkTime:
    """Working time between many moments at once, as `hours.business_time` reckons it for two."""

    def __init__(self, hours: Hours, begins: Floats, ends: Floats) -> None:
        self.always = hours.always
        if self.always or not len(begins):
            self.opens = self.closes = np.zeros(0)
            return
        first = datetime.fromtimestamp(float(begins.min()), UTC) - timedelta(days=2)
        last = datetime.fromtimestamp(float(ends.max()), UTC) + timedelta(days=1)
        shifts = [(a.timestamp(), b.timestamp()) for a, b in spans(first, last, hours)]
        self.opens = np.array([a for a, _ in shifts], dtype=np.float64)
        self.closes = np.array([b for _, b in shifts], dtype=np.float64)

    def open_at(self, moments: Floats) -> NDArray[np.bool_]:
        """Which of these moments lie in working time."""
        if self.always:
            return np.ones(len(moments), dtype=bool)
        if not len(self.opens):
            return np.zeros(len(moments), dtype=bool)
        place = np.searchsorted(self.opens, moments, side="right") - 1
        inside: NDArray[np.bool_] = (place >= 0) & (moments < self.closes[np.maximum(place, 0)])
        return inside

    def between(self, begins: Floats, ends: Floats) -> Floats:
        """Seconds of working time from each moment to its other."""
        if self.always:
            return np.maximum(ends - begins, 0.0)
        return np.maximum(self._until(ends) - self._until(begins), 0.0)

    def _until(self, moments: Floats) -> Floats:
        """Working time since the first shift."""
        if not len(self.opens):
            return np.zeros(len(moments))
        lengths = self.closes - self.opens
        before = np.concatenate([[0.0], np.cumsum(lengths)])
        place = np.searchsorted(self.opens, moments, side="right") - 1
        known = np.maximum(place, 0)
        run = np.clip(moments - self.opens[known], 0.0, lengths[known])
        whole: Floats = np.where(place >= 0, before[known] + run, 0.0)
        return whole


def spread(lengths: Floats) -> Spread:
    """Median and 90th percentile, interpolated between the two nearest waits."""
    if not len(lengths):
        return Spread(0, None, None)
    median, p90 = np.quantile(lengths, (0.5, 0.9))
    return Spread(len(lengths), float(median), float(p90))


def waits(session: Session, measure: str, conditions: Conditions) -> Waits:
    """The waits of a measure that has any, in no order. Raises ValueError for another one."""
    asked = MEASURES[measure]
    if asked.wait is None:
        raise ValueError(f"nobody waits in {measure!r}")
    column = col(Case.id) if asked.kind == Kind.CASE else col(Reply.id)
    begin, end = (_epoch(session, part) for part in asked.wait)
    query = sa.select(column, begin, end).where(*conditions)
    # The driver's own rows: SQLAlchemy's cost four times as much as the whole query.
    cursor: Any = session.connection().execute(query).cursor
    rows = cursor.fetchall()
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return Waits([row[0] for row in rows], table[:, 1], np.maximum(table[:, 2], table[:, 1]))


def _epoch(session: Session, column: Any) -> Any:
    """A time as seconds of the epoch: cheaper than making it a datetime, 200,000 times."""
    if session.get_bind().dialect.name == "sqlite":
        # To the millisecond, which is what a Julian day as a float can hold.
        days = sa.func.julianday(column, type_=sa.Float) - 2440587.5
        return sa.func.round(days * 86400.0, 3)
    return sa.cast(sa.extract("epoch", column), sa.Float)
