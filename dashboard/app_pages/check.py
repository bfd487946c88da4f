"""A person's word on posts: those that the model is not sure of, and the weekly blind sample."""

import math
from collections.abc import Callable

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, widgets
from dashboard.markup import draw, tag
from monitor.desk import labels
from monitor.desk.arrivals import triage
from monitor.desk.arrivals.ended import Ended
from monitor.store.models import Author, Label, LabelOrigin, Post

UNCERTAIN, SAMPLE = "uncertain", "sample"

QUALITY_PAGE = "app_pages/quality.py"

SECONDS_A_POST = 6
"""What reading a post and pressing a key takes."""


def main() -> None:
    """The whole page."""
    limit = resources.threshold()
    if limit is None:
        resources.stop(
            "There is nothing to be sure of",
            "No model is installed and no threshold is set. Set desk.threshold in the settings.",
        )
    with resources.session() as session:
        uncertain = labels.count_to_check(session, limit)
        waiting = labels.count_to_label(session)
    draw(tag("h1", "Check"))
    tab = _tabs(uncertain, waiting)
    actions.show_outcome()
    if tab == SAMPLE:
        _sample()
    else:
        _uncertain(limit, uncertain)


def _tabs(uncertain: int, waiting: int) -> str:
    """The tabs, and which of them is chosen: only its posts are drawn, so that its keys work."""
    tab = SAMPLE if st.query_params.get("tab") == SAMPLE else UNCERTAIN
    with st.container(key="tabs", horizontal=True, gap="xsmall"):
        for name, words, number in (
            (UNCERTAIN, "Uncertain", uncertain),
            (SAMPLE, "Weekly sample", waiting),
        ):
            st.button(
                f"{words} **{number:,}**",
                key=f"tab-{name}",
                type="primary" if name == tab else "tertiary",
                on_click=_choose,
                args=(name,),
            )
    return tab


def _choose(tab: str) -> None:
    if tab == UNCERTAIN:
        st.query_params.pop("tab", None)
    else:
        st.query_params["tab"] = tab


def _uncertain(limit: float, number: int) -> None:
    skipped: list[int] = st.session_state.setdefault("skipped", [])
    with resources.session() as session:
        found = labels.to_check(session, limit, len(skipped) + 1)
    post, author = next((pair for pair in found if pair[0].id not in skipped), (None, None))
    if post is None or author is None:
        _nothing_uncertain(bool(number))
        return
    words = "The model is not sure of these. Each answer makes it better."
    draw(tag("p", words, cls="muted"))
    _card(post, author)
    with st.container(key="verdict", horizontal=True, gap="small"):
        _button("Complaint", "yes", "Y", _checked, (post.id, True), primary=True)
        _button("Not a complaint", "no", "N", _checked, (post.id, False))
        _button("Skip", "skip", "S", _skip, (post.id,))


def _nothing_uncertain(skipped: bool) -> None:
    if skipped:
        _empty("You have seen them all", "Those that you skipped are still there.")
        st.button("Show them again", key="clear-empty", on_click=_show_skipped)
        return
    _empty(
        "Nothing is uncertain",
        "The model is sure of every post of the last 30 days, or somebody has looked at it. New "
        "ones appear here by themselves.",
    )


def _sample() -> None:
    with resources.session() as session:
        found = labels.to_label(session, 1)
        label, post, author = found[0] if found else (None, None, None)
        given, total = (
            labels.progress(session, label.sample_id) if label and label.sample_id else (0, 0)
        )
    if label is None or post is None or author is None:
        _empty(
            "No post of a sample waits",
            "Each Monday 60 posts of the week before are drawn at random. What people say of them "
            "tells how good the model is, and what it misses.",
        )
        st.page_link(QUALITY_PAGE, label="Model quality", icon=":material/speed:")
        return
    minutes = math.ceil((total - given) * SECONDS_A_POST / 60)
    with st.container(key="sample-progress"):
        words = f"{given} of {total}, about {widgets.counted(minutes, 'minute')}"
        draw(tag("p", tag("b", words), tag("span", " · drawn at random, judge each by itself")))
        st.progress(given / total if total else 0.0)
    _card(post, author)
    unanswered = post.case_id is None and post.deleted_at is None
    with st.container(key="verdict", horizontal=True, gap="small"):
        # Neither button stands out: nothing may lead whoever judges.
        _button("Complaint", "yes", "Y", _sampled, (label, True, unanswered))
        _button("Not a complaint", "no", "N", _sampled, (label, False, unanswered))


def _card(post: Post, author: Author) -> None:
    """The post, without its score: whoever judges it should not be led."""
    with st.container(key="check-post"):
        zone = resources.config().zone
        draw(widgets.post_card(post, author, zone, current=False, of_case=True))


def _button(
    words: str,
    key: str,
    shortcut: str,
    call: Callable[..., None],
    args: tuple[object, ...],
    *,
    primary: bool = False,
) -> None:
    st.button(
        words,
        key=key,
        shortcut=shortcut,
        type="primary" if primary else "secondary",
        on_click=call,
        args=args,
    )


def _checked(post_id: int, complaint: bool) -> None:
    case_ids: list[int] = []
    ended: list[Ended | None] = []

    def call(session: Session, agent: str) -> None:
        if complaint:
            ended.append(triage.would_open_again(session, post_id))
            case_ids.append(triage.open_by_hand(session, post_id, agent))
        labels.set_label(session, post_id, agent, complaint, LabelOrigin.CHECK)

    _do(call, post_id, LabelOrigin.CHECK, case_ids, ended)


def _sampled(label: Label, complaint: bool, opens: bool) -> None:
    """`opens`: a complaint gets a case, as it has none."""
    case_ids: list[int] = []
    ended: list[Ended | None] = []

    def call(session: Session, agent: str) -> None:
        labels.give(session, label.id, agent, complaint)
        if complaint and opens:
            ended.append(triage.would_open_again(session, label.post_id))
            case_ids.append(triage.open_by_hand(session, label.post_id, agent))

    _do(call, label.post_id, LabelOrigin.SAMPLE, case_ids, ended)


def _do(
    call: actions.Act,
    post_id: int,
    origin: LabelOrigin,
    case_ids: list[int],
    ended: list[Ended | None],
) -> None:
    """Do it and tell it; `case_ids` gets the case that it opened, `ended` how that had ended."""

    def undo(session: Session, agent: str) -> None:
        labels.clear_label(session, post_id, origin, agent)
        if case_ids:
            triage.close_by_hand(session, post_id, agent, ended[0])
        resources.to_check.clear()

    done = actions.act(call, "", quiet=True)
    resources.to_check.clear()
    if done:
        text = f"Kept; it is in case {case_ids[0]} now." if case_ids else "Kept."
        actions.tell(text, good=True, undo=undo)


def _skip(post_id: int) -> None:
    st.session_state.setdefault("skipped", []).append(post_id)


def _show_skipped() -> None:
    st.session_state.skipped = []


def _empty(title: str, text: str) -> None:
    draw(tag("div", tag("h2", title), tag("p", text), cls="empty"))


main()
