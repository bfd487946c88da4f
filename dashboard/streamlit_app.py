"""The dashboard's frame: who sits here, where they are, how the monitor fares.

Run it with `monitor up`, or `streamlit run dashboard/streamlit_app.py`.
"""

from pathlib import Path

import streamlit as st

from dashboard import people, resources
from dashboard.alarm_line import draw_alarm
from dashboard.away_box import draw_away
from dashboard.bell import draw_bell
from dashboard.keys_box import draw_keys
from dashboard.markup import draw, foreign, tag

HERE = Path(__file__).parent


def main() -> None:
    """Draw the frame and the page in it."""
    st.set_page_config(
        page_title="Complaint monitor",
        # A file of ours: icons named by word are fetched from Google.
        page_icon=str(HERE / "icon.svg"),
        layout="wide",
        initial_sidebar_state=220,
    )
    st.html(HERE / "style.css")
    # Dialogs and menus hang beside the app, not in it: without this they would have the colours of
    # the light theme on a dark ground.
    st.html(f"<style>:root {{ color-scheme: {st.context.theme.type or 'light dark'}; }}</style>")
    resources.refuse_strangers()
    page = st.navigation(
        [
            st.Page("app_pages/work_queue.py", title="Queue", default=True),
            st.Page("app_pages/case.py", title="Case", visibility="hidden"),
            st.Page("app_pages/incidents.py", title="Incidents"),
            st.Page("app_pages/incident.py", title="Incident", visibility="hidden"),
            st.Page("app_pages/check.py", title="Check"),
            st.Page("app_pages/posts.py", title="Posts"),
            st.Page("app_pages/trends.py", title="Trends"),
            st.Page("app_pages/alerts.py", title="Alerts"),
            st.Page("app_pages/rows.py", title="Rows", visibility="hidden"),
            st.Page("app_pages/report.py", title="Report of a week", visibility="hidden"),
            st.Page("app_pages/quality.py", title="Model quality"),
            st.Page("app_pages/sources.py", title="Sources"),
        ],
        position="hidden",
    )
    config = resources.config()
    with st.sidebar:
        draw(tag("div", tag("b", "Complaint monitor"), foreign(config.company.name), cls="brand"))
        people.choose()
        draw_alarm()
        draw_bell()
        draw_away()
        st.page_link("app_pages/work_queue.py", label="Queue", icon=":material/inbox:")
        st.page_link("app_pages/check.py", label=_check_label(), icon=":material/fact_check:")
        st.page_link("app_pages/posts.py", label="Posts", icon=":material/forum:")
        st.page_link("app_pages/incidents.py", label=_incidents_label(), icon=":material/hub:")
        st.page_link("app_pages/trends.py", label="Trends", icon=":material/monitoring:")
        st.page_link("app_pages/alerts.py", label="Alerts", icon=":material/notifications_active:")
        st.page_link("app_pages/quality.py", label="Model quality", icon=":material/speed:")
        st.page_link("app_pages/sources.py", label="Sources", icon=":material/rss_feed:")
        draw_keys()
    page.run()


def _incidents_label() -> str:
    waiting = resources.proposals()
    return f"Incidents **{waiting}**" if waiting else "Incidents"


def _check_label() -> str:
    waiting = resources.to_check()
    number = f"{resources.MANY}+" if waiting > resources.MANY else str(waiting)
    return f"Check **{number}**" if waiting else "Check"


main()
