"""Trends, the rows of their numbers, and the report of a week, as somebody sees them."""

import csv
import html
import io
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
import streamlit as st
import time_machine
from openpyxl import load_workbook
from sqlmodel import Session
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df

from dashboard import resources
from dashboard.period_picker import BY_HOUR
from dashboard.volume_box import OTHERS, chart_file, chart_rows
from monitor.answer import replies
from monitor.desk import cases
from monitor.store.models import (
    CaseTag,
    Commitment,
    Dismissal,
    Incident,
    IncidentCase,
    Outcome,
    now,
)
from monitor.watch.reports import export, sheet
from monitor.watch.reports.sheet import to_csv, to_xlsx
from monitor.watch.trends.measures import Asked
from monitor.watch.trends.overview import overview
from monitor.watch.trends.periods import last_days
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk
from tests.monitor.numbers import AT

ZONE = ZoneInfo("Europe/Vienna")
LINK = re.compile(r'<a href="rows\?([^"]*)" target="_self" class="count"[^>]*>([^<]*)</a>')
HOSTILE = "=1+1 <img src=x onerror=alert(1)> [a](javascript:alert(1)) $x$"


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """Something of everything, in the last days and in those before."""
    with time_machine.travel(AT, tick=False):
        ben = desk.complaint("ben", f"router firmware {HOSTILE}", hours=19)
        eva = desk.complaint("eva", "router firmware again", hours=30, network="bluesky")
        dan = desk.complaint("dan", "router firmware, no refund", hours=20)
        ann = desk.complaint("ann", "spam", hours=5, language="de")
        desk.complaint("joe", "All is well", probability=0.1)
        for name in ("u", "v", "w"):
            desk.complaint(name, "the bill is wrong", hours=24 * 10)
        with Session(desk.engine) as session:
            cases.claim(session, ben, "alice")
            replies.record_elsewhere(session, ben, "alice", "https://social.invalid/r")
            cases.resolve(session, ben, "alice", Outcome.SOLVED)
            cases.resolve(session, ann, "bob", Outcome.DISMISSED, Dismissal.SPAM)
            cases.claim(session, eva, "bob")
            session.add(CaseTag(case_id=eva, tag="=tag"))
            incident = Incident(title="<b>Outage</b>", first_seen_at=AT, last_seen_at=AT)
            session.add(incident)
            session.flush()
            session.add(IncidentCase(case_id=dan, incident_id=incident.id))
            session.add(
                Commitment(case_id=eva, text="Refund", owner="bob", due_at=AT - timedelta(hours=1))
            )
            session.commit()
    return desk


def links(page: str) -> list[tuple[dict[str, str], str]]:
    """Every number of a page that opens its rows: the address, and what it says."""
    return [
        (dict(parse_qsl(html.unescape(query))), html.unescape(text))
        for query, text in LINK.findall(page)
    ]


def rows_of(seat: Seat) -> list[int]:
    """The ids of the rows that a page lists."""
    return [int(number) for number in re.findall(r'id="row-(\d+)"', seat.html)]


@pytest.mark.slow
@pytest.mark.parametrize("by", ["Network", "Tag", "Incident", "Language", "Source and its query"])
@time_machine.travel(AT, tick=False)
def test_every_number_opens_as_many_rows_as_it_says(busy: Desk, by: str) -> None:
    found = links(Seat().open("trends", by=by).html)
    assert len(found) > 25
    seat = Seat()
    looked: set[str] = set()
    for address, text in found:
        if str(address) in looked or not text.isdigit():
            continue
        looked.add(str(address))
        if by == "Network" or address.keys() & {"tag", "incident", "language", "source"}:
            seat.open("rows", **address)
            assert len(rows_of(seat)) == int(text), address
    assert {"complaints", "authors", "cases", "answered", "never", "replies", "broken"} <= {
        address["measure"] for address, _ in found
    }


