"""How much is complained about: large numbers, charts with their file, the breakdown, topics."""

from textwrap import shorten
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.charts import stacked
from dashboard.markup import Markup, draw, foreign, tag
from dashboard.number_links import count, figure, figures, link, named, table
from monitor.watch.reports.sheet import to_csv
from monitor.watch.reports.wording import change, length, length_change, share, share_change
from monitor.watch.trends.measures import NONE, Asked
from monitor.watch.trends.overview import Overview
from monitor.watch.trends.topics import Topics, asked_of
from monitor.watch.trends.volumes import OF_CASES, PARTS, Cell

COLOURS = 6
"""Values that have bars of their own; the others share one."""

OTHERS = "all others"

QUOTED = 200
"""Characters of a post that stands for its topic."""

COLUMNS = ("begins", "ends", "value", "posts", "complaints")


def draw_figures(told: Overview) -> None:
    """The large numbers, each against the period before."""
    present, before = told.volumes.totals, told.volumes.totals_before
    response, then = told.response, told.response_before
    first, first_before = response.times["first"].clock, then.times["first"].clock
    draw(
        figures(
            figure(
                "Posts about you",
                f"{present.posts:,}",
                told.asked("posts"),
                change(present.posts, before.posts),
                "Public posts of others, without reposts and what was written down by hand",
            ),
            figure(
                "Complaints",
                f"{present.complaints:,}",
                told.asked("complaints"),
                change(present.complaints, before.complaints),
                "Public posts that the model takes for complaints; several can make one case",
            ),
            figure(
                "Share of all posts",
                share(present.share),
                told.asked("complaints"),
                share_change(present.share, before.share),
                "Complaints out of all posts about you",
            ),
            figure(
                "Authors",
                f"{present.authors:,}",
                told.asked("authors"),
                change(present.authors, before.authors),
                "Who complained, each once",
            ),
            figure(
                "Response rate",
                share(response.found.rate),
                told.asked("answered"),
                share_change(response.found.rate, then.found.rate),
                f"{response.found.answered:,} answered out of all {response.found.cases:,} cases "
                "found, those included that were dismissed",
            ),
            figure(
                "Median first response",
                length(first.median),
                told.asked("first"),
                length_change(first.median, first_before.median),
                "From the customer's post to our first answer, over the answers of this period",
            ),
            figure(
                "SLA met",
                share(response.sla_rate),
                told.asked("sla-met"),
                share_change(response.sla_rate, then.sla_rate),
                "SLA promises met, out of those that were due in this period",
            ),
        )
    )


def chart_rows(told: Overview, zone: ZoneInfo) -> list[dict[str, Any]]:
    """What the charts draw and their file holds: the values with most complaints, and the rest."""
    largest = [part.value for part in told.volumes.parts[:COLOURS]]
    rows: dict[tuple[Any, ...], list[Any]] = {}
    for cell in told.volumes.cells:
        value = cell.value if cell.value in largest else OTHERS
        key = (*_times(cell, zone), _called(told, value))
        known = rows.setdefault(key, [None, 0])
        if cell.posts is not None:
            known[0] = (known[0] or 0) + cell.posts
        known[1] += cell.complaints
    return [dict(zip(COLUMNS, (*key, *numbers), strict=True)) for key, numbers in rows.items()]


def _called(told: Overview, value: str) -> str:
    """A value in words; of two incidents with one title each keeps its number."""
    if value == NONE:
        return "unknown"
    title = told.titles.get(value)
    return value if title is None else f"{value}: {title}"


def _times(cell: Cell, zone: ZoneInfo) -> tuple[str, str]:
    return tuple(  # type: ignore[return-value]  # as many as there are names
        at.astimezone(zone).isoformat(timespec="minutes") for at in (cell.begins, cell.ends)
    )


def chart_file(rows: list[dict[str, Any]], zone: ZoneInfo) -> bytes:
    """The charts' rows as CSV."""
    return to_csv(COLUMNS, [tuple(row[name] for name in COLUMNS) for row in rows], zone)


