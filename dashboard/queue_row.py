"""One line of the queue: why it ranks there, who wrote what, how long they wait, who has it."""

import streamlit as st

from dashboard import actions, resources, widgets
from dashboard.markup import Markup, draw, foreign, tag
from dashboard.place import Place
from dashboard.sla_box import due_badges
from monitor.desk import cases
from monitor.desk.queue.work_queue import Filter, Row
from monitor.store.models import CaseStatus, Post

CASE_PAGE = "app_pages/case.py"

SHOWN_TEXT = 400
"""Characters of a post in its row: more than two lines hold."""

PICK_WIDTH, OWNER_WIDTH, OPEN_WIDTH = 20, 96, 40


def draw_heads(place: Place) -> None:
    """What the columns are, and the box that selects the page."""
    with st.container(key="heads", horizontal=True, wrap=False, gap="small"):
        st.session_state["pick-page"] = all(case_id in place.picked for case_id in place.ids)
        st.checkbox(
            "Select the page",
            key="pick-page",
            label_visibility="collapsed",
            on_change=place.pick_page,
            width=PICK_WIDTH,
        )
        cells = [tag("span", name) for name in ("Priority", "Post", "Customer", "Reply")]
        draw(tag("div", tag("div", *cells, cls="row head"), cls="row-box"))
        st.html("<span>Owner</span>", width=OWNER_WIDTH)
        st.html("<span></span>", width=OPEN_WIDTH)


def draw_row(row: Row, place: Place, *, cursor: bool) -> None:
    """A line of the queue. All of it opens the case, but for what selects and claims it."""
    case = row.case
    with st.container(
        key=f"row-{case.id}",
        horizontal=True,
        wrap=False,
        vertical_alignment="center",
        gap="small",
    ):
        st.session_state[f"pick-{case.id}"] = case.id in place.picked
        st.checkbox(
            f"Select case {case.id}",
            key=f"pick-{case.id}",
            label_visibility="collapsed",
            on_change=place.pick,
            args=(case.id,),
            width=PICK_WIDTH,
        )
        draw(row_html(row, place.chosen, cursor=cursor))
        if case.assignee is None and case.status != CaseStatus.RESOLVED:
            st.button(
                "Claim",
                key=f"claim-{case.id}",
                on_click=claim,
                args=(case.id, row.author.handle),
                width=OWNER_WIDTH,
            )
        else:
            st.html(widgets.owner(case.assignee, actions.me()), width=OWNER_WIDTH)
        st.page_link(
            CASE_PAGE,
            label="Open",
            icon=":material/chevron_right:",
            query_params={"id": str(case.id)},
            width=OPEN_WIDTH,
        )


def row_html(row: Row, chosen: Filter, *, cursor: bool) -> Markup:
    """What a row tells, without its buttons."""
    case, post, fits = row.case, row.post, chosen.fits(row.case)
    zone = resources.config().zone
    facts: list[str | Markup] = [*widgets.language_fact(post)]
    if case.contacts > 1:
        facts.append(widgets.badge(f"{case.contacts} contacts", "amber", "Posts in a month"))
    facts += [widgets.badge(f"#{word}", "violet", "Tag") for word in row.tags]
    if not fits:
        facts.append(widgets.badge(f"now {widgets.STATUS_WORDS[case.status][0].lower()}", "gray"))
    text = " ".join(post.text[: 2 * SHOWN_TEXT].split())[:SHOWN_TEXT]
    state = [widgets.reply_badge(case.reply_status), *due_badges(case)]
    if chosen.status is None:
        state.insert(0, widgets.status_badge(case.status))
    kinds = f"row{' cursor' if cursor else ''}{'' if fits else ' gone'}"
    cells = tag(
        "div",
        widgets.priority_cell(case),
        tag(
            "div",
            widgets.author_line(row.author, *facts),
            foreign(text, cls="text clamp", name="div")
            if text
            else tag("div", _why_no_text(post), cls="text muted"),
            cls="what",
        ),
        widgets.waiting(case, zone),
        tag("div", *state, cls="state"),
        cls=kinds,
        id=f"case-{case.id}",
    )
    return tag("div", cells, cls="row-box")


def _why_no_text(post: Post) -> str:
    return "Its author deleted it." if post.deleted_at else "No text (a picture or a link only)."


def claim(case_id: int, handle: str) -> None:
    """Take a case that nobody has, or learn who was first."""
    actions.act(
        lambda session, agent: cases.claim(session, case_id, agent),
        f"You have the case of @{handle}.",
        undo=lambda session, agent: cases.release(session, case_id, agent),
    )