@time_machine.travel(AT, tick=False)
def test_figures_say_how_they_stand_to_the_period_before(busy: Desk) -> None:
    page = Seat().open("trends").html
    assert "1 more than 3 (+33%)" in page
    # Four cases of which one is answered and one dismissed, and three before, never answered.
    assert "Response rate 25%, 25 points more than 0%." in page
    assert "Dismissed: " in page
    assert "router firmware" in page, "three people say it, and nobody did before"
    assert "<img" not in page.replace('<img src="', "")
    assert "&lt;img src=x" in page


@time_machine.travel(AT, tick=False)
def test_the_file_of_a_chart_equals_the_chart(busy: Desk) -> None:
    seat = Seat().open("trends", period="30 days")
    charts = seat.app.get("vega_lite_chart")
    assert len(charts) == 2
    told = overview(busy.engine, last_days(30, ZONE, now()), "network", resources.rules(), now())
    rows = chart_rows(told, ZONE)
    for chart in charts:
        drawn = convert_arrow_bytes_to_pandas_df(chart.proto.datasets[0].data.data)
        assert drawn.to_dict("records") == rows
    read = list(csv.DictReader(io.StringIO(chart_file(rows, ZONE).decode("utf-8-sig"))))
    assert [row["value"] for row in read] == [row["value"] for row in rows]
    assert [int(row["complaints"]) for row in read] == [row["complaints"] for row in rows]
    assert sum(row["complaints"] for row in rows) == 7
    assert OTHERS not in {row["value"] for row in rows}


@time_machine.travel(AT, tick=False)
def test_periods_and_hours(busy: Desk) -> None:
    assert "Mon 9 Nov 2026 to Sun 15 Nov 2026" in Seat().open("trends", period="Last week").html
    this = Seat().open("trends", period="This week").html
    assert "against Mon 9 Nov 2026 to Sun 15 Nov 2026, up to the same time" in this
    custom = Seat().open("trends", period="Custom")
    assert "Sat 7 Nov 2026 to Fri 20 Nov 2026" in custom.html
    custom.app.date_input(key="range").set_value((AT.date(), AT.date())).run()
    custom.check()
    custom.app.segmented_control(key="bars").set_value(BY_HOUR).run()
    custom.check()
    assert "Complaints by hour" in custom.html


@time_machine.travel(AT, tick=False)
def test_rows_are_listed_and_exported_as_they_are_counted(busy: Desk) -> None:
    period = last_days(7, ZONE, AT)
    asked = Asked("cases", period.begins, period.ends)
    seat = Seat().open("rows", **asked.address)
    assert "<h1>4 cases</h1>" in seat.html
    assert len(rows_of(seat)) == 4
    assert "<img" not in seat.html
    assert 'href="case?id=' in seat.html
    labels = [button.proto.label for button in seat.app.get("download_button")]
    assert labels == ["Download 4 rows as CSV", "Download 4 rows as XLSX"]
    with Session(busy.engine) as session:
        columns, rows = export.table(session, asked, resources.rules())
    read = list(csv.DictReader(io.StringIO(to_csv(columns, rows, ZONE).decode("utf-8-sig"))))
    assert len(read) == 4
    assert {row["tags"] for row in read} == {"", "'=tag"}
    book: Any = load_workbook(io.BytesIO(to_xlsx(columns, rows, ZONE))).worksheets[0]
    kinds = {cell.data_type for row in book.iter_rows() for cell in row}
    assert "f" not in kinds, "no cell is a formula"


@time_machine.travel(AT, tick=False)
def test_rows_come_in_pages(desk: Desk) -> None:
    for number in range(51):
        desk.complaint(f"p{number}", "down", triage=False)
    period = last_days(7, ZONE, AT)
    address = Asked("complaints", period.begins, period.ends).address
    first = Seat().open("rows", **address)
    assert len(rows_of(first)) == 50
    assert "1 to 50 of 51" in first.html
    second = Seat().open("rows", **address, part="1")
    assert len(rows_of(second)) == 1
    assert rows_of(Seat().open("rows", **address, part="x")) == rows_of(first)


