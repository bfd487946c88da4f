"""When the team works, and arithmetic in that time: pure functions.

A working time is written as the clock on the wall shows it, and means the first moment at which
the clock shows it or would have: a shift is an hour shorter or longer where it spans a change to
or from summer time. Where two shifts touch or overlap, no moment counts twice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

HORIZON = 3660
"""Days within which a promise must end: ten years of closed doors are a mistake."""

Shift = tuple[time, time]
"""From and until; until midnight is time(0), the end of the day."""

ALL_DAY: tuple[Shift, ...] = ((time(0), time(0)),)


@dataclass(frozen=True)
class Hours:
    """The shifts of a week, Monday first, in a time zone. No week: around the clock.

    On a holiday nobody works. Raises ValueError for a week without any shift.
    """

    zone: ZoneInfo
    week: tuple[tuple[Shift, ...], ...] = ()
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        """Refuse what no promise could ever end in."""
        if self.week and (len(self.week) != len(DAYS) or not any(self.week)):
            raise ValueError("no day of the week has a shift")

    @property
    def always(self) -> bool:
        """Whether every moment is working time."""
        return not self.week and not self.holidays

    def of(self, day: date) -> tuple[Shift, ...]:
        """The shifts of a day."""
        if day in self.holidays:
            return ()
        return self.week[day.weekday()] if self.week else ALL_DAY


def due(start: datetime, length: timedelta, hours: Hours) -> datetime:
    """When `length` of working time has passed since `start`, in UTC.

    Raises ValueError where the working time of ten years does not suffice.
    """
    start = start.astimezone(UTC)
    if hours.always:
        return start + length
    for begin, end in _spans(start, hours):
        if length <= end - begin:
            return begin + length
        length -= end - begin
    raise ValueError("there is too little working time in the ten years from there")


def business_time(start: datetime, end: datetime, hours: Hours) -> timedelta:
    """How much working time lies between two moments; none where the end is not later."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if hours.always:
        return max(end - start, timedelta(0))
    total = timedelta(0)
    for begin, until in spans(start, end, hours):
        total += min(until, end) - begin
    return total


def spans(start: datetime, end: datetime, hours: Hours) -> Iterator[tuple[datetime, datetime]]:
    """The shifts that begin before `end`, in order, in UTC, from `start` on and no moment twice."""
    # The day after the last one: whatever the zone, it begins later.
    days = (end - start).days + 3
    for begin, until in _spans(start.astimezone(UTC), hours, days):
        if begin >= end:
            return
        yield begin, until


def _spans(
    start: datetime, hours: Hours, days: int = HORIZON
) -> Iterator[tuple[datetime, datetime]]:
    """What is left of each shift from `start` on, in order, in UTC, no moment twice."""
    first = start.astimezone(hours.zone).date()
    for number in range(days):
        day = first + timedelta(days=number)
        for opens, closes in hours.of(day):
            # Until midnight means the beginning of the next day.
            last = day + timedelta(days=1) if closes == time(0) else day
            begin = max(_moment(day, opens, hours.zone), start)
            end = _moment(last, closes, hours.zone)
            if begin < end:
                yield begin, end
                start = end


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    # Between aware times of one zone Python reckons on the wall, so all reckoning is in UTC.
    return datetime.combine(day, at, zone).astimezone(UTC)


def shift(text: str) -> Shift:
    """'09:00-12:30' as from and until. Raises ValueError, which says how to write it."""
    found = re.fullmatch(r"\s*(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)\s*", text)
    hour, minute, last_hour, last_minute = map(int, found.groups()) if found else (0, 60, 0, 60)
    if max(minute, last_minute) > 59:
        raise ValueError("write a shift like 09:00-12:30")
    begin, end = hour * 60 + minute, last_hour * 60 + last_minute
    if end > 24 * 60 or begin >= end:
        raise ValueError(
            "a shift ends after it begins, on the same day; write one through the night as "
            "22:00-24:00 and, on the next day, 00:00-06:00"
        )
    return time(hour, minute), time(last_hour % 24, last_minute)
