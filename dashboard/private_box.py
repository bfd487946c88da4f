"""Public, or public and then private: the same answer with the company's private contact."""

from collections.abc import Callable

import streamlit as st

from dashboard import actions, resources
from monitor.answer import private

PUBLIC, THEN_PRIVATE = "Public", "Public, then private"


def draw_switch(key: str, save: Callable[[], None]) -> None:
    """The choice under the answer in the box `key`; it follows what the text says."""
    text = st.session_state.get(key) or ""
    switch = f"private-{key}"
    leads_there = private.leads_there(text, resources.config().desk.private_contact)
    st.session_state[switch] = THEN_PRIVATE if leads_there else PUBLIC
    st.segmented_control(
        "How to answer",
        [PUBLIC, THEN_PRIVATE],
        key=switch,
        required=True,
        label_visibility="collapsed",
        help="The second adds our private contact to the answer, which stays public itself",
        on_change=_switch,
        args=(key, switch, save),
    )


def _switch(key: str, switch: str, save: Callable[[], None]) -> None:
    """Put the private contact below the text, or take it out, where everybody sees it."""
    config = resources.config()
    contact = config.desk.private_contact
    text = st.session_state.get(key) or ""
    if st.session_state[switch] != THEN_PRIVATE:
        st.session_state[key] = private.without_contact(text, contact)
    elif contact.strip():
        st.session_state[key] = private.with_contact(text, contact)
    else:
        actions.tell(
            "There is no private contact yet. Write one under [desk] in "
            f'{config.path.name}, private_contact = "https://…", then restart.',
            good=False,
        )
        return
    save()
