"""The report of a week, ready to be printed or sent on."""

from datetime import timedelta

import streamlit as st

from dashboard import resources
from monitor.store.models import now
from monitor.watch.reports import report
from monitor.watch.reports.paper import STYLE
from monitor.watch.reports.report import Weekly
from monitor.watch.trends.conditions import Rules
from monitor.watch.trends.periods import Period, name_of_week, week_named, week_of

TRENDS_PAGE = "app_pages/trends.py"

WEEKS = 12

PRINTED = """
@media screen { .weekly { overflow-x: auto; } }
@media screen and (max-width: 1020px) { .weekly { font-size: 9pt; } }
@media print {
  [data-testid="stSidebar"], [data-testid="stHeader"], .st-key-report-bar { display: none; }
  [data-testid="stMainBlockContainer"] { padding: 0; max-width: none; }
  .stApp, [data-testid="stAppViewContainer"], [data-testid="stMain"] {
    position: static; overflow: visible; height: auto; background: #fff;
  }
}
"""


def main() -> None:
    """The whole page."""
    config, rules = resources.config(), resources.rules()
    names = _weeks()
    with st.container(key="report-bar", horizontal=True, vertical_alignment="bottom"):
        st.page_link(TRENDS_PAGE, label="Trends", icon=":material/arrow_back:")
        st.space("stretch")
        asked = st.query_params.get("week", names[1])
        if asked not in names:
            names = [asked, *names] if _week(asked) else names
        week = st.selectbox(
            "Week",
            names,
            index=names.index(asked) if asked in names else 1,
            key="report-week",
            format_func=_in_words,
            width=250,
        )
        period = _week(week or names[1]) or week_of(now(), config.zone, back=1)
        written = _written(name_of_week(period), rules)
        st.download_button(
            "Download as one file",
            report.document(written).encode(),
            file_name=f"report-{name_of_week(period)}.html",
            mime="text/html",
            icon=":material/download:",
            on_click="ignore",
            help="To send on. To print it, use the browser: Ctrl+P.",
        )
    st.html(f"<style>{STYLE}{PRINTED}</style>")
    st.html(report.body(written))


def _weeks() -> list[str]:
    """The names of this week and of those before."""
    zone, at = resources.config().zone, now()
    return [name_of_week(week_of(at - timedelta(weeks=back), zone)) for back in range(WEEKS)]


def _in_words(name: str) -> str:
    """'16 Nov to 22 Nov 2026 (2026-W47)'."""
    week = _week(name)
    if week is None:
        return name
    first, last = week.first, week.last
    return f"{first.day} {first:%b} to {last.day} {last:%b %Y} ({name})"


def _week(name: str) -> Period | None:
    try:
        return week_named(name, resources.config().zone)
    except ValueError:
        return None


@st.cache_data(ttl=60, max_entries=20, show_spinner="Counting …", hash_funcs={Rules: repr})
def _written(name: str, rules: Rules) -> Weekly:
    """Up to a minute old."""
    config = resources.config()
    week = week_named(name, config.zone)
    return report.weekly(resources.database(), config.company.name, week, rules, now())


main()
