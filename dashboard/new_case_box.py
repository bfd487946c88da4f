"""A case that a person makes from what they have: a call, a screenshot, a letter, a link."""

import streamlit as st
from sqlmodel import Session

from dashboard import actions
from dashboard.correct_box import SEVERITIES
from monitor.desk.arrivals import by_hand, triage
from monitor.store.models import Post

TEXT, LINK, WHO, SEVERITY = "new-text", "new-link", "new-who", "new-severity"


def draw_new_case() -> None:
    """The form in which a text or a link alone makes a case."""
    with st.popover(
        "New case",
        icon=":material/add:",
        key="new-case",
        help="From a call, a screenshot, a letter: a text or a link is enough",
    ):
        st.text_area("What the customer said", key=TEXT, height=110)
        st.text_input("Link, if there is one", key=LINK, placeholder="https://")
        st.text_input(
            "Who, if you know: a name or a number",
            key=WHO,
            max_chars=200,
            help="What the same customer says later joins this case",
        )
        st.segmented_control("How it sounds, if you want to say", list(SEVERITIES), key=SEVERITY)
        st.button("Open the case", key="new-open", type="primary", on_click=_open)


def _open() -> None:
    text, link, who = (str(st.session_state.get(key) or "") for key in (TEXT, LINK, WHO))
    severity = SEVERITIES.get(st.session_state.get(SEVERITY) or "")
    made: list[Post] = []

    def call(session: Session, agent: str) -> None:
        made.append(by_hand.open_from_text(session, agent, text, link, who, severity))

    if not actions.act(call, "", quiet=True):
        return
    post_id = made[0].id
    actions.tell(
        f"It is in case {made[0].case_id}.",
        good=True,
        undo=lambda session, agent: triage.close_by_hand(session, post_id, agent),
    )
    for key in (TEXT, LINK, WHO):
        st.session_state[key] = ""
    st.session_state[SEVERITY] = None
