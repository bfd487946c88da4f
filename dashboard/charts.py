"""The rows that a chart shows, as a chart and as a file: the same ones."""

import csv
import io
from typing import Any

import altair as alt

from monitor.watch.trends import Day

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet."""


def cells(day: Day) -> dict[str, Any]:
    """A day on a network as one row."""
    return {
        "day": day.day.isoformat(),
        "network": day.network,
        "posts": day.posts,
        "complaints": day.complaints,
        "answered": day.answered,
    }


def bars(rows: list[dict[str, Any]], field: str, title: str, days: list[str]) -> alt.Chart:
    """Bars by day, stacked by network. Colours come from the theme, light or dark."""
    words = 'timeFormat(toDate(datum.value + "T12:00"), "%a %-d %b")'
    chart: alt.Chart = (
        alt.Chart({"values": rows})
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X(
                "day:O",
                title=None,
                scale=alt.Scale(domain=days),
                axis=alt.Axis(labelExpr=words, labelAngle=0, labelOverlap="greedy"),
            ),
            y=alt.Y(f"sum({field}):Q", title=None, axis=alt.Axis(tickMinStep=1, format="d")),
            color=alt.Color("network:N", title=None, legend=alt.Legend(orient="top")),
            tooltip=[
                alt.Tooltip("day:O", title="Day"),
                alt.Tooltip("network:N", title="Network"),
                alt.Tooltip(f"sum({field}):Q", title=title),
            ],
        )
        .properties(height=260, padding={"left": 4, "right": 16, "top": 4, "bottom": 4})
    )
    return chart


def growth(rows: list[dict[str, Any]]) -> alt.Chart:
    """How many distinct authors had told of an incident, over time."""
    chart: alt.Chart = (
        alt.Chart({"values": rows})
        .mark_line(interpolate="step-after", point=True)
        .encode(
            x=alt.X("time:T", title=None),
            y=alt.Y("authors:Q", title=None, axis=alt.Axis(tickMinStep=1, format="d")),
            tooltip=[
                alt.Tooltip("time:T", title="Time", format="%a %-d %b %H:%M"),
                alt.Tooltip("authors:Q", title="Distinct authors"),
            ],
        )
        .properties(height=200, padding={"left": 4, "right": 16, "top": 4, "bottom": 4})
    )
    return chart


def by_threshold(
    rows: list[dict[str, Any]], field: str, title: str, chosen: float, today: float
) -> alt.LayerChart | alt.FacetChart:
    """A line over thresholds, with its interval where the rows have one, and where one stands."""
    x = alt.X(
        "threshold:Q",
        title="Threshold",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".2f"),
    )
    shown = [
        alt.Tooltip("threshold:Q", title="Threshold", format=".2f"),
        alt.Tooltip(f"{field}:Q", title=title, format=",.0f"),
    ]
    base = alt.Chart({"values": rows}).encode(x=x, tooltip=shown)
    layers = [
        base.mark_line(point=True).encode(y=alt.Y(f"{field}:Q", title=None)),
        _rule(chosen, [1, 0]),
        _rule(today, [3, 3]),
    ]
    if rows and "low" in rows[0]:
        layers.insert(0, base.mark_area(opacity=0.18).encode(y="low:Q", y2="high:Q"))
    return alt.layer(*layers).properties(
        height=260, padding={"left": 4, "right": 16, "top": 4, "bottom": 4}
    )


def _rule(at: float, dash: list[int]) -> alt.Chart:
    # A grey that can be seen on both grounds.
    rule: alt.Chart = (
        alt.Chart({"values": [{"threshold": at}]})
        .mark_rule(color="#8593a3", strokeDash=dash, strokeWidth=1.5)
        .encode(x="threshold:Q")
    )
    return rule


def to_csv(rows: list[dict[str, Any]]) -> bytes:
    """The chart's rows, with nothing in them that a spreadsheet would run."""
    if not rows:
        return b""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows({key: _inert(value) for key, value in row.items()} for row in rows)
    # The mark at the front makes spreadsheets read it as UTF-8.
    return out.getvalue().encode("utf-8-sig")


def _inert(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
