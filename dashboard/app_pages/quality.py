"""How good the model is on the team's own posts, and what another threshold would mean."""

from typing import Any

import streamlit as st

from dashboard import resources
from dashboard.charts import by_threshold
from dashboard.markup import draw, tag
from dashboard.number_links import count
from dashboard.widgets import counted
from monitor.store.models import LabelOrigin
from monitor.watch import quality
from monitor.watch.quality import Counts, Estimate, Figures, Point
from monitor.watch.trends.measures import Asked

CHECK_PAGE = "app_pages/check.py"

ORIGIN_WORDS = {
    LabelOrigin.DESK: "Corrections on cases",
    LabelOrigin.OUTCOME: "From how cases ended",
    LabelOrigin.CHECK: "Uncertain posts checked",
    LabelOrigin.SAMPLE: "Of the blind samples",
}

NOT_MEASURED = "not measured"


def main() -> None:
    """The whole page."""
    draw(tag("h1", "Model quality"))
    today = resources.threshold()
    if today is None:
        resources.stop(
            "There is nothing to measure",
            "No model is installed and no threshold is set. Set desk.threshold in the settings.",
        )
    figures, points, counts = _measured(today)
    if not any(counts.by_origin.values()) and not any(point.workload for point in points):
        _nothing()
        return
    _key_figures(figures, today)
    _threshold(points, today)
    _labels(counts)


@st.cache_data(ttl=30, show_spinner="Measuring …")
def _measured(today: float) -> tuple[Figures, list[Point], Counts]:
    with resources.session() as session:
        return (
            quality.figures(quality.given(session), today),
            quality.curve(session, today),
            quality.counts(session, today),
        )


def _nothing() -> None:
    text = (
        "The model has read no post of the last four weeks, and nobody has labelled one. Each "
        "Monday a sample is drawn for you to label; from then on the figures stand here."
    )
    draw(tag("div", tag("h2", "Nothing to measure yet"), tag("p", text), cls="empty"))


def _key_figures(figures: Figures, today: float) -> None:
    with st.container(key="figures", horizontal=True):
        _metric("Precision", figures.precision, "Posts from the threshold on that are complaints")
        _metric("Recall", figures.recall, "Complaints that rank from the threshold on, of all")
        _metric(
            "Missed a week", figures.missed, "Complaints under the threshold: no case, no answer"
        )
    fine, flagged = figures.lacking
    if fine or flagged:
        parts = [
            f"{number:,} of posts {where}"
            for number, where in ((fine, "under the threshold"), (flagged, "from it on"))
            if number
        ]
        words = f"Not measured yet. The blind samples still need labels: {' and '.join(parts)}."
        draw(tag("div", words, cls="notice hint"))
        st.page_link(
            CHECK_PAGE,
            label="Label the weekly sample",
            icon=":material/fact_check:",
            query_params={"tab": "sample"},
        )
    else:
        words = (
            f"From {figures.fine + figures.flagged} blind labels of "
            f"{counted(figures.weeks, 'week')}, at the threshold of {today:.2f}. In brackets: "
            "where the true figure lies, 19 times out of 20."
        )
        draw(tag("p", words, cls="muted"))


def _metric(name: str, estimate: Estimate | None, meaning: str) -> None:
    if estimate is None:
        value = NOT_MEASURED
    elif name == "Missed a week":
        value = f"{estimate.value:,.0f} ({_span(estimate)})"
    else:
        value = f"{estimate.value:.0%} ({100 * estimate.low:.0f} to {estimate.high:.0%})"
    st.metric(name, value, help=meaning)


def _threshold(points: list[Point], today: float) -> None:
    """Drag the threshold and read what it would do."""
    draw(tag("h3", "What another threshold would do", cls="side-title"))
    by_value = {point.threshold: point for point in points}
    with st.container(key="threshold"):
        chosen = st.select_slider(
            "Threshold",
            list(by_value),
            value=today,
            format_func=lambda value: f"{value:.2f}" + (" (now)" if value == today else ""),
            key="chosen-threshold",
        )
    point = by_value.get(chosen, by_value[today])
    draw(tag("p", _in_words(point, by_value[today]), cls="said-so"))
    if point.threshold != today:
        draw(
            tag("p", "To set it, write this into config.toml and restart:", cls="muted"),
            tag("pre", f"[desk]\nthreshold = {point.threshold:.2f}"),
        )
    rows = [_cells(one) for one in points]
    with st.container(key="charts"):
        left, right = st.columns(2, gap="large")
    with left:
        draw(tag("h3", "Posts a week to look at"))
        work = [{"threshold": row["threshold"], "posts": row["posts"]} for row in rows]
        chart = by_threshold(work, "posts", "Posts a week", point.threshold, today)
        st.altair_chart(chart, width="stretch")
    with right:
        draw(tag("h3", "Complaints missed a week"))
        if point.missed is None:
            words = "Not measured: the blind samples have too few labels yet."
            draw(tag("p", words, cls="muted"))
        else:
            chart = by_threshold(rows, "missed", "Missed a week", point.threshold, today)
            st.altair_chart(chart, width="stretch")


def _in_words(point: Point, today: Point) -> str:
    more = round(point.workload) - round(today.workload)
    posts = f"about {counted(round(point.workload), 'post')} a week to look at"
    if point.threshold == today.threshold:
        posts += ", as now"
    elif more == 0:
        posts += ", as many as now"
    else:
        posts += f", {abs(more):,} {'more' if more > 0 else 'fewer'} than now"
    if point.missed is None:
        return f"At {point.threshold:.2f}: {posts}; how many complaints are missed is not measured."
    missed = counted(round(point.missed.value), "complaint")
    return (
        f"At {point.threshold:.2f}: {posts}; about {missed} missed a week ({_span(point.missed)})."
    )


def _span(estimate: Estimate) -> str:
    return f"{estimate.low:,.0f} to {estimate.high:,.0f}"


def _cells(point: Point) -> dict[str, Any]:
    cells: dict[str, Any] = {"threshold": round(point.threshold, 4), "posts": point.workload}
    if point.missed is not None:
        cells |= {
            "missed": point.missed.value,
            "low": point.missed.low,
            "high": point.missed.high,
        }
    return cells


def _labels(counts: Counts) -> None:
    draw(tag("h3", "What people have said", cls="side-title"))
    facts = [
        tag("div", tag("small", words, cls="muted"), tag("b", f"{counts.by_origin[origin]:,}"))
        for origin, words in ORIGIN_WORDS.items()
    ]
    facts.append(
        tag(
            "div",
            tag("small", "Posts where the model was wrong", cls="muted"),
            tag("b", count(counts.corrections, Asked("wrong"), "posts")),
        )
    )
    draw(tag("div", tag("div", *facts, cls="facts counts"), cls="card"))


main()
