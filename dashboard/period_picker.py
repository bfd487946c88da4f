"""Which period the trends show, and by what: kept in the address."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.markup import draw, tag
from monitor.watch.trends.periods import HOURLY, LONGEST, Period, last_days, week_of
from monitor.watch.trends.volumes import PARTS

SEVEN, THIRTY, NINETY = "7 days", "30 days", "90 days"
THIS_WEEK, LAST_WEEK, CUSTOM = "This week", "Last week", "Custom"
PERIODS = (SEVEN, THIRTY, NINETY, THIS_WEEK, LAST_WEEK, CUSTOM)

DAYS = {SEVEN: 7, THIRTY: 30, NINETY: 90}
BY_DAY, BY_HOUR = "By day", "By hour"


@dataclass(frozen=True)
class Picked:
    """What somebody wants to see."""

    period: Period
    by: str
    hourly: bool


def pick(zone: ZoneInfo, at: datetime) -> Picked:
    """The controls at the top of the page."""
    names = {words: by for by, words in PARTS.items()}
    with st.container(key="top", horizontal=True, vertical_alignment="center"):
        draw(tag("h1", "Trends"), width="content")
        st.space("stretch")
        chosen = st.segmented_control(
            "Period",
            PERIODS,
            default=SEVEN,
            required=True,
            key="period",
            bind="query-params",
            label_visibility="collapsed",
        )
    with st.container(key="filters", horizontal=True, vertical_alignment="center", gap="small"):
        by = st.selectbox("Broken down by", list(names), key="by", bind="query-params", width=210)
        period = _period(chosen or SEVEN, zone, at)
        hourly = False
        if len(period.days) <= HOURLY:
            shown = st.segmented_control(
                "Bars", (BY_DAY, BY_HOUR), default=BY_DAY, required=True, key="bars",
                bind="query-params",
            )  # fmt: skip
            hourly = shown == BY_HOUR
    return Picked(period, names.get(by, "network"), hourly)


def _period(chosen: str, zone: ZoneInfo, at: datetime) -> Period:
    today = at.astimezone(zone).date()
    if chosen == THIS_WEEK:
        return week_of(at, zone)
    if chosen == LAST_WEEK:
        return week_of(at, zone, back=1)
    if chosen != CUSTOM:
        return last_days(DAYS.get(chosen, 7), zone, at)
    picked = st.date_input(
        "From and until",
        value=(today - timedelta(days=13), today),
        min_value=date(2000, 1, 1),
        max_value=today,
        key="range",
        bind="query-params",
        width=230,
    )
    days = list(picked) if isinstance(picked, tuple) else [picked]
    first, last = (days[0], days[-1]) if days else (today, today)
    if (last - first).days >= LONGEST:
        first = last - timedelta(days=LONGEST - 1)
        draw(tag("p", f"No more than {LONGEST} days at once: shown from {first}.", cls="muted"))
    return Period(first, last, zone)
