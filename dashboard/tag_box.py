"""The tags of a case: chips that can be taken off, and a field that suggests the known ones."""

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources
from monitor.desk import tags
from monitor.desk.page.case_file import CaseFile

SUGGESTED = 200
"""Known tags that are suggested, the most used first."""


def draw_tags(file: CaseFile) -> None:
    """The tags in one field: what is chosen there is on the case."""
    known = list(resources.tags())[:SUGGESTED]
    here = list(file.tags)
    key = f"tags-{file.case.id}"
    # What the case has is what the field shows: a colleague may have changed it.
    st.session_state[key] = here
    st.multiselect(
        "Tags",
        [*here, *(tag for tag in known if tag not in here)],
        key=key,
        accept_new_options=True,
        placeholder="Add a tag: choose, or type and press Enter",
        on_change=_change,
        args=(file.case.id, key, here),
    )


def _change(case_id: int, key: str, before: list[str]) -> None:
    chosen: list[str] = st.session_state[key]
    added = [tag for tag in chosen if tag not in before]
    removed = [tag for tag in before if tag not in chosen]

    def change(session: Session, agent: str, add: list[str], remove: list[str]) -> None:
        for tag in add:
            tags.add(session, case_id, agent, tag)
        for tag in remove:
            tags.remove(session, case_id, agent, tag)
        resources.tags.clear()

    told = [f"tagged {tag}" for tag in added] + [f"took off {tag}" for tag in removed]
    actions.act(
        lambda session, agent: change(session, agent, added, removed),
        f"Done: {', '.join(told)}.",
        undo=lambda session, agent: change(session, agent, removed, added),
    )
