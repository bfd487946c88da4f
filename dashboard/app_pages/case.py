"""One case: what was said, what is known, what can be done, and the answer."""

from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import actions, author_box, bell, resources, times, widgets
from dashboard.case_actions import action_bar
from dashboard.case_side import draw_side
from dashboard.closing_box import draw_ending
from dashboard.incident_box import draw_incident
from dashboard.markup import Markup, draw, foreign, link_out, tag
from dashboard.merge_box import draw_merge
from dashboard.presence_box import draw_presence
from dashboard.promise_box import draw_promises
from dashboard.reply_box import draw_reply_box
from dashboard.sla_box import due_badges
from monitor.desk.page import case_file
from monitor.desk.page.case_file import CaseFile
from monitor.desk.queue import work_queue
from monitor.desk.queue.work_queue import Filter, Position
from monitor.store.models import Post, ReplyStatus, now

QUEUE_PAGE, CASE_PAGE = "app_pages/work_queue.py", "app_pages/case.py"

WATCH_SECONDS = 10


def main() -> None:
    """The whole page."""
    case_id = resources.asked_number("id")
    bell.opened()
    with resources.session() as session:
        file = case_file.case_file(session, case_id) if case_id is not None else None
        mark = case_file.mark(session, case_id) if case_id is not None else ()
    if file is None:
        _no_such_case()
        return
    _navigation(file)
    _header(file)
    actions.show_outcome()
    draw_incident(file)
    action_bar(file)
    draw_ending(file)
    others = st.empty()
    with st.container(key="case-body"):
        thread, side = st.columns([11, 6], gap="large")
        with thread:
            _thread(file)
            draw_reply_box(file)
        with side:
            draw_promises(file)
            draw_side(file)
            draw_merge(file)
    # Only now: a click that is handled while the page is drawn was meant for the page before.
    actions.drew(file.case.id, file.events[-1].id if file.events else 0)
    _watch(file.case.id, mark, others)


def _no_such_case() -> None:
    asked = st.query_params.get("id", "")
    title = "There is no such case" if asked else "No case was chosen"
    text = "It may have been erased, or the link is cut off." if asked else "Choose one there."
    draw(tag("div", tag("h2", title), tag("p", text), cls="empty"))
    st.page_link(QUEUE_PAGE, label="To the queue", icon=":material/arrow_back:")


def _navigation(file: CaseFile) -> None:
    address = st.session_state.get("queue_address", {})
    with st.container(key="top", horizontal=True, vertical_alignment="center"):
        st.page_link(QUEUE_PAGE, label="Queue", icon=":material/arrow_back:", query_params=address)
        draw(tag("span", f"Case {file.case.id}", cls="muted"), width="content")
        st.space("stretch")
        if st.button(
            "Next case",
            key="next-case",
            shortcut="N",
            icon=":material/arrow_forward:",
            icon_position="right",
        ):
            _go_on(file)


def _go_on(file: CaseFile) -> None:
    """To the case after this one in the queue, passing over those that colleagues have."""
    place = st.session_state.get("queue")
    chosen = place.chosen if place else Filter()
    after = _place_of(file)
    with resources.session() as session:
        rows = work_queue.queue(session, chosen, after)
    free = (None, actions.me(), chosen.owner)
    for row in rows:
        if row.case.id != file.case.id and row.case.assignee in free:
            st.switch_page(CASE_PAGE, query_params={"id": str(row.case.id)})
    actions.tell("That was the last case of this queue.", good=True)
    st.switch_page(QUEUE_PAGE, query_params=st.session_state.get("queue_address", {}))


def _place_of(file: CaseFile) -> Position:
    """Where the case stood when it was opened: an answer moves it, but not the one who reads."""
    known: tuple[int, Position] | None = st.session_state.get("case_place")
    if known is None or known[0] != file.case.id:
        known = (file.case.id, Position.of(file.case))
        st.session_state.case_place = known
    return known[1]


def _header(file: CaseFile) -> None:
    _place_of(file)
    case, author, zone = file.case, file.author, resources.config().zone
    facts: list[str | Markup] = []
    if case.contacts > 1:
        facts.append(widgets.badge(f"{case.contacts} contacts", "amber", "Posts in a month"))
    link = link_out(file.post.url, "Original on the network ↗")
    if link:
        facts.append(link)
    state = [
        widgets.status_badge(case.status),
        widgets.reply_badge(case.reply_status),
        *due_badges(case),
        widgets.owner(case.assignee, actions.me()),
        tag("span", _standing(file, zone), cls="muted"),
    ]
    draw(
        tag(
            "header",
            tag("h1", foreign(author.name or author.handle)),
            widgets.author_line(author, *facts),
            tag("div", *state, cls="state-line"),
            cls="case-head",
        )
    )


def _standing(file: CaseFile, zone: ZoneInfo) -> str:
    """Where it stands, in a sentence."""
    case = file.case
    if case.resolved_at:
        how = str(case.outcome or "")
        why = f" ({case.dismissal})" if case.dismissal else ""
        return f"{how}{why}, {times.relative(case.resolved_at)}"
    if case.snoozed_until:
        return f"until {times.stamp(case.snoozed_until, zone)}"
    if case.waiting_since:
        return f"waiting for {times.span((now() - case.waiting_since).total_seconds())}"
    return f"answered {times.relative(case.answered_at)}" if case.answered_at else ""


def _thread(file: CaseFile) -> None:
    """The posts and our answers, in the order in which they were made."""
    zone = resources.config().zone
    fetched = {post.external_id for post, _ in file.thread}
    ours = {file.case.id, *[case.id for case in file.merged]}
    told: list[tuple[datetime, Markup]] = [
        (
            post.created_at,
            widgets.post_card(
                post,
                author,
                zone,
                current=post.id == file.case.post_id,
                of_case=post.case_id in ours,
                answered_at=file.case.first_answered_at,
                more=_again(file, post),
            ),
        )
        for post, author in file.thread
    ]
    told += [
        (reply.sent_at or reply.updated_at, widgets.reply_card(reply, zone))
        for reply in file.replies
        # One that came back to us as a post is there already.
        if reply.status not in (ReplyStatus.DRAFT, ReplyStatus.WAITING)
        and (reply.external_id is None or reply.external_id not in fetched)
    ]
    cards = [card for _, card in sorted(told, key=lambda item: item[0])]
    draw(tag("div", *cards, cls="thread"))


def _again(file: CaseFile, post: Post) -> list[Markup]:
    same = file.repeats.get(post.id)
    return [author_box.times_posted(same)] if same else []


@st.fragment(run_every=WATCH_SECONDS)
def _watch(case_id: int, mark: tuple[object, ...], others: DeltaGenerator) -> None:
    """Draw the page again as soon as a colleague, the customer or the network changes the case.

    Meanwhile, tell colleagues who is here, and show at `others` who they are.
    """
    draw_presence(case_id, others)
    with resources.session() as session:
        changed = case_file.mark(session, case_id) != mark
    if changed:
        st.rerun()


main()
