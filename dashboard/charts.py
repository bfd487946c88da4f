"""Charts, drawn from rows that can be had as a file too: the same ones."""

from typing import Any

import altair as alt


def stacked(
    rows: list[dict[str, Any]], field: str, title: str, buckets: list[str], *, hourly: bool
) -> alt.Chart:
    """Bars by day or hour, stacked by value. Colours come from the theme, light or dark."""
    shape = "%a %-d %b %H:%M" if hourly else "%a %-d %b"
    # The text's own clock, whichever zone the browser is in.
    words = f'timeFormat(toDate(slice(datum.value, 0, 16)), "{shape}")'
    chart: alt.Chart = (
        alt.Chart({"values": rows})
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X(
                "begins:O",
                title=None,
                scale=alt.Scale(domain=buckets),
                axis=alt.Axis(labelExpr=words, labelAngle=0, labelOverlap="greedy"),
            ),
            y=alt.Y(f"sum({field}):Q", title=None, axis=alt.Axis(tickMinStep=1, format="d")),
            color=alt.Color("value:N", title=None, legend=alt.Legend(orient="top")),
            tooltip=[
                alt.Tooltip("begins:O", title="From"),
                alt.Tooltip("value:N", title="Of"),
                alt.Tooltip(f"sum({field}):Q", title=title),
            ],
        )
        .properties(height=260, padding={"left": 4, "right": 16, "top": 4, "bottom": 4})
    )
    return chart


HOUR_OR_DAY = (
    "hours(datum.value) == 0 && minutes(datum.value) == 0"
    " ? timeFormat(datum.value, '%a %-d %b') : timeFormat(datum.value, '%H:%M')"
)
"""Labels of a time axis by a clock of 24 hours, with the day where it begins."""


def growth(rows: list[dict[str, Any]]) -> alt.Chart:
    """How many distinct authors had told of an incident, over time by the team's clock."""
    chart: alt.Chart = (
        alt.Chart({"values": rows})
        .mark_line(interpolate="step-after", point=True)
        .encode(
            x=alt.X("time:T", title=None, axis=alt.Axis(labelExpr=HOUR_OR_DAY)),
            y=alt.Y("authors:Q", title=None, axis=alt.Axis(tickMinStep=1, format="d")),
            tooltip=[
                alt.Tooltip("time:T", title="Time", format="%a %-d %b %H:%M"),
                alt.Tooltip("authors:Q", title="Distinct authors"),
            ],
        )
        .properties(
            height=200,
            padding={"left": 4, "right": 16, "top": 4, "bottom": 4},
            description=f"Distinct authors over time: {rows[-1]['authors'] if rows else 0} now.",
        )
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
