"""Until when a case's next promise is to be kept, as a badge; and what one is told, beside it."""

import streamlit as st

from dashboard import actions, resources, times
from dashboard.markup import Markup, draw, tag
from dashboard.widgets import badge
from monitor.desk import notices, sla
from monitor.store.models import Case, Notice, now

CASE_PAGE = "app_pages/case.py"

LOOK_SECONDS = 15


def due_badges(case: Case) -> list[Markup]:
    """'due in 40 min', 'late by 2 h': the case's earliest promise; nothing where none runs."""
    promised = sla.running(case)
    if not promised:
        return []
    config, at = resources.config(), now()
    due_at, _ = promised[0]
    left = due_at - at
    seconds = left.total_seconds()
    if seconds < 0:
        words, colour = f"late by {times.span(-seconds)}", "red"
    else:
        words = f"due in {times.span(seconds)}"
        colour = "amber" if left <= config.desk.warn_before else "gray"
    lines = [f"{kind}: {times.full(end, config.zone)}" for end, kind in promised]
    return [
        badge(words, colour, f"Promised by {case.sla or 'an earlier policy'}. " + "; ".join(lines))
    ]


@st.fragment(run_every=LOOK_SECONDS)
def draw_notices() -> None:
    """What somebody was told and has not seen, under a button that says how much that is."""
    person = actions.me()
    if person is None:
        return
    with resources.session() as session:
        told = notices.unseen(session, person)
    if not told:
        return
    with st.popover(f"Notices **{len(told)}**", icon=":material/notifications:", key="notices"):
        for notice in told:
            _draw_notice(notice)
        st.button(
            "Mark all as seen",
            key="notices-seen",
            on_click=_seen,
            args=([notice.id for notice in told],),
        )


def _draw_notice(notice: Notice) -> None:
    zone = resources.config().zone
    draw(tag("p", notice.text, " ", times.ago(notice.at, zone), cls="said"))
    if notice.case_id is not None:
        st.page_link(
            CASE_PAGE,
            label=f"Case {notice.case_id}",
            icon=":material/chevron_right:",
            query_params={"id": str(notice.case_id)},
        )


def _seen(ids: list[int]) -> None:
    actions.act(lambda session, agent: notices.mark_seen(session, agent, ids), "Seen.", quiet=True)
