"""What is wrong now, who looks after it, who is told, and how often a rule would have fired."""

import streamlit as st

from dashboard import actions, resources, widgets
from dashboard.alarm_line import ALERTS_PAGE
from dashboard.alert_card import draw_card
from dashboard.alert_cases import draw_asked, draw_cases_of
from dashboard.backtest_box import draw_backtest
from dashboard.channel_box import draw_channels
from dashboard.markup import draw, tag
from monitor.store.models import Alert
from monitor.watch.alerting import alert_lists

REFRESH_SECONDS = 10

SHOWN, OVER_SHOWN = 50, 20


def main() -> None:
    """The whole page: one alert where the address names it, or all."""
    alert_id = resources.asked_number("alert")
    draw(tag("h1", "Alerts"))
    if alert_id is not None:
        _one(alert_id)
        return
    if "since" in st.query_params and draw_asked():
        st.page_link(ALERTS_PAGE, label="All alerts", icon=":material/arrow_back:")
        return
    _standing()
    draw_channels()
    draw_backtest()
    _over()


@st.fragment(run_every=REFRESH_SECONDS)
def _one(alert_id: int) -> None:
    """One alert with its cases."""
    actions.show_outcome()
    st.page_link(ALERTS_PAGE, label="All alerts", icon=":material/arrow_back:")
    with resources.session() as session:
        alert = session.get(Alert, alert_id)
    if alert is None:
        text = "It may have been asked for by an old link."
        draw(tag("div", tag("h2", "There is no such alert"), tag("p", text), cls="empty"))
        return
    draw_card(alert, alone=True)
    draw_cases_of(alert)


@st.fragment(run_every=REFRESH_SECONDS)
def _standing() -> None:
    """What is not over, what fires first."""
    actions.show_outcome()
    with resources.session() as session:
        found = alert_lists.standing(session, SHOWN)
    if not found:
        alive = resources.vitals().health.engine_alive
        text = "The engine looks around twice a minute. What goes wrong shows here."
        if not alive:
            text = "But the engine does not run, so nobody looks: start it with `monitor up`."
        draw(tag("div", tag("h2", "Nothing is firing"), tag("p", text), cls="empty"))
    for alert in found:
        draw_card(alert)
    if len(found) == SHOWN:
        draw(tag("p", f"Only the first {SHOWN} are shown.", cls="muted"))


def _over() -> None:
    with resources.session() as session:
        found = alert_lists.over(session, OVER_SHOWN)
    if not found:
        return
    shown = st.expander(
        f"Over (the latest {OVER_SHOWN})"
        if len(found) == OVER_SHOWN
        else f"Over ({widgets.counted(len(found), 'alert')})",
        key="over",
        type="compact",
        on_change="rerun",
    )
    if shown.open:
        with shown:
            for alert in found:
                draw_card(alert)


main()
