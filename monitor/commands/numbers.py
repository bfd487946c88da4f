"""Numbers on paper."""

from pathlib import Path
from typing import Annotated

import typer

from monitor import schedule
from monitor.commands.shared import DEFAULT_CONFIG, ConfigPath, console, errors, fail
from monitor.config import load
from monitor.store.db import connect, migrate
from monitor.store.models import now
from monitor.watch.reports.report import document, weekly
from monitor.watch.trends.overview import rules_of
from monitor.watch.trends.periods import name_of_week, week_named, week_of


def report(
    config: ConfigPath = DEFAULT_CONFIG,
    week: Annotated[
        str | None, typer.Option(help="The week, like 2026-W47; left out: the last full one.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The file; left out: report-WEEK.html.")] = None,
) -> None:
    """Write the report of a week as one HTML file that prints on two pages or so."""
    checked = load(config)
    at = now()
    try:
        period = week_named(week, checked.zone) if week else week_of(at, checked.zone, back=1)
    except ValueError as error:
        fail(str(error))
    if period.begins > at:
        fail(f"{name_of_week(period)} has not begun.")
    database = connect(checked.database_url)
    migrate(database)
    rules = rules_of(checked, schedule.threshold(checked))
    with errors.status("Counting ..."):
        written = document(weekly(database, checked.company.name, period, rules, at))
    path = out or Path(f"report-{name_of_week(period)}.html")
    try:
        path.write_text(written, encoding="utf-8")
    except OSError as error:
        fail(f"{path} cannot be written: {error}")
    console.print(f"Wrote {path}: open it in a browser, and print it from there.")
