"""A week on paper and in a message: what they count, what they never run, and when they go out."""

import csv
import io
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from openpyxl import load_workbook
from sqlmodel import Session, select
from typer.testing import CliRunner

from monitor.__main__ import app
from monitor.config import Config, ConfigError, load
from monitor.schedule import Engine
from monitor.settings import Company, Desk, Digest
from monitor.store.models import Delivery, Dismissal, Outcome
from monitor.watch.reports import digest, export
from monitor.watch.reports.digest import due_at, queue_digest
from monitor.watch.reports.report import document, weekly
from monitor.watch.reports.sheet import Value, to_csv, to_xlsx
from monitor.watch.trends.counting import count
from monitor.watch.trends.measures import MEASURES, Asked
from monitor.watch.trends.periods import Period
from tests.conftest import FakeScorer
from tests.monitor.numbers import AT, OFFICE, RULES, VIENNA, WEEK, Rows, utc

MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
HOSTILE = '<img src=x onerror=alert(1)> router firmware "& \u202e =1+1'


@pytest.fixture
def rows(session: Session) -> Rows:
    """A week in which eight people write of their firmware, and one case of each end."""
    rows = Rows(session)
    rows.case(utc(10), "old", "the bill is wrong", answered=utc(10, 13))
    for number in range(8):
        rows.post(utc(10, number), f"bill{number}", "the bill is wrong")
        rows.case(utc(17, number), f"new{number}", f"{HOSTILE} {number}")
    rows.case(
        utc(18), "ann", "down", answered=utc(18, 13), resolved=utc(19), outcome=Outcome.SOLVED
    )
    rows.case(
        utc(18), "spam", "=HYPERLINK(1)", resolved=utc(19), outcome=Outcome.DISMISSED,
        dismissal=Dismissal.SPAM,
    )  # fmt: skip
    return rows


def config(path: Path = Path(), **changes: Any) -> Config:
    """Settings with a digest to two channels on Mondays at eight."""
    values: dict[str, Any] = {
        "path": path,
        "company": Company(name="Acme <b>"),
        "database_url": "",
        "zone": VIENNA,
        "model": "shipped",
        "desk": Desk(),
        "people": [],
        "sources": {},
        "hours": OFFICE,
        "digest": Digest(channels=["mail", "chat", "mail"]),
    }
    return Config(**{**values, **changes})


@time_machine.travel(MONDAY, tick=False)
def test_the_report_counts_and_strangers_words_are_text(rows: Rows, database: sa.Engine) -> None:
    written = document(weekly(database, "Acme <b>", WEEK, RULES, MONDAY))
    assert "<img" not in written
    assert "<script" not in written.lower()
    assert "\u202e" not in written
    assert "&lt;img src=x onerror=alert(1)&gt;" in written
    assert "Acme &lt;b&gt;: complaints of 2026-W47" in written
    assert "default-src 'none'" in written
    assert "Tue 17" in written
    assert "router firmware" in written
    assert '<td>Complaints</td><td class="n">10</td><td>1 more than 9 (+11%)</td>' in written
    assert '<td>Answered, of all cases found</td><td class="n">10%</td>' in written
    assert "Dismissed: spam" in written
    assert not re.search(r"(src|href)=", re.sub(r"<bdi.*?</bdi>", "", written)), "fetches nothing"


@time_machine.travel(MONDAY, tick=False)
def test_a_report_of_nothing_says_so(database: sa.Engine) -> None:
    written = document(weekly(database, "Acme", WEEK, RULES, MONDAY))
    assert "not measured" in written
    assert "Nothing to compare" in written


