"""Every post that came in: where somebody looks who misses a complaint, and makes it a case."""

from dataclasses import dataclass, field

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, widgets
from dashboard.markup import Markup, draw, tag
from dashboard.new_case_box import draw_new_case
from monitor.desk import labels
from monitor.desk.arrivals import triage
from monitor.desk.arrivals.ended import Ended
from monitor.desk.queue import post_list
from monitor.desk.queue.post_list import PAGE, Place
from monitor.store.models import Author, LabelOrigin, Post

CASE_PAGE = "app_pages/case.py"

ANY_NETWORK = "Any network"

BESIDE = 140
"""Width of what stands beside a post, so that all posts are equally wide."""


@dataclass
class Pages:
    """Where somebody is in the list."""

    words: str
    network: str | None
    stack: list[Place] = field(default_factory=list)
    """The last post of every page before this one."""


def main() -> None:
    """The whole page."""
    with st.container(key="top", horizontal=True, vertical_alignment="center"):
        draw(tag("h1", "Posts"), width="content")
        draw_new_case()
    pages = _filters()
    actions.show_outcome()
    after = pages.stack[-1] if pages.stack else None
    with resources.session() as session:
        found = post_list.newest(session, pages.words, pages.network, after, PAGE + 1)
    if not found:
        _nothing(bool(pages.words or pages.network))
    for post, author in found[:PAGE]:
        _row(post, author)
    _pager(pages, found)


def _filters() -> Pages:
    """What the widgets, and with them the address, say; another choice begins at the newest."""
    with st.container(key="filters", horizontal=True, vertical_alignment="center", gap="small"):
        network = st.selectbox(
            "Network",
            [ANY_NETWORK, *resources.networks()],
            key="from",
            bind="query-params",
            label_visibility="collapsed",
            width=150,
        )
        words = st.text_input(
            "Words",
            key="find",
            type="search",
            bind="query-params",
            placeholder="Words in a post, or a handle",
            label_visibility="collapsed",
            max_chars=200,
            width=260,
        )
    asked = Pages(" ".join((words or "").split()), None if network == ANY_NETWORK else network)
    known: Pages | None = st.session_state.get("posts")
    if known is None or (known.words, known.network) != (asked.words, asked.network):
        known = st.session_state.posts = asked
    return known


def _nothing(filtered: bool) -> None:
    title = "No post matches these filters" if filtered else "No post has come in yet"
    text = "Try fewer words." if filtered else "The sources tell whether any is asked."
    draw(tag("div", tag("h2", title), tag("p", text), cls="empty"))


def _row(post: Post, author: Author) -> None:
    zone = resources.config().zone
    with st.container(
        key=f"post-{post.id}",
        horizontal=True,
        wrap=False,
        vertical_alignment="center",
        gap="small",
    ):
        facts = [widgets.on_network(post.network), *([] if author.own else [_score(post)])]
        draw(widgets.post_card(post, author, zone, current=False, of_case=True, more=facts))
        if post.case_id is not None:
            st.page_link(
                CASE_PAGE,
                label=f"Case {post.case_id}",
                icon=":material/chevron_right:",
                query_params={"id": str(post.case_id)},
                width=BESIDE,
            )
        elif not author.own and not post.deleted_at:
            st.button(
                "Make it a case",
                key=f"make-{post.id}",
                on_click=_make,
                args=(post.id,),
                help="You say that it is a complaint; the model learns from it",
                width=BESIDE,
            )
        else:
            st.space(BESIDE)


def _score(post: Post) -> Markup:
    if post.complaint is None:
        return widgets.badge("not read yet", "gray", "The engine has not come to it")
    return widgets.badge(
        f"complaint {post.complaint:.2f}", "gray", "Probability that it is a complaint"
    )


def _make(post_id: int) -> None:
    case_ids: list[int] = []
    ended: list[Ended | None] = []

    def call(session: Session, agent: str) -> None:
        ended.append(triage.would_open_again(session, post_id))
        case_ids.append(triage.open_by_hand(session, post_id, agent))
        labels.set_label(session, post_id, agent, True, LabelOrigin.DESK)

    def undo(session: Session, agent: str) -> None:
        labels.clear_label(session, post_id, LabelOrigin.DESK, agent)
        triage.close_by_hand(session, post_id, agent, ended[0])

    if actions.act(call, "", quiet=True):
        actions.tell(f"It is in case {case_ids[0]} now.", good=True, undo=undo)


def _pager(pages: Pages, found: list[tuple[Post, Author]]) -> None:
    more = len(found) > PAGE
    if not more and not pages.stack:
        return
    with st.container(key="pager", horizontal=True, horizontal_alignment="center"):
        st.button(
            "Newer",
            key="newer",
            icon=":material/chevron_left:",
            disabled=not pages.stack,
            on_click=_turn,
            args=(pages, None),
        )
        last = found[PAGE - 1][0] if more else None
        st.button(
            "Older",
            key="older",
            icon=":material/chevron_right:",
            icon_position="right",
            disabled=not more,
            on_click=_turn,
            args=(pages, Place(last.created_at, last.id) if last else None),
        )


def _turn(pages: Pages, last: Place | None) -> None:
    if last is not None:
        pages.stack.append(last)
    elif pages.stack:
        pages.stack.pop()


main()
