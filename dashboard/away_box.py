"""Whether somebody is here: who is away gets no cases by themselves."""

from datetime import UTC, datetime

import streamlit as st

from dashboard import actions, resources
from monitor.desk.queue import absence


def draw_away() -> None:
    """A switch, and the time until which it holds."""
    me = actions.me()
    if me is None:
        return
    gone = resources.away()
    st.session_state.away = me in gone
    st.toggle("I am away", key="away", on_change=_switch, help="No case is handed to you meanwhile")
    if me not in gone:
        return
    zone, until = resources.config().zone, gone[me]
    st.session_state["away-until"] = until and until.astimezone(zone).replace(tzinfo=None)
    st.datetime_input(
        f"Back at ({zone.key})",
        value=None,
        key="away-until",
        format="YYYY-MM-DD",
        on_change=_set_time,
        help="Empty: until you switch it off",
    )


def _switch() -> None:
    if st.session_state.away:
        actions.act(
            lambda session, agent: absence.leave(session, agent),
            "You are away until you say that you are back.",
            undo=lambda session, agent: absence.come_back(session, agent),
        )
    else:
        actions.act(
            lambda session, agent: absence.come_back(session, agent), "Good to have you back."
        )


def _set_time() -> None:
    chosen: datetime | None = st.session_state.get("away-until")
    until = chosen and chosen.replace(tzinfo=resources.config().zone).astimezone(UTC)
    actions.act(
        lambda session, agent: absence.leave(session, agent, until),
        f"You are back at {chosen:%Y-%m-%d %H:%M}." if chosen else "You are away until you say so.",
    )
