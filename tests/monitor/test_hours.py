"""Working time: shifts, lunch, holidays, time zones, and the days of 23 and 25 hours."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.hours import Hours, business_time, due, shift

VIENNA = ZoneInfo("Europe/Vienna")


def week(*weekdays: str, weekend: tuple[str, ...] = (), zone: str = "Europe/Vienna") -> Hours:
    """The same shifts from Monday to Friday."""
    days = tuple(shift(text) for text in weekdays)
    free = tuple(shift(text) for text in weekend)
    return Hours(ZoneInfo(zone), (days,) * 5 + (free,) * 2)


OFFICE = week("09:00-17:00")
LUNCH = week("09:00-12:30", "13:30-17:00")
NIGHT = week("00:00-06:00", "22:00-24:00", weekend=("00:00-06:00", "22:00-24:00"))
DAILY = week("09:00-17:00", weekend=("09:00-17:00",))
EVERY_HOUR = week("00:00-24:00", weekend=("00:00-24:00",))
CHRISTMAS = Hours(VIENNA, OFFICE.week, frozenset({date(2026, 12, 25), date(2026, 12, 28)}))
ONLY_HOLIDAYS = Hours(VIENNA, (), frozenset({date(2026, 12, 25)}))
ALWAYS = Hours(VIENNA)


def at(text: str, zone: ZoneInfo = VIENNA) -> datetime:
    """The clock's time in a zone; a trailing ~ is the second time that the clock shows it."""
    local = datetime.strptime(text.rstrip("~"), "%Y-%m-%d %H:%M")  # noqa: DTZ007 - zone below
    return local.replace(tzinfo=zone, fold=text.endswith("~")).astimezone(UTC)


# 2026-11-20 is a Friday. Summer time begins on 2026-03-29 at 2 and ends on 2026-10-25 at 3.
@pytest.mark.parametrize(
    ("hours", "start", "minutes", "end"),
    [
        pytest.param(OFFICE, "2026-11-20 16:30", 60, "2026-11-23 09:30", id="over the weekend"),
        pytest.param(OFFICE, "2026-11-20 16:30", 30, "2026-11-20 17:00", id="to the last minute"),
        pytest.param(OFFICE, "2026-11-20 16:30", 31, "2026-11-23 09:01", id="a minute more"),
        pytest.param(
            OFFICE, "2026-11-20 07:00", 60, "2026-11-20 10:00", id="before the doors open"
        ),
        pytest.param(OFFICE, "2026-11-20 17:00", 60, "2026-11-23 10:00", id="as they close"),
        pytest.param(OFFICE, "2026-11-21 12:00", 60, "2026-11-23 10:00", id="on a Saturday"),
        pytest.param(OFFICE, "2026-11-16 09:00", 5 * 480, "2026-11-20 17:00", id="a whole week"),
        pytest.param(LUNCH, "2026-11-20 12:00", 60, "2026-11-20 14:00", id="over lunch"),
        pytest.param(LUNCH, "2026-11-20 12:45", 60, "2026-11-20 14:30", id="during lunch"),
        pytest.param(LUNCH, "2026-11-20 12:00", 30, "2026-11-20 12:30", id="up to lunch"),
        pytest.param(NIGHT, "2026-11-20 23:30", 60, "2026-11-21 00:30", id="through midnight"),
        pytest.param(NIGHT, "2026-11-20 12:00", 121, "2026-11-21 00:01", id="past midnight"),
        pytest.param(CHRISTMAS, "2026-12-24 16:30", 60, "2026-12-29 09:30", id="holidays"),
        pytest.param(ONLY_HOLIDAYS, "2026-12-24 23:30", 60, "2026-12-26 00:30", id="no week"),
        pytest.param(ALWAYS, "2026-11-21 23:30", 60, "2026-11-22 00:30", id="around the clock"),
        pytest.param(DAILY, "2026-03-28 16:00", 120, "2026-03-29 10:00", id="spring, by day"),
        pytest.param(DAILY, "2026-10-24 16:00", 120, "2026-10-25 10:00", id="autumn, by day"),
        pytest.param(EVERY_HOUR, "2026-03-29 01:30", 60, "2026-03-29 03:30", id="spring, night"),
        pytest.param(EVERY_HOUR, "2026-10-25 02:30", 60, "2026-10-25 02:30~", id="autumn, night"),
        pytest.param(NIGHT, "2026-03-28 23:00", 240, "2026-03-29 04:00", id="a short night"),
        pytest.param(NIGHT, "2026-10-24 23:00", 240, "2026-10-25 02:00~", id="a long night"),
        pytest.param(ALWAYS, "2026-03-28 12:00", 1440, "2026-03-29 13:00", id="a day is 24 hours"),
    ],
)
def test_due(hours: Hours, start: str, minutes: int, end: str) -> None:
    length = timedelta(minutes=minutes)
    found = due(at(start), length, hours)
    assert found == at(end)
    assert found.utcoffset() == timedelta(0)
    assert business_time(at(start), found, hours) == length, "and back"


