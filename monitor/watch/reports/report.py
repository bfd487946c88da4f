"""A week on paper: one HTML file that needs nothing beside it and runs nothing.

What strangers wrote stands in it as text. It fits a page or two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from monitor.watch.reports.paper import STYLE, escaped, foreign, named, nothing, short, table
from monitor.watch.reports.wording import (
    change,
    counted,
    length,
    length_change,
    share,
    share_change,
)
from monitor.watch.trends import response
from monitor.watch.trends.conditions import Rules
from monitor.watch.trends.measures import NONE
from monitor.watch.trends.overview import Overview, overview, whats_new
from monitor.watch.trends.periods import Period, name_of_week
from monitor.watch.trends.topics import Topics
from monitor.watch.trends.volumes import Cell

OLDEST = 8


@dataclass(frozen=True)
class Weekly:
    """What a week's report tells."""

    company: str
    zone: ZoneInfo
    told: Overview
    topics: Topics
    oldest: list[tuple[int, str, str]]
    """Never answered: case, handle and since when."""


def weekly(database: sa.Engine, company: str, week: Period, rules: Rules, at: datetime) -> Weekly:
    """Count a week, Monday to Sunday, against the one before."""
    told = overview(database, week, "network", rules, at)
    with Session(database) as session:
        topics = whats_new(session, told.period, told.before, rules)
        oldest = [
            (case.id, author.handle, f"{case.opened_at.astimezone(week.zone):%d %b %Y}")
            for case, author in response.never_answered(session, OLDEST)
        ]
    return Weekly(company, week.zone, told, topics, oldest)


def document(week: Weekly) -> str:
    """The whole file."""
    title = f"{week.company}: complaints of {name_of_week(week.told.period)}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escaped(title)}</title><style>{STYLE}</style></head>"
        f"<body>{body(week)}</body></html>\n"
    )


def body(week: Weekly) -> str:
    """The report without its frame, for a page that has one; needs STYLE."""
    told = week.told
    begun = "" if told.period.ends <= told.at else ", so far"
    head = (
        f"<h1>{escaped(week.company)}: complaints of {name_of_week(told.period)}</h1>"
        f'<p class="muted">{told.period}{begun}, against the week before. '
        f"Times of {escaped(week.zone.key)}; "
        f"counted {told.at.astimezone(week.zone):%d %b %Y, %H:%M}.</p>"
    )
    sections = [
        ("In short", _key_figures(told)),
        ("Complaints by day", bars(told.volumes.cells, told.period)),
        ("Where", _parts(told)),
        ("What is new", _topics(week)),
        ("How fast", _times(told)),
        ("What became of the cases that were found", _ends(told)),
        ("Promises", _promises(told)),
        ("Never answered, at this moment", _never(week)),
        ("Who did what", _work(told)),
    ]
    inner = "".join(f"<section><h2>{name}</h2>{part}</section>" for name, part in sections)
    return f'<div class="weekly">{head}{inner}</div>'


def _key_figures(told: Overview) -> str:
    now, then = told.volumes.totals, told.volumes.totals_before
    present, before = told.response, told.response_before
    first, first_before = present.times["first"].clock, before.times["first"].clock
    rows = [
        ("Complaints", f"{now.complaints:,}", change(now.complaints, then.complaints)),
        ("Share of all posts", share(now.share), share_change(now.share, then.share)),
        ("Authors who complained", f"{now.authors:,}", change(now.authors, then.authors)),
        (
            "Cases found",
            f"{present.found.cases:,}",
            change(present.found.cases, before.found.cases),
        ),
        (
            "Answered, of all cases found",
            share(present.found.rate),
            share_change(present.found.rate, before.found.rate),
        ),
        (
            "Median first response",
            length(first.median),
            length_change(first.median, first_before.median),
        ),
        (
            "SLA promises met",
            share(present.sla_rate),
            share_change(present.sla_rate, before.sla_rate),
        ),
    ]
    return table(("", "This week", "Against the week before"), rows, numbers=(1,))


def bars(cells: Sequence[Cell], period: Period) -> str:
    """Complaints of each day as bars with their numbers.

    A bar is a border: browsers leave grounds out of print, and borders they print.
    """
    sums = dict.fromkeys(period.days, 0)
    for cell in cells:
        sums[cell.begins.astimezone(period.zone).date()] += cell.complaints
    top = max([1, *sums.values()])
    drawn = "".join(
        f'<div><span>{number:,}</span><i style="border-bottom-width:{80 * number / top:.0f}px"></i>'
        f"<span>{day:%a} {day.day}</span></div>"
        for day, number in sums.items()
    )
    label = "Complaints by day: " + ", ".join(f"{day:%a} {n}" for day, n in sums.items())
    return f'<div class="bars" role="img" aria-label="{label}">{drawn}</div>'


