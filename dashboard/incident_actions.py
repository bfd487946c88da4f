"""What can be done on an incident's card: its status, its facts, its cases."""

from collections.abc import Callable
from functools import partial

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times
from dashboard.markup import draw, tag
from monitor.store.models import IncidentStatus, Reproduced
from monitor.watch.incident import incident_card, incident_cases, incidents
from monitor.watch.incident.incident_card import Card
from monitor.watch.incident.incident_steps import LONGEST_TITLE, STANDS

Change = Callable[[Session, int, str], object]
"""What a click does to an incident, in the name of an agent."""


def draw_status(card: Card) -> None:
    """The buttons that its status allows."""
    shown = _BUTTONS[card.incident.status]
    if not shown:
        return
    with st.container(key="actions", horizontal=True, gap="small"):
        for words in shown:
            key, call, text, undo = _CLICKS[words]
            st.button(
                words,
                key=key,
                type="primary" if words == shown[0] else "secondary",
                on_click=_click,
                args=(card.incident.id, call, text, undo),
            )


def _click(number: int, call: Change, text: str, undo: Change | None) -> None:
    back: actions.Act | None = None
    if undo:
        back = partial(_apply, number=number, change=undo)
    actions.act(partial(_apply, number=number, change=call), text, undo=back)


def _apply(session: Session, agent: str, number: int, change: Change) -> None:
    change(session, number, agent)


def _reopen(session: Session, number: int, _agent: str) -> None:
    incidents.reopen(session, number)


def _watch(session: Session, number: int, _agent: str) -> None:
    incidents.watch(session, number)


def _propose_again(session: Session, number: int, _agent: str) -> None:
    incidents.propose_again(session, number)


_BUTTONS = {
    IncidentStatus.PROPOSED: ("Confirm", "No"),
    IncidentStatus.OPEN: ("Fixed", "Watch", "No fault"),
    IncidentStatus.WATCHING: ("Fixed", "No fault", "Open again"),
    IncidentStatus.FIXED: ("Open again",),
    IncidentStatus.NO_FAULT: ("Open again",),
    IncidentStatus.REJECTED: ("Propose again",),
    IncidentStatus.MERGED: (),
}

_CLICKS: dict[str, tuple[str, Change, str, Change | None]] = {
    "Confirm": (
        "confirm",
        incidents.confirm,
        "Confirmed: it is an incident, and you reported it.",
        _propose_again,
    ),
    "No": ("reject", incidents.reject, "They are not proposed again.", _propose_again),
    "Watch": ("watch", _watch, "It is thought to be over.", _reopen),
    "Fixed": ("fix", incidents.fix, "It is fixed: now its customers can be told.", _reopen),
    "No fault": ("no-fault", incidents.no_fault, "Closed: nothing was wrong.", _reopen),
    "Open again": ("reopen", _reopen, "It is open again.", None),
    "Propose again": ("again", _propose_again, "It is proposed again.", None),
}


def draw_forms(card: Card) -> None:
    """Where people write what they know, and put its cases right."""
    if card.incident.status not in STANDS:
        return
    _facts(card)
    if card.incident.status != IncidentStatus.PROPOSED:
        _update(card)
    with st.expander("Put right: title, cases, another incident"):
        _rename(card)
        _split(card)
        _merge(card)


def _value(key: str) -> str:
    return str(st.session_state.get(key) or "")


def _facts(card: Card) -> None:
    incident, number = card.incident, card.incident.id
    with st.expander("Add evidence"), st.form(f"evidence-{number}", border=False):
        st.text_input("Link", key="evidence-url", placeholder="https://")
        st.text_input("The number read there", key="evidence-value", max_chars=300)
        st.form_submit_button(
            "Keep the evidence", key="evidence-keep", on_click=_keep_evidence, args=(number,)
        )
    with st.expander("Describe the fault"), st.form(f"facts-{number}", border=False):
        seen = list(Reproduced)
        st.radio(
            "Reproduced", seen, index=seen.index(incident.reproduced), key=f"reproduced-{number}",
            format_func=str, horizontal=True,
        )  # fmt: skip
        st.text_area("Fault", value=incident.fault, key=f"fault-{number}", height=80)
        st.text_area("Cause", value=incident.cause, key=f"cause-{number}", height=80)
        st.form_submit_button("Keep", key="facts-keep", on_click=_keep_facts, args=(number,))


def _keep_evidence(number: int) -> None:
    url, value = _value("evidence-url"), _value("evidence-value")
    done = actions.act(
        lambda session, agent: incidents.set_evidence(session, number, agent, url, value),
        "The evidence is kept, with your name.",
    )
    if done:
        st.session_state["evidence-url"] = st.session_state["evidence-value"] = ""


