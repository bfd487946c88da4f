"""The queue: what is to be done first, who does it, and what is new."""

import streamlit as st

from dashboard import actions, resources, widgets
from dashboard.markup import draw, tag
from dashboard.new_case_box import draw_new_case
from dashboard.place import Place
from dashboard.promise_box import draw_due
from dashboard.queue_row import CASE_PAGE, claim, draw_heads, draw_row
from dashboard.vitals import engine_line, why_empty
from monitor.desk import work_queue
from monitor.desk.work_queue import NOBODY, PAGE, Filter, Row
from monitor.store.models import CaseStatus, ReplyStatus

REFRESH_SECONDS = 10

ANY_NETWORK, ANY_REPLY = "Any network", "Any reply"
ANYONE, MINE, UNCLAIMED = "Any owner", "Mine", "Nobody's"
EVERY = "all"

TABS = {status.value: widgets.STATUS_WORDS[status][0] for status in CaseStatus} | {EVERY: "All"}


def main() -> None:
    """The whole page."""
    _head(_status())
    chosen = _filters()
    place: Place | None = st.session_state.get("queue")
    if place is None or place.chosen != chosen:
        place = st.session_state.queue = Place(chosen)
    # Where the case page leads back to, as a link leaves the address's filters behind.
    st.session_state.queue_address = dict(st.query_params)
    if not place.jumped:  # a key that was pressed while the page was drawn is not lost
        place.look_again()
    # Words are looked for in the posts themselves: too dear to do again while nobody asks.
    st.fragment(_listing, run_every=None if chosen.words else REFRESH_SECONDS)(place)


def _status() -> str:
    asked = st.query_params.get("status", CaseStatus.OPEN.value)
    return asked if asked in TABS else CaseStatus.OPEN.value


def _choose_status(status: str) -> None:
    if status == CaseStatus.OPEN:
        st.query_params.pop("status", None)
    else:
        st.query_params["status"] = status


@st.fragment(run_every=REFRESH_SECONDS)
def _head(drawn: str) -> None:
    """Engine and counts, which go on by themselves, and the tabs; `drawn` is the one below."""
    with st.container(key="top", horizontal=True, vertical_alignment="center"):
        draw(tag("h1", "Queue"), width="content")
        engine_line()
    counts = resources.counts()
    with st.container(key="tabs", horizontal=True, gap="xsmall"):
        for status, words in TABS.items():
            number = sum(counts.values()) if status == EVERY else counts[CaseStatus(status)]
            st.button(
                f"{words} **{number:,}**",
                key=f"tab-{status}",
                type="primary" if status == drawn else "tertiary",
                on_click=_choose_status,
                args=(status,),
            )
    if _status() != drawn:
        st.rerun()


def _filters() -> Filter:
    """What the widgets, and with them the address, say."""
    people = resources.config().people
    replies = {widgets.REPLY_WORDS[status][0]: status for status in ReplyStatus}
    with st.container(key="filters", horizontal=True, vertical_alignment="center", gap="small"):
        network = st.selectbox(
            "Network",
            [ANY_NETWORK, *resources.networks()],
            key="network",
            bind="query-params",
            label_visibility="collapsed",
            width=150,
        )
        owner = st.selectbox(
            "Owner",
            [ANYONE, MINE, UNCLAIMED, *people],
            key="owner",
            bind="query-params",
            label_visibility="collapsed",
            width=150,
        )
        reply = st.selectbox(
            "Reply",
            [ANY_REPLY, *replies],
            key="reply",
            bind="query-params",
            label_visibility="collapsed",
            width=150,
        )
        words = st.text_input(
            "Words",
            key="words",
            type="search",
            bind="query-params",
            placeholder="Words in a post, or a handle",
            label_visibility="collapsed",
            max_chars=200,
            width=260,
        )
        chosen = Filter(
            status=None if _status() == EVERY else CaseStatus(_status()),
            network=None if network == ANY_NETWORK else network,
            owner=_owner(owner),
            reply_status=replies.get(reply),
            words=" ".join((words or "").split()),
        )
        if chosen != Filter(status=chosen.status):
            st.button("Clear filters", key="clear", type="tertiary", on_click=_clear)
        draw_new_case()
    return chosen