def draw_charts(told: Overview, by: str, zone: ZoneInfo, *, hourly: bool) -> None:
    """Complaints and posts by day or hour, the numbers behind them, and these as a file."""
    rows = chart_rows(told, zone)
    buckets = [
        begins.astimezone(zone).isoformat(timespec="minutes")
        for begins, _ in told.period.buckets(hourly=hourly)
    ]
    unit = "hour" if hourly else "day"
    with st.container(key="charts"):
        left, right = st.columns(2, gap="large")
    with left:
        draw(tag("h3", f"Complaints by {unit}"))
        if by in OF_CASES:
            words = f"A complaint counts once for each {PARTS[by].lower()} of its case."
            draw(tag("p", words, cls="muted"))
        chart = stacked(rows, "complaints", "Complaints", buckets, hourly=hourly)
        st.altair_chart(chart, width="stretch")
    with right:
        if by in OF_CASES:
            draw(tag("p", "Only cases have tags and incidents: posts are not shown by them.",
                     cls="muted"))  # fmt: skip
        else:
            draw(tag("h3", f"All posts by {unit}"))
            chart = stacked(rows, "posts", "Posts", buckets, hourly=hourly)
            st.altair_chart(chart, width="stretch")
    draw(_behind(told, zone, hourly=hourly))
    st.download_button(
        "Download the numbers of these charts as CSV",
        chart_file(rows, zone),
        file_name=f"complaints-{told.period.first}-{told.period.last}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )


def _behind(told: Overview, zone: ZoneInfo, *, hourly: bool) -> Markup:
    """Every bar as a number that opens its posts."""
    lines = []
    parts = {part.value for part in told.volumes.parts}
    for cell in told.volumes.cells:
        if cell.value not in parts or not (cell.complaints or cell.posts):
            continue
        local = cell.begins.astimezone(zone)
        when = f"{local:%a} {local.day} {local:%b}" + (f" {local:%H:%M}" if hourly else "")
        posts = Asked("posts", cell.begins, cell.ends).narrowed(told.by, cell.value)
        lines.append(
            (
                when,
                named(told.titles.get(cell.value, cell.value)),
                count(cell.complaints, posts.other("complaints"), f"complaints, {when}"),
                "" if cell.posts is None else count(cell.posts, posts, f"posts, {when}"),
            )
        )
    inner = table(("From", PARTS[told.by], "Complaints", "Posts"), lines, text_columns=(0, 1))
    return tag("details", tag("summary", "Every bar as a number that opens its posts"), inner)


def draw_parts(told: Overview) -> None:
    """The breakdown."""
    draw(tag("h3", f"By {PARTS[told.by].lower()}", cls="side-title"))
    if not told.volumes.parts:
        draw(tag("p", "Nothing here has one.", cls="muted"))
        return
    rows = []
    for part in told.volumes.parts:

        def of(measure: str, value: str = part.value, *, before: bool = False) -> Asked:
            return told.asked(measure, before=before).narrowed(told.by, value)

        rate = part.answered / part.cases if part.cases else None
        rows.append(
            (
                named(told.titles.get(part.value, part.value)),
                count(part.complaints, of("complaints"), "complaints"),
                count(part.complaints_before, of("complaints", before=True), "before"),
                tag("span", change(part.complaints, part.complaints_before), cls="muted"),
                "" if part.posts is None else count(part.posts, of("posts"), "posts"),
                "" if part.posts is None else share(part.share),
                count(part.authors, of("authors"), "authors"),
                count(part.cases, of("cases"), "cases"),
                count(part.answered, of("answered"), "answered"),
                share(rate) if rate is not None else "",
            )
        )
    columns = (
        "", "Complaints", "Before", "Change", "Posts", "Share", "Authors", "Cases", "Answered",
        "Response rate",
    )  # fmt: skip
    draw(table(columns, rows, text_columns=(0, 3)))


def draw_topics(told: Overview, topics: Topics) -> None:
    """What more people write than before, with a post of each."""
    draw(tag("h3", "What is new", cls="side-title"))
    if not topics.read or not topics.read_before:
        words = "Nothing to compare yet: this period or the one before has no complaints."
        draw(tag("p", words, cls="muted"))
        return
    read = f"From the words of {topics.read:,} complaints against {topics.read_before:,} before."
    draw(tag("p", read + " Three authors or more, and more of them than before.", cls="muted"))
    if not topics.topics:
        draw(tag("p", "No word rose.", cls="muted"))
        return
    rows = []
    for topic in topics.topics:
        asked, earlier = (
            asked_of(topic, told.asked("complaints", before=before)) for before in (False, True)
        )
        rows.append(
            (
                foreign(topic.words),
                count(topic.authors, asked.other("authors"), "authors"),
                count(topic.before, earlier.other("authors"), "authors before"),
                link(f"{topic.posts:,}", asked, f"posts that say {topic.words}"),
                foreign(shorten(topic.newest, QUOTED, placeholder=" …")),
            )
        )
    columns = ("Words", "Authors", "Authors before", "Posts", "The newest of them")
    draw(table(columns, rows, text_columns=(0, 4)))
