"""Promises: what a customer was promised, by whom and until when, and what is due now."""

from datetime import UTC, datetime
from functools import partial

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times, widgets
from dashboard.markup import Markup, draw, foreign, join, tag
from monitor.answer import promises
from monitor.answer.promises import Due, Standing
from monitor.desk.page.case_file import CaseFile
from monitor.store.models import Commitment, now

CASE_PAGE = "app_pages/case.py"

COLOURS = {
    Standing.OPEN: "blue",
    Standing.KEPT: "green",
    Standing.BROKEN: "red",
    Standing.KEPT_LATE: "amber",
    Standing.DROPPED: "gray",
}

SHOWN = 5
"""Promises that stand above the queue; the others are counted."""

SHOWN_TEXT = 80


def draw_promises(file: CaseFile) -> None:
    """The promises of a case, and the form of another one."""
    with resources.session() as session:
        found = promises.of_case(session, file.case.id)
    draw(tag("h3", f"Promises ({len(found)})" if found else "Promises", cls="side-title"))
    if not found:
        draw(tag("p", "Nothing was promised.", cls="muted small"))
    for promised in found:
        _line(promised)
    if file.case.merged_into is None:
        zone = resources.config().zone
        with st.popover("Promise something", icon=":material/handshake:", key="promise-open"):
            draw_form(file.case.id, str(file.case.id), due_at=times.morning(zone, 1))


def draw_due() -> None:
    """Above the queue: what is due soon or broken, with the way to its case. Nothing if nothing."""
    found = resources.promises_due()
    if not found:
        return
    at = now()
    with st.container(key="promises-due", border=True, gap=None):
        draw(tag("b", f"Promises due: {len(found):,}"))
        for due in found[:SHOWN]:
            with st.container(
                key=f"due-{due.id}", horizontal=True, vertical_alignment="center", gap="small"
            ):
                draw(_due_line(due, at))
                st.page_link(
                    CASE_PAGE, label=f"Case {due.case_id}", query_params={"id": str(due.case_id)}
                )
        if len(found) > SHOWN:
            draw(tag("span", f"and {len(found) - SHOWN:,} more", cls="muted small"))


def _due_line(due: Due, at: datetime) -> Markup:
    late = due.due_at < at
    text = due.text if len(due.text) <= SHOWN_TEXT else due.text[:SHOWN_TEXT] + "…"
    return tag(
        "div",
        widgets.badge("broken" if late else "due", "red" if late else "amber"),
        " ",
        times.ago(due.due_at, resources.config().zone),
        " · ",
        foreign(due.customer),
        ": ",
        foreign(text),
        tag("span", f" · {due.owner}", cls="muted"),
    )


def _line(promised: Commitment) -> None:
    zone, stands = resources.config().zone, promises.standing(promised, now())
    when = join("until ", times.clock(promised.due_at, zone))
    head = [
        widgets.badge(stands.value, COLOURS[stands]),
        when,
        tag("span", promised.owner, cls="muted"),
    ]
    draw(
        tag(
            "div",
            tag("div", *head, cls="who"),
            foreign(promised.text, cls="text", name="div"),
            cls="note",
        )
    )
    back: actions.Act = partial(_take_back, promised.id)
    with st.container(key=f"promise-{promised.id}", horizontal=True, gap="small"):
        if stands in (Standing.OPEN, Standing.BROKEN):
            st.button("Kept", key=f"kept-{promised.id}", on_click=_do,
                      args=(partial(_keep, promised.id), "The promise is kept.", back))  # fmt: skip
            st.button(
                "Drop",
                key=f"drop-{promised.id}",
                type="tertiary",
                on_click=_do,
                args=(partial(_drop, promised.id), "The promise is dropped.", back),
                help="The customer needs it no longer: it counts neither as kept nor as broken",
            )
        else:
            st.button(
                "Open again",
                key=f"again-{promised.id}",
                type="tertiary",
                on_click=_do,
                args=(back, "The promise is open again.", None),
            )


def draw_form(case_id: int, key: str, text: str = "", due_at: datetime | None = None) -> None:
    """The form of a promise at a case, filled in with what is known of it; `key` is its own."""
    zone, me = resources.config().zone, actions.me()
    people = resources.config().people
    st.session_state.setdefault(f"promise-text-{key}", text)
    st.text_area(
        "What was promised",
        key=f"promise-text-{key}",
        height=68,
        placeholder="We call them back with the date",
    )
    st.datetime_input(
        f"Until ({zone.key})",
        value=due_at.astimezone(zone).replace(tzinfo=None) if due_at else None,
        key=f"promise-due-{key}",
        format="YYYY-MM-DD",
    )
    st.selectbox(
        "Who keeps it",
        people,
        index=people.index(me) if me in people else None,
        key=f"promise-owner-{key}",
        placeholder="You",
    )
    st.button(
        "Promise it", key=f"promise-it-{key}", type="primary", on_click=_promise,
        args=(case_id, key),
    )  # fmt: skip


def _promise(case_id: int, key: str) -> None:
    text = st.session_state.get(f"promise-text-{key}") or ""
    owner: str | None = st.session_state.get(f"promise-owner-{key}")
    chosen: datetime | None = st.session_state.get(f"promise-due-{key}")
    if chosen is None:
        actions.tell("Choose until when.", good=False)
        return
    due_at = chosen.replace(tzinfo=resources.config().zone).astimezone(UTC)
    made: list[int] = []
    done = actions.act(
        lambda session, agent: made.append(
            promises.promise(session, case_id, agent, text, due_at, owner).id
        ),
        "",
        quiet=True,
    )
    if done:
        st.session_state.pop(f"promise-text-{key}")  # The form begins anew.
        until = times.stamp(due_at, resources.config().zone)
        actions.tell(f"Promised until {until}.", good=True, undo=partial(_drop, made[0]))


def _do(call: actions.Act, text: str, undo: actions.Act | None) -> None:
    actions.act(call, text, undo=undo)


def _keep(promise_id: int, session: Session, agent: str) -> None:
    promises.keep(session, promise_id, agent)


def _drop(promise_id: int, session: Session, agent: str) -> None:
    promises.drop(session, promise_id, agent)


def _take_back(promise_id: int, session: Session, agent: str) -> None:
    promises.take_back(session, promise_id, agent)
