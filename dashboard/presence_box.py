"""Who else is at a case now: a warning above the thread, before two people answer one customer."""

from datetime import datetime, timedelta

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import actions, resources
from dashboard.markup import Markup, tag
from monitor.desk.page import presence
from monitor.store.models import Presence, now

WRITES_FOR = timedelta(minutes=2)
"""How long somebody counts as writing after words of theirs were saved: a page hears no keys."""


def wrote(case_id: int) -> None:
    """Remember that words for this case were typed here a moment ago."""
    st.session_state.wrote = (case_id, now())


def draw_presence(case_id: int, place: DeltaGenerator) -> None:
    """Give a sign of life, and show at `place` who else is there."""
    me = actions.me()
    with resources.session() as session:
        if me:
            presence.here(session, case_id, me, _writing(case_id))
        found = presence.others(session, case_id, me)
    if found:
        lines = [tag("div", _words(other)) for other in found]
        place.html(tag("div", *lines, cls="notice doubt", role="status"))
    else:
        place.empty()


def _writing(case_id: int) -> bool:
    last: tuple[int, datetime] | None = st.session_state.get("wrote")
    return last is not None and last[0] == case_id and now() - last[1] < WRITES_FOR


def _words(other: Presence) -> Markup:
    does = " is writing on this case" if other.writing else " is looking at this case"
    return tag("span", tag("b", other.agent), does)