def test_the_digest_is_written_once_for_each_channel(rows: Rows, database: sa.Engine) -> None:
    session = rows.session
    with time_machine.travel(MONDAY - timedelta(minutes=1), tick=False):
        assert queue_digest(database, config(), 0.5) == 0
    with time_machine.travel(MONDAY, tick=False):
        assert queue_digest(database, config(), 0.5) == 2
        assert queue_digest(database, config(), 0.5) == 0, "whichever engine asks"
    told = session.exec(select(Delivery).order_by(Delivery.channel)).all()
    assert [(one.channel, one.key) for one in told] == [
        ("chat", "digest:2026-W47"),
        ("mail", "digest:2026-W47"),
    ]
    assert told[0].title == "Acme <b>: 10 complaints in 2026-W47"
    assert not told[0].urgent
    assert told[0].sent_at is None
    assert "Complaints: 10, 1 more than 9 (+11%)" in told[0].text
    assert "Answered, of all 10 cases found: 10%, 90 points less than 100%" in told[0].text
    assert "- router firmware (8, 0)" in told[0].text
    assert "Never answered, now: 8" in told[0].text
    with time_machine.travel(MONDAY + timedelta(hours=3), tick=False):
        more = config(digest=Digest(channels=["mail", "new"]))
        assert queue_digest(database, more, 0.5) == 1, "a channel that came later"
    with time_machine.travel(MONDAY + timedelta(days=3), tick=False):
        assert queue_digest(database, config(digest=Digest(channels=["late"])), 0.5) == 0


def test_a_digest_of_the_weekend_may_be_late_too(database: sa.Engine) -> None:
    sunday = config(digest=Digest(channels=["mail"], weekday="sun", at=time(8)))
    for hours, number in ((-1, 0), (25, 1), (26, 0)):
        at = due_at(sunday, WEEK) + timedelta(hours=hours)
        with time_machine.travel(at, tick=False):
            assert queue_digest(database, sunday, 0.5) == number
    with Session(database) as session:
        assert session.exec(select(Delivery.key)).all() == ["digest:2026-W47"]


def test_the_digest_keeps_to_the_teams_clock_over_the_change() -> None:
    before = Period(date(2026, 10, 12), date(2026, 10, 18), VIENNA)
    after = Period(date(2026, 10, 19), date(2026, 10, 25), VIENNA)
    assert due_at(config(), before) == datetime(2026, 10, 19, 6, tzinfo=UTC)
    assert due_at(config(), after) == datetime(2026, 10, 26, 7, tzinfo=UTC)
    friday = config(digest=Digest(weekday="fri", at=time(17, 30)))
    assert due_at(friday, WEEK) == datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
    assert timedelta(days=7) > digest.LATE, "two weeks are never due at once"


