"""Who the customer is: how well we know them, what was decided about them, how to answer them."""

import zlib
from collections.abc import Callable

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times, widgets
from dashboard.markup import Markup, draw, foreign, link_out, tag
from monitor.desk.page import authors
from monitor.desk.page.case_file import CaseFile
from monitor.store.models import BY_HAND, Post

CASE_PAGE = "app_pages/case.py"

LINKS = 10
"""Repeated posts that are listed."""


def draw_author(file: CaseFile) -> None:
    """Everything about the author that is not one of their cases."""
    draw(tag("h3", "Author", cls="side-title"), _facts(file))
    author, case_id = file.author, file.case.id
    with st.container(key="author-marks", horizontal=True, gap="medium"):
        _switch(
            "VIP", f"vip-{case_id}", author.vip, authors.set_vip, case_id,
            "Their cases get 10 points more in the queue",
            ("They are marked as VIP.", "They are no VIP any more."),
        )  # fmt: skip
        _switch(
            "Blocked", f"blocked-{case_id}", author.blocked, authors.set_blocked, case_id,
            "No new cases: their new posts make none and join none. This case stays.",
            ("Their new posts make no case any more.", "Their new posts make cases again."),
        )  # fmt: skip
    # Its own box for each text that was kept, so that nobody's typing is drawn over.
    key = f"preference-{case_id}-{zlib.crc32(author.preference.encode())}"
    st.text_input(
        "How they want to be answered",
        value=author.preference,
        key=key,
        max_chars=authors.LONGEST,
        placeholder="By phone, in French, never in public …",
        on_change=_prefer,
        args=(case_id, key, author.preference),
    )
    _repeated(file)


def draw_preference(file: CaseFile) -> None:
    """How the author wants to be answered, for the place where that is done."""
    if file.author.preference:
        words = tag("b", "How they want to be answered: ")
        draw(tag("div", words, file.author.preference, cls="notice hint", role="note"))


def _facts(file: CaseFile) -> Markup:
    author, known, zone = file.author, file.known, resources.config().zone
    name = foreign(author.name, cls="author") if author.name else Markup("")
    at = "" if author.network == BY_HAND else "@"
    handle = foreign(f"{at}{author.handle}", cls="handle")
    who = tag("div", name, handle, widgets.on_network(author.network), cls="who")
    followers = "unknown" if author.followers is None else f"{author.followers:,}"
    facts = [
        ("Followers", tag("b", followers)),
        ("First seen", tag("b", widgets.since(known.first_seen, zone, "unknown"))),
        ("Posts", tag("b", f"{known.posts:,}")),
        ("Cases", tag("b", f"{known.cases:,}")),
    ]
    cells = [tag("div", tag("span", word, cls="muted small"), value) for word, value in facts]
    return tag("section", who, tag("div", *cells, cls="facts"), cls="side")


def _switch(
    words: str,
    key: str,
    value: bool,
    call: Callable[[Session, int, str, bool], None],
    case_id: int,
    meaning: str,
    told: tuple[str, str],
) -> None:
    # What is true is what the switch shows: a colleague may have turned it.
    st.session_state[key] = value

    def turn() -> None:
        wanted = bool(st.session_state[key])
        actions.act(
            lambda session, agent: call(session, case_id, agent, wanted),
            told[0] if wanted else told[1],
            undo=lambda session, agent: call(session, case_id, agent, not wanted),
        )

    st.toggle(words, key=key, help=meaning, on_change=turn)


def _prefer(case_id: int, key: str, before: str) -> None:
    text = " ".join((st.session_state.get(key) or "").split())
    actions.act(
        lambda session, agent: authors.set_preference(session, case_id, agent, text, before),
        "Kept: it stands beside the answer." if text else "Nothing is kept about it any more.",
        undo=lambda session, agent: authors.set_preference(session, case_id, agent, before, text),
    )


def times_posted(others: list[Post]) -> Markup:
    """That its author has posted the same elsewhere too."""
    meaning = "The same words, or nearly, by the same author within a month"
    return widgets.badge(f"posted this {len(others) + 1} times", "amber", meaning)


def _repeated(file: CaseFile) -> None:
    """Where else the author said the same as in the marked post."""
    same = file.repeats.get(file.post.id, [])
    if not same:
        return
    zone = resources.config().zone
    draw(tag("p", times_posted(same), " Also:", cls="small said"))
    with st.container(key="repeats", gap=None):
        for post in same[:LINKS]:
            link = link_out(post.url, "on the network ↗")
            case = "" if post.case_id is None else f"case {post.case_id}"
            if post.case_id == file.case.id:
                case = "in this case"
            parts = [part for part in (times.ago(post.created_at, zone), case, link) if part]
            line = [piece for part in parts for piece in (" · ", part)][1:]
            draw(tag("p", *line, cls="small"))
        for case_id in sorted({post.case_id for post in same if post.case_id} - {file.case.id}):
            st.page_link(CASE_PAGE, label=f"To case {case_id}", query_params={"id": str(case_id)})
        if len(same) > LINKS:
            draw(tag("p", f"and {len(same) - LINKS} more", cls="small muted"))