def _keep_facts(number: int) -> None:
    fault, cause = _value(f"fault-{number}"), _value(f"cause-{number}")
    seen = Reproduced(_value(f"reproduced-{number}") or Reproduced.NOT_TRIED)
    actions.act(
        lambda session, agent: incidents.describe(session, number, fault, cause, seen), "Kept."
    )


def _update(card: Card) -> None:
    incident, number = card.incident, card.incident.id
    draw(tag("h3", "Update for the customers", cls="side-title"))
    if incident.update and incident.update_by and incident.update_at:
        at = times.ago(incident.update_at, resources.config().zone)
        draw(tag("p", f"By {incident.update_by} ", at, cls="muted small"))
    with st.form(f"update-form-{number}", border=False):
        st.text_area(
            "What they may be told now", value=incident.update, key=f"update-{number}", height=90,
            placeholder="the lines in Eastmoor are back since 22:14. We are sorry.",
            help="Offered in each of its cases, after the customer’s name. Nothing is sent.",
        )  # fmt: skip
        st.form_submit_button(
            "Offer it in its cases", key="update-keep", on_click=_keep_update,
            args=(number, incident.update),
        )  # fmt: skip


def _keep_update(number: int, before: str) -> None:
    text = _value(f"update-{number}")

    def undo(session: Session, agent: str) -> None:
        incidents.set_update(session, number, agent, before)

    actions.act(
        lambda session, agent: incidents.set_update(session, number, agent, text),
        "Offered in each of its cases." if text.strip() else "The update is taken back.",
        undo=undo,
    )


def _rename(card: Card) -> None:
    number, before = card.incident.id, card.incident.title
    with st.form(f"rename-{number}", border=False):
        st.text_input("Title", value=before, key=f"title-{number}", max_chars=LONGEST_TITLE)
        st.form_submit_button("Rename", key="rename", on_click=_keep_title, args=(number, before))


def _keep_title(number: int, before: str) -> None:
    title = _value(f"title-{number}")
    actions.act(
        lambda session, agent: incidents.rename(session, number, title),
        "It has another title.",
        undo=lambda session, agent: incidents.rename(session, number, before),
    )


def _split(card: Card) -> None:
    number = card.incident.id
    with st.form(f"split-{number}", border=False, clear_on_submit=False):
        st.multiselect(
            "Cases to take out",
            [member.case.id for member in card.members],
            key=f"out-{number}",
            format_func=lambda case_id: f"Case {case_id}",
            placeholder="Choose cases",
        )
        st.text_input(
            "Title of their own incident (empty: none)", key=f"own-{number}",
            max_chars=LONGEST_TITLE,
        )  # fmt: skip
        st.form_submit_button("Take out", key="split", on_click=_take_out, args=(number,))


def _take_out(number: int) -> None:
    case_ids: list[int] = list(st.session_state.get(f"out-{number}") or [])
    title = _value(f"own-{number}")
    done = actions.act(
        lambda session, agent: incident_cases.split(session, number, case_ids, agent, title),
        "Taken out: they are not proposed here again.",
    )
    if done:
        st.session_state[f"out-{number}"] = []
        st.session_state[f"own-{number}"] = ""


def _merge(card: Card) -> None:
    number = card.incident.id
    with resources.session() as session:
        found = [*incident_card.under_way(session), *incident_card.proposed(session)]
    others = {one.incident.id: one.incident.title for one in found if one.incident.id != number}
    if not others:
        draw(tag("p", "There is no other incident to merge it with.", cls="muted small"))
        return
    st.selectbox(
        "Let it go on in", list(others), index=None, key=f"into-{number}",
        format_func=lambda other: f"{other}: {others[other]}", placeholder="Another incident",
    )  # fmt: skip
    st.button("Merge", key="merge", on_click=_go_on_in, args=(number,))


def _go_on_in(number: int) -> None:
    into: int | None = st.session_state.get(f"into-{number}")
    if into is None:
        actions.tell("Choose the other incident first.", good=False)
        return
    actions.act(
        lambda session, agent: incident_cases.merge(session, number, into, agent),
        f"Its cases are in incident {into} now.",
    )


def mark_told(number: int, case_id: int) -> None:
    """A person says that this customer knows."""
    actions.act(
        lambda session, agent: incidents.mark_followed_up(session, number, case_id, agent),
        "Off the list.",
        undo=lambda session, agent: incidents.unmark_followed_up(session, number, case_id, agent),
    )