@pytest.mark.parametrize(
    ("hours", "start", "end", "minutes"),
    [
        pytest.param(OFFICE, "2026-11-20 16:30", "2026-11-23 09:30", 60, id="a weekend"),
        pytest.param(OFFICE, "2026-11-20 18:00", "2026-11-23 08:00", 0, id="nobody there"),
        pytest.param(OFFICE, "2026-11-20 12:00", "2026-11-20 11:00", 0, id="backwards"),
        pytest.param(OFFICE, "2026-11-20 10:00", "2026-11-20 11:00", 60, id="within a shift"),
        pytest.param(
            LUNCH, "2026-11-16 00:00", "2026-11-21 00:00", 5 * 420, id="a week of lunches"
        ),
        pytest.param(EVERY_HOUR, "2026-03-29 00:00", "2026-03-30 00:00", 23 * 60, id="a short day"),
        pytest.param(EVERY_HOUR, "2026-10-25 00:00", "2026-10-26 00:00", 25 * 60, id="a long day"),
        pytest.param(NIGHT, "2026-03-28 12:00", "2026-03-29 12:00", 7 * 60, id="a short night"),
        pytest.param(NIGHT, "2026-10-24 12:00", "2026-10-25 12:00", 9 * 60, id="a long night"),
        pytest.param(DAILY, "2026-03-29 00:00", "2026-03-30 00:00", 480, id="only the night lacks"),
        pytest.param(ALWAYS, "2026-11-21 00:00", "2026-11-22 00:00", 1440, id="around the clock"),
        pytest.param(ALWAYS, "2026-11-22 00:00", "2026-11-21 00:00", 0, id="backwards always"),
        pytest.param(CHRISTMAS, "2026-12-24 00:00", "2026-12-29 00:00", 480, id="holidays"),
    ],
)
def test_business_time(hours: Hours, start: str, end: str, minutes: int) -> None:
    assert business_time(at(start), at(end), hours) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("shifts", "day", "minutes"),
    [
        # The clock jumps from 2 to 3: half past two is when it would have been.
        pytest.param(("01:00-02:30", "02:30-06:00"), "2026-03-29", 4 * 60, id="spring"),
        pytest.param(("02:00-02:30", "03:00-04:00"), "2026-03-29", 60, id="nothing twice"),
        # It shows 2 to 3 twice: a shift that begins or ends there does so the first time.
        pytest.param(("01:00-02:30", "02:30-06:00"), "2026-10-25", 6 * 60, id="autumn"),
    ],
)
def test_a_shift_that_ends_in_the_changed_hour(
    shifts: tuple[str, ...], day: str, minutes: int
) -> None:
    hours = week(weekend=shifts)
    midnight, noon = at(f"{day} 00:00"), at(f"{day} 12:00")
    assert business_time(midnight, noon, hours) == timedelta(minutes=minutes)


def test_the_team_works_by_its_own_clock() -> None:
    auckland = week("09:00-17:00", zone="Pacific/Auckland")
    # Friday 03:30 UTC is Friday 16:30 there, and Monday 09:30 there is Sunday 20:30 UTC.
    found = due(datetime(2026, 11, 20, 3, 30, tzinfo=UTC), timedelta(hours=1), auckland)
    assert found == datetime(2026, 11, 22, 20, 30, tzinfo=UTC)


def test_a_week_without_a_shift_is_refused() -> None:
    with pytest.raises(ValueError, match="no day of the week"):
        Hours(VIENNA, ((),) * 7)


def test_a_door_that_stays_closed_is_refused() -> None:
    sundays = Hours(VIENNA, ((),) * 6 + ((shift("09:00-09:01"),),))
    assert due(at("2026-11-21 12:00"), timedelta(minutes=2), sundays) == at("2026-11-29 09:01")
    with pytest.raises(ValueError, match="too little working time"):
        due(at("2026-11-21 12:00"), timedelta(days=2), sundays)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("9-17", "like 09:00-12:30"),
        ("09:00-12:60", "like 09:00-12:30"),
        ("09:00-25:00", "ends after it begins"),
        ("17:00-09:00", "22:00-24:00"),
        ("09:00-09:00", "ends after it begins"),
        ("24:00-24:00", "ends after it begins"),
    ],
)
def test_a_shift_that_cannot_be_read(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        shift(text)


def test_working_time_of_more_than_ten_years() -> None:
    week = Hours(ZoneInfo("UTC"), ((shift("09:00-10:00"),),) * 7)
    start = datetime(2010, 1, 1, tzinfo=UTC)
    assert business_time(start, datetime(2026, 1, 1, tzinfo=UTC), week) == timedelta(hours=5844)
