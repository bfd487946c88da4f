"""How the monitor itself fares, in a line; and why a queue is empty."""

from collections.abc import Callable

import streamlit as st

from dashboard import resources, times
from dashboard.markup import Markup, draw, join, tag
from dashboard.widgets import counted
from monitor.store.models import CaseStatus

SOURCES_PAGE = "app_pages/sources.py"

BACKLOG = 1000
"""Posts that wait for the engine; from here it is behind, not just busy."""


def engine_words() -> tuple[str, str]:
    """How the engine fares: a colour and a sentence."""
    health = resources.vitals().health
    waiting = health.to_score + health.to_triage
    if health.engine_seen_at is None:
        return "red", "The engine has never run: start it with `monitor up`"
    if not health.engine_alive:
        zone = resources.config().zone
        at = times.stamp(health.engine_seen_at, zone)
        return "red", f"The engine is silent since {at}"
    if waiting >= BACKLOG:
        return "amber", f"Engine running, {counted(waiting, 'post')} still to read"
    return "green", f"Engine running, {counted(waiting, 'post')} to read"


def engine_line() -> None:
    """The engine's sign of life, with the way to the sources where something is off."""
    colour, words = engine_words()
    troubled = resources.vitals().troubled
    line = [dot(colour), tag("span", words)]
    if troubled:
        line += [dot("red"), tag("span", f"{counted(troubled, 'source')} in trouble")]
    draw(tag("div", *line, cls="vitals", role="status"), width="content")
    if colour != "green" or troubled:
        st.page_link(SOURCES_PAGE, label="See sources", icon=":material/rss_feed:")


def dot(colour: str) -> Markup:
    """A lamp."""
    return tag("i", cls=f"dot {colour}", aria_hidden="true")


def why_empty(*, filtered: bool, clear: Callable[[], None], status: CaseStatus | None) -> None:
    """Say why there is nothing to show, and what to do about it."""
    counts = resources.counts()
    total = sum(counts.values())
    if filtered:
        _say("No case matches these filters", "Others may: take the filters away to see them.")
        st.button("Clear filters", key="clear-empty", on_click=clear)
    elif total and status == CaseStatus.OPEN:
        _say(
            "No open case: everybody has been served",
            f"{counts[CaseStatus.PENDING]:,} wait for the customer, "
            f"{counts[CaseStatus.SNOOZED]:,} are snoozed, "
            f"{counts[CaseStatus.RESOLVED]:,} are resolved. New ones appear here by themselves.",
        )
    elif total:
        _say("No case here", "There are cases in other views: see the row above.")
    elif resources.vitals().sources == 0:
        name = resources.config().path.name
        _say("Nothing is watched yet", f"Add a [sources.NAME] table to {name}, then restart.")
    elif not resources.vitals().health.engine_alive:
        _say("Nothing has been collected yet", f"{engine_words()[1]}.")
    else:
        _say(
            "No complaint has been found yet",
            "The engine runs and collects. Complaints appear here by themselves; the sources "
            "tell what has come in so far.",
        )
        st.page_link(SOURCES_PAGE, label="See sources", icon=":material/rss_feed:")


def _say(title: str, text: str) -> None:
    draw(tag("div", join(tag("h2", title), tag("p", text)), cls="empty"))
