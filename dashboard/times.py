"""Times as people say them: in the team's zone, and relative to now."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard.markup import Markup, tag

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

WRITTEN = re.compile(r"\b(\d{4}-\d{2}-\d{2} \d{2}:\d{2}) UTC\b")
"""A time as a case's history keeps it."""


def span(seconds: float) -> str:
    """How long something lasts: '3 h', '2 days'."""
    seconds = max(0.0, seconds)
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f} min"
    if seconds < 2 * DAY:
        return f"{seconds // HOUR:.0f} h"
    if seconds < 365 * DAY:
        return f"{seconds // DAY:.0f} days"
    years = seconds // (365 * DAY)
    return f"{years:.0f} year{'s' if years > 1 else ''}"


def relative(at: datetime, now: datetime | None = None) -> str:
    """'3 h ago', 'in 5 min', 'just now'."""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    if abs(seconds) < MINUTE:
        return "just now" if seconds >= 0 else "in a moment"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(-seconds)}"


def stamp(at: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """The clock's time in the team's zone, with as much of the date as is needed."""
    local = at.astimezone(zone)
    today = (now or datetime.now(UTC)).astimezone(zone).date()
    if local.date() == today:
        return f"{local:%H:%M}"
    if local.year == today.year:
        return f"{local:%a} {local.day} {local:%b %H:%M}"
    return f"{local.day} {local:%b %Y %H:%M}"


def full(at: datetime, zone: ZoneInfo) -> str:
    """Date, time and zone in full, for a tooltip."""
    local = at.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M:%S} ({zone.key})"


def wall(at: datetime, zone: ZoneInfo) -> str:
    """The clock's time in the team's zone, for a chart: whichever zone the browser is in."""
    return at.astimezone(zone).replace(tzinfo=None).isoformat()


def in_zone(text: str, zone: ZoneInfo) -> str:
    """A line of ours, as a history keeps it, with its UTC times by the team's clock."""

    def local(found: re.Match[str]) -> str:
        try:
            at = datetime.strptime(found[1], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        except ValueError:
            return found[0]
        return stamp(at, zone)

    return WRITTEN.sub(local, text)


def ago(at: datetime, zone: ZoneInfo) -> Markup:
    """A relative time whose tooltip tells it in full."""
    return tag("time", relative(at), title=full(at, zone), datetime=at.isoformat())


def clock(at: datetime, zone: ZoneInfo) -> Markup:
    """A time on the clock whose tooltip tells it in full."""
    return tag("time", stamp(at, zone), title=full(at, zone), datetime=at.isoformat())


def morning(zone: ZoneInfo, days: int) -> datetime:
    """Nine o'clock in the team's zone, `days` from today."""
    day = datetime.now(zone).date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, 9, tzinfo=zone).astimezone(UTC)


def next_monday(zone: ZoneInfo) -> datetime:
    """Nine o'clock of the Monday after today."""
    return morning(zone, 7 - datetime.now(zone).weekday())
