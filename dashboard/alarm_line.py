"""That something fires, in the sidebar of every page."""

import sqlalchemy as sa
import streamlit as st

from dashboard import resources
from dashboard.markup import draw, foreign, tag
from dashboard.widgets import counted
from monitor.store.db import DatabaseError

ALERTS_PAGE = "app_pages/alerts.py"

LOOK_SECONDS = 10


@st.fragment(run_every=LOOK_SECONDS)
def draw_alarm() -> None:
    """A red line with what fires, the gravest first; nothing where nothing does."""
    try:
        titles = resources.firing()
    except (DatabaseError, sa.exc.OperationalError):
        return  # The page itself says what is wrong with the database.
    if not titles:
        return
    with st.container(key="alarm"):
        draw(
            tag(
                "div",
                tag("b", f"{counted(len(titles), 'alert')} firing"),
                foreign(titles[0], name="div"),
                cls="notice problem",
                role="alert",
            )
        )
        st.page_link(ALERTS_PAGE, label="See alerts", icon=":material/notification_important:")
