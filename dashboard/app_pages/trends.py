"""What people complain about in numbers: how much, what is new, how well and how fast we answer."""

from datetime import date, timedelta

import streamlit as st

from dashboard import resources
from dashboard.markup import draw, tag
from dashboard.period_picker import pick
from dashboard.response_box import (
    draw_ends,
    draw_found,
    draw_never,
    draw_promises,
    draw_times,
    draw_work,
)
from dashboard.volume_box import draw_charts, draw_figures, draw_parts, draw_topics
from monitor.store.models import now
from monitor.watch.trends.conditions import Rules
from monitor.watch.trends.overview import Overview, overview, whats_new
from monitor.watch.trends.periods import Period
from monitor.watch.trends.response import never_answered
from monitor.watch.trends.topics import Topics

REPORT_PAGE = "app_pages/report.py"


def main() -> None:
    """The whole page."""
    zone, rules = resources.config().zone, resources.rules()
    picked = pick(zone, now())
    told = _counted(picked.period.first, picked.period.last, picked.by, picked.hourly, rules)
    _extent(told)
    with resources.session() as session:
        oldest = list(never_answered(session))
    if told.volumes.totals.posts == 0 and told.response.found.cases == 0:
        _nothing(told.period)
        draw_never(told, oldest)
        return
    draw_figures(told)
    draw_charts(told, picked.by, zone, hourly=picked.hourly)
    draw_parts(told)
    new = st.container()  # filled last: texts take longer to read than an index
    with st.container(key="trend-columns"):
        left, right = st.columns(2, gap="large")
    with left:
        draw_found(told)
        draw_ends(told)
    with right:
        draw_promises(told)
        draw_work(told)
    draw_times(told)
    draw_never(told, oldest)
    topics = _new(told.period, told.before, rules)
    with new:
        draw_topics(told, topics)


@st.cache_data(ttl=60, max_entries=50, show_spinner="Counting …", hash_funcs={Rules: repr})
def _counted(first: date, last: date, by: str, hourly: bool, rules: Rules) -> Overview:
    """Up to a minute old."""
    period = Period(first, last, resources.config().zone)
    return overview(resources.database(), period, by, rules, now(), hourly=hourly)


@st.cache_data(
    ttl=60,
    max_entries=50,
    show_spinner="Reading what is new …",
    hash_funcs={Rules: repr, Period: repr},
)
def _new(period: Period, before: Period, rules: Rules) -> Topics:
    """Up to a minute old."""
    with resources.session() as session:
        return whats_new(session, period, before, rules)


def _extent(told: Overview) -> None:
    """Which days are shown, and against which."""
    period, before = told.period, told.before
    against = f"{before}, up to the same time" if before.cut else f"{before}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = f"{period}, against {against}. Days of {period.zone.key}."
        draw(tag("p", words, cls="muted"), width="content")
        monday = period.first - timedelta(days=period.first.weekday())
        year, week, _ = monday.isocalendar()
        st.page_link(
            REPORT_PAGE,
            label="Report of a week",
            icon=":material/print:",
            query_params={"week": f"{year}-W{week:02d}"},
        )


def _nothing(period: Period) -> None:
    text = f"Nothing was posted about you from {period}, as far as the sources tell."
    draw(tag("div", tag("h2", "Nothing to count yet"), tag("p", text), cls="empty"))


main()
