"""What people complain about in numbers: how much, how well and how fast we answer."""

from datetime import timedelta

import streamlit as st

from dashboard import resources, times, widgets
from dashboard.charts import bars, cells, to_csv
from dashboard.markup import Markup, draw, foreign, tag
from monitor.store.models import Author, Case, now
from monitor.watch import trends
from monitor.watch.trends import Day, Summary

PERIODS = (7, 14, 30)

CASE_PAGE, QUEUE_PAGE = "app_pages/case.py", "app_pages/work_queue.py"


def main() -> None:
    """The whole page."""
    with st.container(key="top", horizontal=True, vertical_alignment="center"):
        draw(tag("h1", "Trends"), width="content")
        st.space("stretch")
        days = st.segmented_control(
            "Period",
            PERIODS,
            default=7,
            required=True,
            format_func=lambda days: f"{days} days",
            key="days",
            bind="query-params",
            label_visibility="collapsed",
        )
    limit = resources.threshold()
    if limit is None:
        resources.stop(
            "There is nothing to count complaints by",
            "No model is installed and no threshold is set. Set desk.threshold in the settings.",
        )
    summary, by_day = _figures(days or 7, limit)
    if summary.posts == 0 and summary.cases == 0 and not by_day:
        _nothing(days or 7)
    else:
        _key_figures(summary)
        _charts(by_day, days or 7)
    _never_answered()


@st.cache_data(ttl=60, show_spinner="Counting…")
def _figures(days: int, threshold: float) -> tuple[Summary, list[Day]]:
    zone = resources.config().zone
    with resources.session() as session:
        return (
            trends.summary(session, zone, days, threshold),
            trends.by_day(session, zone, days, threshold),
        )


def _nothing(days: int) -> None:
    text = f"Nothing was posted about you in the last {days} days, as far as the sources tell."
    draw(tag("div", tag("h2", "Nothing to count yet"), tag("p", text), cls="empty"))


def _key_figures(summary: Summary) -> None:
    rate = summary.response_rate
    first = summary.median_first_response
    with st.container(key="figures", horizontal=True):
        st.metric(
            "Posts about you", f"{summary.posts:,}", help="Public posts of others, without reposts"
        )
        st.metric(
            "Complaints",
            f"{summary.complaints:,}",
            help="Posts that the model takes for complaints; several can make one case",
        )
        st.metric(
            "Cases",
            f"{summary.cases:,}",
            help=f"Customers' problems; {summary.dismissed:,} of them needed no answer",
        )
        st.metric(
            "Response rate",
            "not measured" if rate is None else f"{rate:.0%}",
            help=f"{summary.answered:,} answered out of all {summary.cases:,} cases found, "
            "those included that were closed without an answer",
        )
        st.metric(
            "Median first response",
            "not measured" if first is None else _hours(first),
            help="From the customer's post to our first answer, over the cases that were answered. "
            "The never answered are below.",
        )


def _hours(hours: float) -> str:
    """A median, exact enough to be compared with last week's."""
    return f"{hours * 60:.0f} min" if hours < 1 else f"{hours:.1f} h"


def _charts(by_day: list[Day], days: int) -> None:
    rows = [cells(day) for day in by_day]
    shown = _calendar(days)
    with st.container(key="charts"):
        left, right = st.columns(2, gap="large")
    with left:
        draw(tag("h3", "Complaints by day"))
        st.altair_chart(bars(rows, "complaints", "Complaints", shown), width="stretch")
    with right:
        draw(tag("h3", "First answers by day"))
        st.altair_chart(bars(rows, "answered", "First answers", shown), width="stretch")
    st.download_button(
        "Download these numbers as CSV",
        to_csv(rows),
        file_name=f"complaints-{days}-days.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )


def _calendar(days: int) -> list[str]:
    """Every day of the period: one without posts is a gap that one should see."""
    today = now().astimezone(resources.config().zone).date()
    return [(today - timedelta(days=back)).isoformat() for back in range(days - 1, -1, -1)]


def _never_answered() -> None:
    with resources.session() as session:
        found = trends.never_answered(session)
    title = tag("h3", "Never answered, the oldest first", cls="side-title")
    draw(title)
    if not found:
        draw(tag("p", "Every standing case has been answered at least once.", cls="muted"))
        return
    for case, author in found:
        with st.container(
            key=f"never-{case.id}",
            horizontal=True,
            wrap=False,
            vertical_alignment="center",
            gap="small",
        ):
            draw(_waiter(case, author))
            st.page_link(
                CASE_PAGE,
                label="Open",
                icon=":material/chevron_right:",
                query_params={"id": str(case.id)},
                width=40,
            )
    st.page_link(
        QUEUE_PAGE,
        label="All of them in the queue",
        icon=":material/inbox:",
        query_params={"status": "all", "reply": "Unanswered"},
    )


def _waiter(case: Case, author: Author) -> Markup:
    age = times.ago(case.opened_at, resources.config().zone)
    return tag(
        "div",
        tag("b", age),
        foreign(f"@{author.handle}", cls="handle"),
        tag("span", foreign(case.network), cls="muted"),
        widgets.status_badge(case.status),
        widgets.owner(case.assignee, None),
        cls="never",
    )


main()
