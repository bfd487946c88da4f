"""Periods of the team's days, the one before each, and the moments at which their days begin."""

import itertools
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST = 366
"""Days: who wants more takes an export."""

HOURLY = 3
"""Up to so many days can be shown by the hour."""


@dataclass(frozen=True)
class Period:
    """Whole days of the team, both ends included. `cut`: no further than that moment.

    A day is what the calendar says, so one of 23 or 25 hours is a day too.
    """

    first: date
    last: date
    zone: ZoneInfo
    cut: datetime | None = None

    @property
    def begins(self) -> datetime:
        """Its first moment, in UTC."""
        return midnight(self.first, self.zone)

    @property
    def ends(self) -> datetime:
        """The moment after its last, in UTC."""
        end = midnight(self.last + timedelta(days=1), self.zone)
        return min(end, self.cut) if self.cut else end

    @property
    def days(self) -> list[date]:
        """Every day of it."""
        return [
            self.first + timedelta(days=number)
            for number in range((self.last - self.first).days + 1)
        ]

    def before(self, at: datetime) -> "Period":
        """The days just before, as many. At `at` a period that still runs is compared with as
        much of the one before: half a week with half a week."""
        length = len(self.days)
        cut = None
        if self.begins <= at < self.ends:
            local = at.astimezone(self.zone)
            then = local.date() - timedelta(days=length)
            cut = datetime.combine(then, local.time(), self.zone).astimezone(UTC)
        back = timedelta(days=length)
        return Period(self.first - back, self.last - back, self.zone, cut)

    def buckets(self, *, hourly: bool) -> list[tuple[datetime, datetime]]:
        """Its days, or its hours, as moments in UTC: from, and until but without."""
        edges = [midnight(day, self.zone) for day in self.days]
        edges.append(midnight(self.last + timedelta(days=1), self.zone))
        if hourly:
            hours = [edges[0]]
            while hours[-1] < edges[-1]:
                hours.append(hours[-1] + timedelta(hours=1))
            edges = [*hours[:-1], edges[-1]]
        pairs = list(itertools.pairwise(edges))
        end = self.ends
        return [(begin, min(until, end)) for begin, until in pairs if begin < end]

    def __str__(self) -> str:
        if self.first == self.last:
            return words(self.first)
        return f"{words(self.first)} to {words(self.last)}"


def words(day: date) -> str:
    """A day as people write it."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day of the team begins, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def last_days(number: int, zone: ZoneInfo, at: datetime) -> Period:
    """The last `number` days, today included."""
    today = at.astimezone(zone).date()
    return Period(today - timedelta(days=number - 1), today, zone)


def week_of(at: datetime, zone: ZoneInfo, back: int = 0) -> Period:
    """The week, Monday to Sunday, of a moment, or one that lies `back` weeks before it."""
    today = at.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday() + 7 * back)
    return Period(monday, monday + timedelta(days=6), zone)


def week_named(name: str, zone: ZoneInfo) -> Period:
    """The week that is written 2026-W47. Raises ValueError, which says how to write it."""
    found = re.fullmatch(r"(\d{4})-W(\d\d)", name)
    try:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        monday = None
    if monday is None:
        raise ValueError(f"{name!r} is no week: write it like 2026-W47")
    return Period(monday, monday + timedelta(days=6), zone)


def name_of_week(period: Period) -> str:
    """The name of the week in which a period begins: 2026-W47."""
    year, week, _ = period.first.isocalendar()
    return f"{year}-W{week:02d}"