def _parts(told: Overview) -> str:
    rows = [
        (
            foreign(named(part.value)),
            f"{part.complaints:,}",
            change(part.complaints, part.complaints_before),
            share(part.share),
            f"{part.authors:,}",
            f"{part.answered:,} of {part.cases:,}",
        )
        for part in told.volumes.parts
    ]
    columns = ("Network", "Complaints", "Before", "Share of posts", "Authors", "Cases answered")
    return table(columns, rows, numbers=(1, 3, 4, 5)) if rows else nothing("No posts.")


def _topics(week: Weekly) -> str:
    topics = week.topics
    if not topics.read_before or not topics.read:
        return nothing("Nothing to compare: one of the two weeks has no complaints.")
    if not topics.topics:
        return nothing("No word rose that at least three people wrote.")
    rows = [
        (
            foreign(topic.words),
            f"{topic.authors:,}",
            f"{topic.before:,}",
            foreign(short(topic.newest)),
        )
        for topic in topics.topics
    ]
    return table(("Words", "Authors", "Before", "One of the posts"), rows, numbers=(1, 2))


def _times(told: Overview) -> str:
    rows = []
    for name, words in response.WAITED.items():
        times, before = told.response.times[name], told.response_before.times[name]
        if not times.clock.number:
            rows.append((words, "0", *["–"] * 5, f"before: {length(before.clock.median)}"))
            continue
        rows.append(
            (
                words,
                f"{times.clock.number:,}",
                length(times.clock.median),
                length(times.clock.p90),
                length(times.working.median),
                length(times.inside.median),
                length(times.outside.median),
                length_change(times.clock.median, before.clock.median),
            )
        )
    columns = (
        "", "Times", "Median", "90% within", "Median of working time", "Begun in hours",
        "Begun out of hours", "Median before",
    )  # fmt: skip
    return table(columns, rows, numbers=(1, 2, 3, 4, 5, 6))


def _ends(told: Overview) -> str:
    found = told.response.found
    rows = [
        ("Answered", f"{found.answered:,}"),
        ("Not answered yet, or ended without an answer", f"{found.unanswered:,}"),
        *[
            (f"Dismissed: {named(reason)}", f"{number:,}")
            for reason, number in sorted(told.response.dismissals.items())
        ],
        ("All cases found", f"{found.cases:,}"),
    ]
    ends = ", ".join(
        f"{escaped(named(name))} {number:,}" for name, number in told.response.outcomes.items()
    )
    return table(("", "Cases"), rows, numbers=(1,)) + (
        f"<p>Cases that ended in this week, whenever they were found: {ends or 'none'}.</p>"
    )


def _promises(told: Overview) -> str:
    met, missed, kept = told.response.met, told.response.missed, told.response.kept
    lines = [
        f"{escaped(name)}: {met.get(name, 0):,} met, {missed.get(name, 0):,} missed"
        for name in sorted({*met, *missed})
    ]
    sla = "; ".join(lines) or "none was due"
    customers = (
        f"{kept.kept:,} kept, {kept.late:,} kept late, {kept.broken:,} broken, "
        f"{kept.running:,} still to be kept"
    )
    return f"<p>Of the SLA: {sla}.</p><p>To customers: {customers}.</p>"


def _never(week: Weekly) -> str:
    ages = "; ".join(f"{age.words}: {age.number:,}" for age in week.told.ages)
    if not week.oldest:
        return nothing("Every standing case has been answered at least once.")
    rows = [(str(number), foreign(f"@{handle}"), since) for number, handle, since in week.oldest]
    return f"<p>{ages}.</p>" + table(("Case", "The oldest", "Since"), rows)


def _work(told: Overview) -> str:
    rows = [
        (
            foreign("nobody" if one.agent == NONE else one.agent),
            f"{one.replies:,}",
            f"{one.resolved:,}",
            f"{one.held:,}",
        )
        for one in told.work
    ]
    if not rows:
        return nothing("Nobody has or did anything.")
    columns = ("", "Answers", "Cases that ended", "Cases now")
    said = counted(told.response.said_complaint + told.response.said_fine, "post")
    return table(columns, rows, numbers=(1, 2, 3)) + (
        f"<p>People corrected the model on {said} ({told.response.said_complaint:,} missed, "
        f"{told.response.said_fine:,} no complaints).</p>"
    )
