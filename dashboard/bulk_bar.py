"""What can be done with the case under the keys, or with all that are selected."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times
from dashboard.markup import draw, tag
from dashboard.place import Place
from dashboard.widgets import counted
from monitor.desk import tags
from monitor.desk.queue import bulk
from monitor.desk.queue.bulk import MOST, Done, Kind
from monitor.store.models import Dismissal, now

ManyAct = Callable[[Session, Sequence[int], str], Done]
"""What is done with cases, in the name of an agent."""

LABELS = {"Not a complaint": False, "Is a complaint": True}

DONE = {
    Kind.CLAIMED: ("claimed", "taken meanwhile"),
    Kind.ASSIGNED: ("assigned", "closed or theirs already"),
    Kind.TAGGED: ("tagged", "tagged so already"),
    Kind.SNOOZED: ("snoozed", "not free for you, or not open any more"),
    Kind.DISMISSED: ("dismissed", "not free for you, or closed already"),
    Kind.LABELLED: ("labelled", "labelled so already"),
}
"""Words for what was done, and for why the others were left alone."""


def draw_picked(place: Place, shown: int) -> None:
    """How many are selected, whether more can be, and what can be done with all of them."""
    with st.container(key="bulk", horizontal=True, vertical_alignment="center", gap="small"):
        draw(tag("b", _how_many(place), role="status"), width="content")
        more = place.more or place.stack or len(place.picked) < shown
        if more and not place.picked_all:
            st.button(
                _all_words(place),
                key="pick-all",
                type="tertiary",
                on_click=_pick_all,
                args=(place,),
            )
        st.button(
            "Claim",
            key="bulk-claim",
            shortcut="M",
            on_click=_do,
            args=(place, bulk.claim),
        )
        st.menu_button(
            "Assign to",
            resources.config().people,
            key="bulk-assign",
            on_click=_assign,
            args=(place,),
        )
        with st.popover("Tag", icon=":material/label:"):
            st.text_input("Tag", key="bulk-tag", max_chars=tags.LONGEST)
            st.button("Put it on all", key="bulk-tag-add", on_click=_tag, args=(place,))
        draw_put_aside(place, list(place.picked))
        st.menu_button(
            "Correct the label",
            list(LABELS),
            key="bulk-label",
            on_click=_label,
            args=(place,),
            help="Tell the model what the posts are; the cases stay as they are",
        )
        st.button(
            "Select none",
            key="pick-none",
            shortcut="Esc",
            type="tertiary",
            on_click=place.pick_none,
        )


def draw_put_aside(place: Place, case_ids: Sequence[int]) -> None:
    """Snooze and dismiss: for the case under the keys, or for the selected ones."""
    st.menu_button(
        "Snooze",
        list(_until()),
        key="snooze-menu",
        type="secondary" if place.picked else "tertiary",
        on_click=_snooze,
        args=(place, case_ids),
        help="Put aside until a time",
    )
    st.menu_button(
        "Dismiss",
        list(Dismissal),
        key="dismiss-menu",
        type="secondary" if place.picked else "tertiary",
        on_click=_dismiss,
        args=(place, case_ids),
        help="Close as needing no answer, and say why",
    )


def told(done: Done) -> str:
    """'12 cases claimed, 2 were taken meanwhile.'"""
    words, left = DONE[done.kind]
    text = f"{counted(len(done.cases), 'case')} {words}"
    if done.kind is Kind.ASSIGNED:
        text += f" to {done.to}"
    if done.skipped:
        text += f", {done.skipped:,} {'was' if done.skipped == 1 else 'were'} {left}"
    return f"{text}."


def _how_many(place: Place) -> str:
    if place.picked_all and len(place.picked) == MOST:
        return f"The first {MOST:,} selected"
    if place.picked_all:
        return f"All {len(place.picked):,} selected"
    return f"{len(place.picked):,} selected"


def _all_words(place: Place) -> str:
    if place.chosen.words:  # what has to be read cannot be counted at every look
        return f"Select all that match, up to {MOST:,}"
    number = resources.count(place.chosen)
    if number > MOST:
        return f"Select the first {MOST:,} of {number:,} that match"
    return f"Select all {number:,} that match"


def _pick_all(place: Place) -> None:
    with resources.session() as session:
        place.picked = dict.fromkeys(bulk.select(session, place.chosen))
    place.picked_all = True


def _until() -> dict[str, datetime]:
    zone = resources.config().zone
    return {
        "1 hour": now() + timedelta(hours=1),
        "Tomorrow 9:00": times.morning(zone, 1),
        "Monday 9:00": times.next_monday(zone),
    }


def _do(place: Place, act: ManyAct, case_ids: Sequence[int] | None = None) -> None:
    wanted = list(place.picked) if case_ids is None else case_ids
    came: list[Done] = []
    if not actions.act(
        lambda session, agent: came.append(act(session, wanted, agent)), "", quiet=True
    ):
        return
    (done,) = came
    undo = partial(_undo, done=done) if done.cases else None
    actions.tell(told(done), good=bool(done.cases), undo=undo)
    place.pick_none()


def _undo(session: Session, agent: str, done: Done) -> str:
    undone, left = bulk.undo(session, agent, done)
    text = f"Undone for {counted(undone, 'case')}"
    return (
        f"{text}; {left:,} had changed since and {'was' if left == 1 else 'were'} left."
        if (left)
        else f"{text}."
    )


def _assign(place: Place) -> None:
    to = st.session_state.get("bulk-assign")
    if to is not None:
        _do(place, lambda session, ids, agent: bulk.assign(session, ids, agent, to))


def _tag(place: Place) -> None:
    text = st.session_state.get("bulk-tag") or ""
    _do(place, lambda session, ids, agent: bulk.tag(session, ids, agent, text))
    resources.tags.clear()


def _snooze(place: Place, case_ids: Sequence[int]) -> None:
    until = _until().get(st.session_state.get("snooze-menu") or "")
    if until is not None:
        _do(place, lambda session, ids, agent: bulk.snooze(session, ids, agent, until), case_ids)


def _dismiss(place: Place, case_ids: Sequence[int]) -> None:
    why = st.session_state.get("dismiss-menu")
    if why is not None:
        reason = Dismissal(why)
        _do(place, lambda session, ids, agent: bulk.dismiss(session, ids, agent, reason), case_ids)


def _label(place: Place) -> None:
    words = st.session_state.get("bulk-label")
    if words is not None:
        said = LABELS[words]
        _do(place, lambda session, ids, agent: bulk.label(session, ids, agent, complaint=said))
