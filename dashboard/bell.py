"""What the person who sits here has not seen yet, in the sidebar of every page."""

import streamlit as st

from dashboard import actions, resources, times
from dashboard.markup import draw, tag
from monitor.desk.clock import notices
from monitor.store.models import Notice

CASE_PAGE = "app_pages/case.py"

RING_SECONDS = 20


@st.fragment(run_every=RING_SECONDS)
def draw_bell() -> None:
    """The number of unseen notices; behind it, what they say, with the way to their cases."""
    me = actions.me()
    if me is None:
        return
    told = resources.unseen(me)
    words = f"Notices **{len(told)}**" if told else "Notices"
    with st.popover(words, icon=":material/notifications:", key="bell", width="stretch"):
        if not told:
            draw(tag("p", "Nothing new for you.", cls="muted"))
            return
        st.button("Mark all as seen", key="bell-seen", on_click=_seen, args=(told,))
        for notice in told:
            _draw(notice)


def _draw(notice: Notice) -> None:
    zone = resources.config().zone
    at = times.ago(notice.at, zone)
    draw(tag("div", tag("div", notice.text, cls="text"), tag("small", at, cls="muted"), cls="told"))
    if notice.case_id is not None:
        st.page_link(
            CASE_PAGE,
            label=f"To case {notice.case_id}",
            icon=":material/chevron_right:",
            query_params={"id": str(notice.case_id), "notice": str(notice.id)},
        )


def _seen(told: list[Notice]) -> None:
    ids = [notice.id for notice in told]
    actions.act(lambda session, agent: notices.mark_seen(session, agent, ids), "", quiet=True)


def opened() -> None:
    """The page was reached by a notice: its reader has seen that one."""
    asked = st.query_params.pop("notice", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 19 and actions.me():
        ids = [int(asked)]
        actions.act(lambda session, agent: notices.mark_seen(session, agent, ids), "", quiet=True)
