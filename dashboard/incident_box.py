"""What a case page says of its incident: a strip, the update to use, and how to put it into one."""

from collections.abc import Callable

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources
from dashboard.incident_words import CARD_PAGE, status_badge
from dashboard.markup import draw, foreign, tag
from dashboard.widgets import counted
from monitor.desk.page.case_file import CaseFile
from monitor.watch.incident import incident_card, incident_cases
from monitor.watch.incident.incident_steps import LONGEST_TITLE

WHICH, TITLE = "incident-which", "incident-title"


def draw_incident(file: CaseFile) -> None:
    """The incident that the case is part of, or how to make it part of one."""
    with resources.session() as session:
        card = incident_card.of_case(session, file.case.id)
    if card is None:
        _not_in_one(file.case.id)
        return
    incident = card.incident
    told = f": {counted(card.authors, 'author')}."
    line = [
        status_badge(incident.status),
        tag("span", "Part of incident ", tag("b", foreign(incident.title)), told),
    ]
    if incident.update:
        line.append(tag("span", tag("b", "Update: "), tag("span", incident.update)))
    with st.container(key="part-of", horizontal=True, vertical_alignment="center", gap="small"):
        draw(tag("div", *line, cls="notice doubt part-of"), width="content")
        st.page_link(
            CARD_PAGE,
            label="Look at it",
            icon=":material/chevron_right:",
            query_params={"id": str(incident.id)},
            width="content",
        )


def draw_update(file: CaseFile, key: str, save: Callable[[], None]) -> None:
    """The incident's update for the answer in the box `key`; `save` keeps what is put there."""
    with resources.session() as session:
        card = incident_card.of_case(session, file.case.id)
    text = incident_card.draft(card.incident, file.author) if card else ""
    if not text:
        return
    with st.container(key="incident-update", horizontal=True, vertical_alignment="center"):
        words = tag("span", "Update of the incident: ", foreign(text), cls="muted small")
        draw(words, width="content")
        st.button(
            "Use in the reply", key="use-update", on_click=_use, args=(key, text, save),
            type="tertiary", icon=":material/subdirectory_arrow_right:",
            help="Begins your answer with it; you send it",
        )  # fmt: skip


def _use(key: str, text: str, save: Callable[[], None]) -> None:
    """Put the update below what is written already."""
    typed = (st.session_state.get(key) or "").rstrip()
    st.session_state[key] = f"{typed}\n\n{text}" if typed else text
    save()


def _not_in_one(case_id: int) -> None:
    with st.popover("Incident", icon=":material/hub:", key="incident-open",
                    help="More than one customer tells of this"):  # fmt: skip
        with resources.session() as session:
            found = incident_card.under_way(session)
        titles = {one.incident.id: one.incident.title for one in found}
        st.selectbox(
            "Part of", list(titles), index=None, key=WHICH, placeholder="A new incident",
            format_func=lambda number: f"{number}: {titles[number]}",
        )  # fmt: skip
        st.text_input("Title of a new one", key=TITLE, max_chars=LONGEST_TITLE)
        st.button("Put it there", key="incident-put", on_click=_put, args=(case_id,))


def _put(case_id: int) -> None:
    number: int | None = st.session_state.get(WHICH)
    title = st.session_state.get(TITLE) or ""

    def call(session: Session, agent: str) -> None:
        if number is None:
            incident_cases.open_by_hand(session, agent, title, case_id)
        else:
            incident_cases.add(session, number, case_id, agent)

    if actions.act(call, "The case is part of an incident now."):
        st.session_state[WHICH] = None
        st.session_state[TITLE] = ""
