"""What can be done with a case, in one bar."""

from datetime import UTC, datetime, timedelta
from functools import partial

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times
from dashboard.closing_box import draw_closing
from dashboard.merge_box import draw_merged
from monitor.desk import cases
from monitor.desk.page.case_file import CaseFile
from monitor.store.models import Case, CaseStatus, now


def action_bar(file: CaseFile) -> None:
    """The buttons that fit the case as it stands."""
    case = file.case
    with st.container(key="actions", horizontal=True, vertical_alignment="center", gap="small"):
        if case.merged_into is not None:
            draw_merged(file)
            return
        if case.status == CaseStatus.RESOLVED:
            _reopen(case, "Reopen", "Bring it back into the queue")
            return
        _ownership(case)
        if case.status == CaseStatus.OPEN:
            st.button(
                "Wait for customer",
                key="pending",
                shortcut="W",
                on_click=_pending,
                args=(case.id,),
                help="The customer has the word: out of the queue until they write again",
            )
        if case.status == CaseStatus.SNOOZED:
            _reopen(case, "Wake now", "End the snooze")
        else:
            if case.status == CaseStatus.PENDING:
                _reopen(case, "Reopen", "Bring it back into the queue")
            _snooze(case)
        draw_closing(file)


def claim(case_id: int) -> None:
    """Take the case, or learn who was first."""
    actions.act(
        lambda session, agent: cases.claim(session, case_id, agent),
        "You have this case.",
        undo=lambda session, agent: cases.release(session, case_id, agent),
    )


def _ownership(case: Case) -> None:
    me = actions.me()
    if case.assignee is None:
        st.button(
            "Claim",
            key="claim",
            type="primary",
            shortcut="M",
            on_click=claim,
            args=(case.id,),
            help="Make it yours: then you can answer",
        )
    elif case.assignee == me:
        st.button("Release", key="release", on_click=_release, args=(case.id,), help="Give it back")
    others = [name for name in resources.config().people if name not in (case.assignee, me)]
    if case.assignee not in (None, me) and me:
        others.insert(0, me)
    if others:
        st.menu_button(
            "Assign to",
            others,
            key="assign",
            on_click=_assign,
            args=(case.id, case.assignee),
            help="Hand it to a colleague",
        )


def _snooze(case: Case) -> None:
    zone = resources.config().zone
    choices = {
        "1 hour": now() + timedelta(hours=1),
        "Tomorrow 9:00": times.morning(zone, 1),
        "Monday 9:00": times.next_monday(zone),
    }
    with st.popover(
        "Snooze", icon=":material/snooze:", help="Put it aside until a time", key="snooze"
    ):
        for words, until in choices.items():
            st.button(
                f"{words} · {times.stamp(until, zone)}" if words[0] == "1" else words,
                key=f"snooze-{words}",
                on_click=_put_aside,
                args=(case.id, until),
                width="stretch",
            )
        st.datetime_input(
            f"Another time ({zone.key})",
            value=times.morning(zone, 1).astimezone(zone).replace(tzinfo=None),
            key="snooze-at",
            format="YYYY-MM-DD",
        )
        st.button("Snooze until then", key="snooze-then", on_click=_put_aside_then, args=(case.id,))


def _put_aside_then(case_id: int) -> None:
    chosen: datetime | None = st.session_state.get("snooze-at")
    if chosen is None:
        actions.tell("Choose a time first.", good=False)
        return
    zone = resources.config().zone
    _put_aside(case_id, chosen.replace(tzinfo=zone).astimezone(UTC))


def _put_aside(case_id: int, until: datetime) -> None:
    at = times.stamp(until, resources.config().zone)
    actions.act(
        actions.if_unchanged(
            case_id, lambda session, agent: cases.snooze(session, case_id, agent, until)
        ),
        f"Snoozed until {at}.",
        undo=_undo_to_open(case_id),
    )


def _reopen(case: Case, words: str, why: str) -> None:
    st.button(words, key="reopen", on_click=_open_again, args=(case.id,), help=why)


def _open_again(case_id: int) -> None:
    actions.act(actions.if_unchanged(case_id, _undo_to_open(case_id)), "The case is open again.")


def _undo_to_open(case_id: int) -> actions.Act:
    return lambda session, agent: cases.reopen(session, case_id, agent)


def _pending(case_id: int) -> None:
    actions.act(
        actions.if_unchanged(
            case_id, lambda session, agent: cases.wait_for_customer(session, case_id, agent)
        ),
        "It waits for the customer now.",
        undo=_undo_to_open(case_id),
    )


def _release(case_id: int) -> None:
    actions.act(
        lambda session, agent: cases.release(session, case_id, agent),
        "The case is nobody's now.",
        undo=lambda session, agent: cases.claim(session, case_id, agent),
    )


def _assign(case_id: int, held_by: str | None) -> None:
    to = st.session_state.get("assign")
    if to is None:
        return
    back: actions.Act | None = None
    if held_by is not None:
        back = partial(_hand_back, case_id=case_id, to=held_by, held_by=to)
    actions.act(
        actions.if_unchanged(
            case_id, lambda session, agent: cases.assign(session, case_id, agent, to, held_by)
        ),
        f"{to} has the case now.",
        undo=back,
    )


def _hand_back(session: Session, agent: str, case_id: int, to: str, held_by: str) -> None:
    cases.assign(session, case_id, agent, to, held_by)