def _owner(choice: str) -> str | None:
    if choice == MINE:
        # Nobody has a name that is one space: without a name nothing is mine.
        return actions.me() or " "
    return {ANYONE: None, UNCLAIMED: NOBODY}.get(choice, choice)


def _clear() -> None:
    for key, value in (("network", ANY_NETWORK), ("owner", ANYONE), ("reply", ANY_REPLY)):
        st.session_state[key] = value
    st.session_state.words = ""


def _listing(place: Place) -> None:
    """The rows of this page. It draws itself again while nobody does anything."""
    with resources.session() as session:
        present = work_queue.queue(session, place.chosen, place.after, PAGE + 1)
        more, present = len(present) > PAGE, present[:PAGE]
        now_here = {row.case.id: row for row in present}
        place.ids = place.ids or list(now_here)
        elsewhere = [case_id for case_id in place.ids if case_id not in now_here]
        moved = work_queue.rows(session, elsewhere) if elsewhere else []
    known = now_here | {row.case.id: row for row in moved}
    rows = [known[case_id] for case_id in place.ids if case_id in known]
    actions.show_outcome()
    draw_due()
    if not rows:
        status = place.chosen.status
        why_empty(filtered=place.chosen != Filter(status), clear=_clear, status=status)
        return
    _bar(place, rows)
    _news(place, len(set(now_here) - set(place.ids)))
    draw_heads()
    for position, row in enumerate(rows):
        draw_row(row, place.chosen, cursor=position == place.cursor)
    _pager(place, rows, more)
    _keep_in_sight(place, rows[min(place.cursor, len(rows) - 1)].case.id)


def _bar(place: Place, rows: list[Row]) -> None:
    """How much there is, and what the keys do."""
    current = rows[min(place.cursor, len(rows) - 1)]
    with st.container(key="bar", horizontal=True, vertical_alignment="center", gap="xsmall"):
        draw(tag("div", _extent(place, len(rows)), cls="muted"))
        st.button("Up", key="up", shortcut="K", type="tertiary", on_click=place.move, args=(-1,))
        st.button("Down", key="down", shortcut="J", type="tertiary", on_click=place.move, args=(1,))
        st.button(
            "Claim",
            key="claim-current",
            shortcut="M",
            type="tertiary",
            on_click=claim,
            args=(current.case.id, current.author.handle),
        )
        if st.button("Open", key="open-current", shortcut="O", type="tertiary"):
            st.switch_page(CASE_PAGE, query_params={"id": str(current.case.id)})


def _extent(place: Place, shown: int) -> str:
    first = len(place.stack) * PAGE + 1
    extent = f"{first:,} to {first + shown - 1:,}"
    if place.chosen.words:
        return extent
    return f"{extent} of {max(resources.count(place.chosen), first + shown - 1):,}"


def _news(place: Place, new: int) -> None:
    """Say that the order has changed; it changes under nobody's eyes."""
    if new == 0 or place.stack:
        return
    with st.container(key="news"):
        st.button(
            f"{widgets.counted(new, 'case')} moved up here since you looked: show",
            key="show-news",
            icon=":material/arrow_upward:",
            on_click=place.look_again,
            width="stretch",
        )


def _pager(place: Place, rows: list[Row], more: bool) -> None:
    if not more and not place.stack:
        return
    with st.container(key="pager", horizontal=True, horizontal_alignment="center"):
        st.button(
            "Back",
            key="back",
            shortcut="B",
            icon=":material/chevron_left:",
            disabled=not place.stack,
            on_click=place.turn,
            args=(None,),
        )
        st.button(
            "Next",
            key="next",
            shortcut="N",
            icon=":material/chevron_right:",
            icon_position="right",
            disabled=not more,
            on_click=place.turn,
            args=(rows[-1].position,),
        )


def _keep_in_sight(place: Place, case_id: int) -> None:
    """Scroll to the row that the keys moved to. The script holds a number and nothing else."""
    if not place.jumped:
        return
    place.jumped = False
    target = f'document.getElementById("case-{case_id:d}")'
    with st.container(key="unseen-scroll"):
        st.html(
            f'<script>{target}?.scrollIntoView({{block: "center"}})</script>',
            unsafe_allow_javascript=True,
        )


main()