@time_machine.travel(AT, tick=False)
def test_more_rows_than_a_sheet_holds_are_told_before_the_click(
    busy: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "ROWS", 3)
    period = last_days(7, ZONE, AT)
    seat = Seat().open("rows", **Asked("cases", period.begins, period.ends).address)
    labels = [button.proto.label for button in seat.app.get("download_button")]
    assert labels == ["Download 4 rows as CSV"]
    assert "4 rows are more than a sheet of XLSX holds: take CSV" in seat.html


@time_machine.travel(AT, tick=False)
def test_an_address_made_by_hand_lists_what_it_can(busy: Desk) -> None:
    period = last_days(7, ZONE, AT)
    address = Asked("cases", period.begins, period.ends).address
    for more in ({"hours": "in"}, {"topic": "x"}):
        assert "<h1>4 cases</h1>" in Seat().open("rows", **address, **more).html
    wrong = Seat().open("rows", **(address | {"measure": "first", "hours": "zzz"}))
    assert "There is nothing to list" in wrong.html


@time_machine.travel(AT, tick=False)
def test_incidents_have_their_titles_in_the_chart_and_its_file(busy: Desk) -> None:
    period = last_days(7, ZONE, now())
    told = overview(busy.engine, period, "incident", resources.rules(), now())
    assert {row["value"] for row in chart_rows(told, ZONE)} == {"1: <b>Outage</b>"}
    words = "A complaint counts once for each incident of its case."
    assert words in Seat().open("trends", by="Incident").html
    assert words not in Seat().open("trends", by="Network").html


def test_rows_of_nothing_and_of_no_number(desk: Desk) -> None:
    assert "There is nothing to list" in Seat().open("rows").html
    assert "names no number" in Seat().open("rows", measure="secrets").html
    period = last_days(7, ZONE, now())
    nobody = Asked("cases", period.begins, period.ends).address
    assert "None now" in Seat().open("rows", **nobody, network="<script>").html


def test_trends_without_posts_and_what_is_not_measured(desk: Desk) -> None:
    assert "Nothing to count yet" in Seat().open("trends").html
    desk.complaint("eva", "All is well", probability=0.1)
    st.cache_data.clear()
    page = Seat().open("trends").html
    assert "Response rate not measured" in page
    assert "Nothing to compare yet" in page


def test_who_never_got_an_answer_is_listed_oldest_first(desk: Desk) -> None:
    desk.complaint("eva", "It broke", hours=5)
    desk.complaint("ben", "It broke", hours=50)
    seat = Seat().open("trends")
    page = seat.html
    assert page.index("@ben") < page.index("@eva")
    links = {link.proto.label: link.proto for link in seat.app.get("page_link")}
    assert {"Open case 1", "Open case 2"} <= set(links), "each says which one"
    every = links["All of them"]
    assert every.page == "rows"
    listed = Seat().open("rows", **dict(parse_qsl(every.query_string)))
    assert "<h1>2 cases</h1>" in listed.html


@time_machine.travel(AT, tick=False)
def test_the_report_of_a_week_is_a_page_and_a_file(busy: Desk) -> None:
    seat = Seat().open("report", week="2026-W47")
    assert "Halewick: complaints of 2026-W47" in seat.html
    assert "so far" in seat.html
    assert "<img" not in seat.html
    assert "&lt;img src=x" in seat.html
    assert "complaints of 2026-W46" in Seat().open("report").html, "the last full week"
    assert "complaints of 2020-W01" in Seat().open("report", week="2020-W01").html
    assert "complaints of 2026-W46" in Seat().open("report", week="never").html


def test_numbers_lead_nowhere_else(desk: Desk) -> None:
    desk.complaint("eva", "It broke", hours=5)
    for target in re.findall(r'href="([^"]*)"', Seat().open("trends").html):
        assert urlsplit(html.unescape(target)).path == "rows"
