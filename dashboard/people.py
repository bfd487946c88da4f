"""Who sits here. A cookie keeps the name: a link that is passed on must not carry it along."""

from urllib.parse import quote, unquote

import streamlit as st

from dashboard import resources
from dashboard.markup import draw, tag

COOKIE = "monitor_person"
YEAR = 365 * 24 * 3600


def choose() -> None:
    """Let somebody say who they are; reloads and new tabs remember it."""
    names = resources.config().people
    if not names:
        where = resources.config().path.name
        draw(
            tag(
                "div",
                tag("b", "Nobody works here yet"),
                tag("p", f"Add yourselves to {where}, then restart:"),
                tag("pre", '[[people]]\nname = "Alice"'),
                cls="notice hint",
            )
        )
        return
    if "person" not in st.session_state:
        remembered = unquote(st.context.cookies.get(COOKIE, ""))
        st.session_state.person = remembered if remembered in names else None
    chosen = st.selectbox(
        "You are", names, index=None, key="person", placeholder="Choose your name"
    )
    _remember(chosen)


def _remember(name: str | None) -> None:
    """Names come from config.toml and have no character that quoting leaves special."""
    age = YEAR if name else 0
    cookie = f"{COOKIE}={quote(name or '', safe='')};path=/;max-age={age};samesite=strict"
    with st.container(key="unseen-person"):
        st.html(f'<script>document.cookie="{cookie}"</script>', unsafe_allow_javascript=True)
