"""Sources: whether posts come and what was missed; times and numbers in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from dashboard import times, widgets
from monitor.store.models import Source, SourceState, now
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk


def test_a_source_that_is_off_says_why_and_can_be_tried(desk: Desk) -> None:
    desk.fail_source("mastodon.example answered 401. Renew the token.", SourceState.OFF)
    seat = Seat().open("sources")
    assert "Off" in seat.html
    assert "Renew the token." in seat.html
    seat.click("try-1")
    assert "demo is asked within seconds" in seat.told
    with Session(desk.engine) as session:
        source = session.exec(select(Source)).one()
        assert source.state == SourceState.ACTIVE
        assert source.next_fetch_at <= now()
    assert "Choose your name first" in Seat(None).open("sources").click("try-1").told


def test_the_ledger_tells_what_was_missed(desk: Desk) -> None:
    desk.fetched(received=40, new=12, gap="Posts between 12:00 and 13:00 are lost.")
    desk.fetched(received=9, skipped=2, notes="2 × private post left out", quota_remaining=280)
    seat = Seat().open("sources")
    assert "between 12:00" not in seat.html, "not read before it is opened"
    seat.app.session_state["ledger-1"] = True
    seat.look()
    assert "Posts between 12:00 and 13:00 are lost." in seat.html
    assert "2 × private post left out" in seat.html
    assert "280" in seat.html


def test_sources_without_any(desk: Desk) -> None:
    with Session(desk.engine) as session:
        session.delete(session.exec(select(Source)).one())
        session.commit()
    assert "Nothing is watched yet" in Seat().open("sources").html


def test_times_as_people_say_them() -> None:
    at = now()
    assert times.relative(at - timedelta(seconds=20), at) == "just now"
    assert times.relative(at - timedelta(hours=3, minutes=5), at) == "3 h ago"
    assert times.relative(at + timedelta(minutes=5), at) == "in 5 min"
    assert times.span(3 * times.DAY) == "3 days"
    assert times.span(800 * times.DAY) == "2 years"


def test_a_kept_time_is_told_by_the_team_s_clock() -> None:
    vienna = ZoneInfo("Europe/Vienna")
    said = times.in_zone("Ring back, until 2020-11-25 19:42 UTC", vienna)
    assert said == "Ring back, until 25 Nov 2020 20:42"
    assert times.in_zone("2020-13-45 99:99 UTC", vienna) == "2020-13-45 99:99 UTC"
    assert times.wall(datetime(2020, 7, 1, 22, 30, tzinfo=UTC), vienna) == "2020-07-02T00:30:00"


def test_numbers_as_short_as_they_can_be_read() -> None:
    assert [widgets.number(n) for n in (950, 12_400, 2_000_000)] == ["950", "12.4k", "2M"]
