"""The words of a draft in its box: kept by themselves, and never written over unseen."""

import streamlit as st
from sqlmodel import Session

from dashboard import actions, widgets
from dashboard.markup import draw, foreign
from dashboard.presence_box import wrote
from monitor.answer import replies


def take(key: str, kept: str) -> None:
    """Begin with the draft as it is kept, and remember what that was."""
    st.session_state[key] = st.session_state[f"{key}-before"] = kept


def changed_elsewhere(case_id: int, key: str, kept: str) -> None:
    """The draft was changed in another window: the box is not drawn over, its writer chooses."""
    if kept in (st.session_state[f"{key}-before"], st.session_state[key].strip()):
        return
    words = "The draft was changed elsewhere. It says now:" if kept else (
        "The draft was thrown away elsewhere.")  # fmt: skip
    draw(widgets.notice(words), foreign(kept, cls="text draft", name="div") if kept else "")
    with st.container(key="draft-choice", horizontal=True):
        st.button("Take that into the box", key="draft-take", on_click=take, args=(key, kept))
        st.button("Keep what the box says", key="draft-keep", on_click=_keep_mine,
                  args=(case_id, key, kept))  # fmt: skip


def _keep_mine(case_id: int, key: str, kept: str) -> None:
    st.session_state[f"{key}-before"] = kept
    save(case_id, key)


def save(case_id: int, key: str) -> None:
    """Keep what was written. An emptied box throws the draft away."""
    text = st.session_state.get(key) or ""
    before = st.session_state[f"{key}-before"]
    wrote(case_id)

    def keep(session: Session, agent: str) -> None:
        if text.strip():
            replies.save_draft(session, case_id, agent, text, before)
        else:
            replies.discard_draft(session, case_id, agent, before)

    if actions.act(keep, "", quiet=True):
        st.session_state[f"{key}-before"] = text.strip()
        st.session_state.pop(f"unsaved-{case_id}", None)
    else:
        st.session_state[f"unsaved-{case_id}"] = text.strip()


def show_unsaved(case_id: int) -> None:
    """Words that were typed as a colleague took the case: there is no box for them any more."""
    words = st.session_state.get(f"unsaved-{case_id}")
    if words:
        draw(
            widgets.notice("What you typed last is not saved. Copy it if it is still needed:"),
            foreign(words, cls="text draft", name="div"),
        )
