"""Canned replies above the answer: begin with one, keep the present text as one, mend them."""

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard import actions, resources
from dashboard.markup import draw, tag
from monitor.answer import canned
from monitor.desk.page.case_file import CaseFile
from monitor.store.models import Canned

WHICH = "canned-which"


def draw_canned(file: CaseFile, key: str, save: Callable[[], None]) -> None:
    """The row above the answer in the box `key`; `save` keeps what is put there."""
    with resources.session() as session:
        found = canned.all_canned(session)
    with st.container(key="canned", horizontal=True, vertical_alignment="center"):
        if found:
            begin = f"begin-{key}"
            st.selectbox(
                "Begin with a canned reply",
                [one.name for one in found],
                index=None,
                key=begin,
                placeholder="Begin with …",
                label_visibility="collapsed",
                on_change=_begin,
                args=(file, key, begin, {one.name: one.text for one in found}, save),
                width=260,
            )
        with st.popover("Canned replies", icon=":material/edit_note:", key="canned-open"):
            _manage(found, st.session_state.get(key) or "")


def _begin(
    file: CaseFile, key: str, begin: str, texts: dict[str, str], save: Callable[[], None]
) -> None:
    """Put a canned reply, filled in, below what is written already."""
    name = st.session_state.get(begin)
    if name is None:
        return
    config = resources.config()
    known = canned.values(
        file.author,
        file.case.id,
        actions.me() or "",
        config.company.name,
        config.desk.private_contact,
    )
    typed = (st.session_state.get(key) or "").rstrip()
    filled = canned.fill(texts[name], known)
    st.session_state[key] = f"{typed}\n\n{filled}" if typed else filled
    st.session_state[begin] = None
    save()


def _manage(found: Sequence[Canned], text: str) -> None:
    """One form for a new one and for each that there is."""
    by_name = {one.name: one for one in found}
    if st.session_state.get(WHICH) not in by_name:
        # A colleague may have renamed or deleted it.
        st.session_state[WHICH] = None
    chosen = st.selectbox(
        "Which one", list(by_name), index=None, key=WHICH, placeholder="A new one, from your text"
    )
    one = by_name[chosen] if chosen else None
    # Other fields as soon as there is something else to show in them.
    mark = f"{one.id}-{one.updated_at.timestamp()}" if one else f"new-{hash(text)}"
    name_key, text_key = f"canned-name-{mark}", f"canned-text-{mark}"
    with st.form("canned-form", border=False):
        st.text_input(
            "Name",
            value=one.name if one else "",
            key=name_key,
            max_chars=canned.LONGEST_NAME,
        )
        st.text_area(
            "Text", value=one.text if one else text, key=text_key, max_chars=canned.LONGEST_TEXT
        )
        names = ", ".join(f"{{{name}}}" for name in canned.NAMES)
        draw(
            tag(
                "p",
                f"Filled in by itself: {names}. Any other {{name}} or [words in brackets] have to "
                "be written before the answer can be sent.",
                cls="muted small",
            )
        )
        with st.container(key="canned-buttons", horizontal=True):
            st.form_submit_button(
                "Keep",
                key="canned-keep",
                type="primary",
                on_click=_keep,
                args=(one, name_key, text_key),
            )
            if one:
                st.form_submit_button(
                    "Delete", key="canned-delete", on_click=_delete, args=(one,), type="tertiary"
                )


def _keep(one: Canned | None, name_key: str, text_key: str) -> None:
    name = st.session_state.get(name_key) or ""
    text = st.session_state.get(text_key) or ""
    if one is None:
        done = actions.act(
            lambda session, agent: canned.add(session, agent, name, text),
            "Kept: everybody can begin with it.",
        )
    else:
        before = (one.id, one.name, one.text)
        done = actions.act(
            lambda session, agent: canned.change(session, before[0], agent, name, text),
            "The canned reply is changed.",
            undo=lambda session, agent: canned.change(session, before[0], agent, *before[1:]),
        )
    if done:
        st.session_state[WHICH] = None
        st.session_state.pop(name_key, None)


def _delete(one: Canned) -> None:
    name, text = one.name, one.text
    done = actions.act(
        lambda session, agent: canned.delete(session, one.id),
        f"“{name}” is deleted.",
        undo=lambda session, agent: canned.add(session, agent, name, text),
    )
    if done:
        st.session_state[WHICH] = None
