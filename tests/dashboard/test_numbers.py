"""Sources and trends: whether posts come, what was missed, and what the numbers say."""

import csv
import io
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, select
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df

from dashboard import times, widgets
from dashboard.charts import cells, to_csv
from monitor.answer import replies
from monitor.desk.cases import claim
from monitor.store.models import Source, SourceState, now
from monitor.watch.trends import by_day
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


def test_trends_count_and_the_file_equals_the_chart(desk: Desk) -> None:
    case_id = desk.complaint("ben", "No refund", network="=cmd()")
    desk.complaint("eva", "All is well", probability=0.1)
    with Session(desk.engine) as session:
        claim(session, case_id, "alice")
        replies.record_elsewhere(session, case_id, "alice", "https://social.invalid/r")
    seat = Seat().open("trends", days="14 days")
    figures = {metric.label: metric.value for metric in seat.app.metric}
    assert figures["Posts about you"] == "2"
    assert figures["Complaints"] == "1"
    assert figures["Response rate"] == "100%"
    charts = seat.app.get("vega_lite_chart")
    assert len(charts) == 2
    with Session(desk.engine) as session:
        days = by_day(session, ZoneInfo("Europe/Vienna"), 14, 0.5)
    rows = [cells(day) for day in days]
    for chart in charts:
        drawn = convert_arrow_bytes_to_pandas_df(chart.proto.datasets[0].data.data)
        assert drawn.to_dict("records") == rows
    read = list(csv.DictReader(io.StringIO(to_csv(rows).decode("utf-8-sig"))))
    assert [row["network"] for row in read] == ["'=cmd()", "mastodon"]
    assert [int(row["complaints"]) for row in read] == [day.complaints for day in days]


def test_what_is_not_measured_is_called_so(desk: Desk) -> None:
    desk.complaint("eva", "All is well", probability=0.1)
    figures = {metric.label: metric.value for metric in Seat().open("trends").app.metric}
    assert figures["Response rate"] == "not measured"
    assert figures["Median first response"] == "not measured"


def test_trends_without_posts(desk: Desk) -> None:
    assert "Nothing to count yet" in Seat().open("trends").html


def test_who_never_got_an_answer_is_listed_oldest_first(desk: Desk) -> None:
    desk.complaint("eva", "It broke", hours=5)
    desk.complaint("ben", "It broke", hours=50)
    page = Seat().open("trends").html
    assert page.index("@ben") < page.index("@eva")


def test_times_as_people_say_them() -> None:
    at = now()
    assert times.relative(at - timedelta(seconds=20), at) == "just now"
    assert times.relative(at - timedelta(hours=3, minutes=5), at) == "3 h ago"
    assert times.relative(at + timedelta(minutes=5), at) == "in 5 min"
    assert times.span(3 * times.DAY) == "3 days"
    assert times.span(800 * times.DAY) == "2 years"


def test_numbers_as_short_as_they_can_be_read() -> None:
    assert [widgets.number(n) for n in (950, 12_400, 2_000_000)] == ["950", "12.4k", "2M"]
