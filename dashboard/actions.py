"""One click, one function of the monitor: what came of it is told once, and can be undone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st
from sqlmodel import Session

from dashboard import resources
from dashboard.markup import draw
from dashboard.widgets import notice
from monitor.desk.cases import CaseError
from monitor.desk.page.changes import refuse_if_changed
from monitor.store.models import now

Act = Callable[[Session, str], object]
"""What a click does, in a session, in the name of an agent."""

TOLD_FOR = timedelta(seconds=30)
"""How long the outcome stays on the page, and can be undone with one click."""


@dataclass(frozen=True)
class Told:
    """What the last click did, until the next one."""

    text: str
    good: bool
    at: datetime
    undo: Act | None = None


def me() -> str | None:
    """Who sits here; None as long as nobody has said."""
    person = st.session_state.get("person")
    return person if person in resources.config().people else None


def act(call: Act, text: str, undo: Act | None = None, *, quiet: bool = False) -> bool:
    """Do what was clicked and keep what came of it for `show_outcome`. Returns whether it worked.

    Somebody else may have been first: then their name is told, and the page shows what is true now.
    Where the call returns a text, that is told instead. With `quiet`, success is not told: it
    shows, or the call tells it better.
    """
    person = me()
    if person is None:
        tell("Choose your name first, at the top left.", good=False)
        return False
    with resources.session() as session:
        try:
            came = call(session, person)
        except CaseError as error:
            session.rollback()
            tell(str(error), good=False)
            return False
        finally:
            resources.forget_counts()
    if not quiet:
        tell(came if isinstance(came, str) else text, good=True, undo=undo)
    return True


def drew(case_id: int, event_id: int) -> None:
    """Remember how a case stood when its page was drawn: what is clicked there was meant for that.

    `event_id` is the last line of its history.
    """
    st.session_state.drawn = (case_id, event_id)


def if_unchanged(case_id: int, call: Act) -> Act:
    """`call`, refused with what changed where others did so since the case's page was drawn."""
    drawn: tuple[int, int] = st.session_state.get("drawn", (0, 0))

    def checked(session: Session, agent: str) -> None:
        if drawn[0] == case_id:
            refuse_if_changed(session, case_id, agent, drawn[1])
        call(session, agent)

    return checked


def tell(text: str, *, good: bool, undo: Act | None = None) -> None:
    """Keep a message for `show_outcome`."""
    st.session_state.told = Told(text, good, now(), undo)


def show_outcome() -> None:
    """The outcome of the last click with its undo, floating above the page."""
    told: Told | None = st.session_state.get("told")
    if told is None or now() - told.at > TOLD_FOR:
        return
    key = "outcome-good" if told.good else "outcome-bad"
    with st.container(key=key, horizontal=True, vertical_alignment="center", gap="small"):
        draw(notice(told.text, "good" if told.good else "problem"), width="content")
        if told.undo:
            st.button("Undo", key="undo", on_click=_undo, shortcut="U", type="tertiary")
        st.button(
            "Dismiss",
            key="dismiss",
            on_click=_forget,
            type="tertiary",
            icon=":material/close:",
            help="Dismiss",
        )


def _undo() -> None:
    told: Told | None = st.session_state.get("told")
    if told and told.undo:
        act(told.undo, "Undone.")


def _forget() -> None:
    st.session_state.told = None