def test_the_digest_is_set_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    text = 'alerts.ticket = ["mail"]\n[company]\nname = "Acme"\n'
    text += '[digest]\nchannels = ["mail"]\nweekday = "tue"\nat = "{}"\n'
    path.write_text(text.format("07:15"), encoding="utf-8")
    assert load(path).digest == Digest(channels=["mail"], weekday="tue", at=time(7, 15))
    path.write_text(text.format("soon"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 7: digest\.at"):
        load(path)


def test_the_engine_queues_it_only_where_it_is_asked_for(database: sa.Engine) -> None:
    with time_machine.travel(MONDAY, tick=False), Session(database) as session:
        for settings, number in ((Digest(), 0), (Digest(channels=["mail"]), 1)):
            asked = config(digest=settings, desk=Desk(threshold=0.5))
            Engine(asked, database, FakeScorer(), {}).digest()
            assert len(session.exec(select(Delivery)).all()) == number
            session.rollback()


def test_the_command_writes_a_week(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    text = 'database_url = "sqlite:///m.db"\n[company]\nname = "Acme"\n[desk]\nthreshold = 0.5\n'
    path.write_text(text, encoding="utf-8")
    out = tmp_path / "week.html"

    def report(*more: str) -> Any:
        return CliRunner().invoke(app, ["report", "-c", str(path), "--out", str(out), *more])

    assert report("--week", "2026-W40").exit_code == 0
    assert "Acme: complaints of 2026-W40" in out.read_text(encoding="utf-8")
    assert report().exit_code == 0
    for wrong in ("2026-40", "2126-W01"):
        assert report("--week", wrong).exit_code == 1


@time_machine.travel(AT, tick=False)
def test_an_export_has_a_row_for_everything_a_number_counts(rows: Rows) -> None:
    session = rows.session
    promised = rows.case(utc(19), "pat")
    rows.promise(promised, utc(20))
    rows.promise(promised, utc(18), kept=utc(19))
    rows.promise(promised, utc(18), kept=utc(17))
    for measure in MEASURES:
        asked = Asked(measure, WEEK.begins, WEEK.ends)
        columns, lines = export.table(session, asked, RULES)
        assert len(lines) == count(session, asked, RULES)
        assert all(len(line) == len(columns) for line in lines)
    columns, lines = export.table(session, Asked("cases", WEEK.begins, WEEK.ends), RULES)
    cases = [dict(zip(columns, line, strict=True)) for line in lines]
    assert len({case["case"] for case in cases}) == len(cases) == 11, "one row per case"
    ann = next(case for case in cases if case["author"] == "ann")
    assert (ann["first_response_hours"], ann["first_response_working_hours"]) == (1.0, 1.0)
    assert (ann["outcome"], ann["replies"], ann["source"]) == ("solved", 1, "acme")
    pat = next(case for case in cases if case["author"] == "pat")
    assert (pat["promises"], pat["promises_broken"], pat["promises_late"]) == (3, 1, 1)


BAD = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", '=cmd|"/c calc"!A1')


@pytest.mark.parametrize("bad", BAD)
def test_no_cell_runs(bad: str) -> None:
    told = to_csv(["text", "n"], [[bad, -5]], VIENNA).decode("utf-8-sig")
    (_, (cell, number)) = list(csv.reader(io.StringIO(told, newline="")))
    # After a tab or a line's end a cell of its own may begin.
    assert cell == "'" + re.sub(r"^(\s)", r"\1'", bad)
    assert number == "-5", "our own numbers stay numbers"
    book = load_workbook(io.BytesIO(to_xlsx(["text", "n"], [[bad, -5]], VIENNA)))
    sheet = book.worksheets[0]
    assert sheet["A2"].data_type in ("s", "inlineStr")
    assert sheet["A2"].value.replace("_x000D_", "\r").strip() == bad.strip()
    assert sheet["B2"].value == -5


@pytest.mark.parametrize("between", [";", "; ", '";', ';"', ";;", "\t", "\r", "\n", "\n\t", ";\n"])
@pytest.mark.parametrize("delimiter", [";", "\t", ","])
def test_no_cell_runs_where_a_spreadsheet_parts_the_text(between: str, delimiter: str) -> None:
    told = to_csv(["text"], [[f'hello{between}=HYPERLINK("x","y")']], VIENNA).decode("utf-8-sig")
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        reader = csv.reader(io.StringIO(told, newline=None), delimiter=delimiter, quoting=quoting)
        cells = [cell.strip(' "') for row in reader for line in row for cell in line.splitlines()]
        assert any("HYPERLINK" in cell for cell in cells)
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)
    assert to_csv(["a"], [["a-b; c"]], VIENNA).decode("utf-8-sig").splitlines()[1] == "a-b; c"


def test_sheets_hold_times_of_the_team_and_characters_of_any_kind() -> None:
    rows: list[list[Value]] = [
        ["a\x00b\x0b", datetime(2026, 7, 1, 12, tzinfo=UTC), None, True, "x" * 40_000]
    ]
    told = to_csv(list("abcde"), rows, VIENNA).decode("utf-8-sig")
    assert "2026-07-01 14:00:00+02:00" in told
    sheet = load_workbook(io.BytesIO(to_xlsx(list("abcde"), rows, VIENNA))).worksheets[0]
    assert sheet["A2"].value == "ab"
    assert str(sheet["B2"].value) == "2026-07-01 14:00:00"
    assert sheet["C2"].value is None
    assert len(sheet["E2"].value) == 32_767
