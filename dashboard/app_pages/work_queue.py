"""The queue: what is to be done first, who does it, and what is new."""

import streamlit as st

from dashboard import actions, queue_address, resources, widgets
from dashboard.bulk_bar import draw_picked, draw_put_aside
from dashboard.markup import draw, tag
from dashboard.new_case_box import draw_new_case
from dashboard.place import Place
from dashboard.promise_box import draw_due
from dashboard.queue_filters import draw_filters
from dashboard.queue_row import CASE_PAGE, claim, draw_heads, draw_row
from dashboard.view_row import draw_saved, draw_views
from dashboard.vitals import engine_line, why_empty
from monitor.desk.queue import assign, work_queue
from monitor.desk.queue.work_queue import PAGE, Row
from monitor.store.models import CaseStatus

REFRESH_SECONDS = 10


def main() -> None:
    """The whole page."""
    st.session_state.pop(queue_address.CHANGED, None)
    _head()
    draw_filters()
    draw_saved()
    chosen = queue_address.chosen()
    place: Place | None = st.session_state.get("queue")
    if place is None or place.chosen != chosen:
        place = st.session_state.queue = Place(chosen)
    # Where the case page leads back to, as a link leaves the address's filters behind.
    st.session_state.queue_address = dict(st.query_params)
    if not place.jumped:  # a key that was pressed while the page was drawn is not lost
        place.look_again()
    # Words are looked for in the posts themselves: too dear to do again while nobody asks.
    st.fragment(_listing, run_every=None if chosen.words else REFRESH_SECONDS)(place)


@st.fragment(run_every=REFRESH_SECONDS)
def _head() -> None:
    """Engine and counts, which go on by themselves, and the views."""
    _draw_anew_if_changed()
    with st.container(key="top", horizontal=True, vertical_alignment="center"):
        draw(tag("h1", "Queue"), width="content")
        engine_line()
        st.space("stretch")
        draw_new_case()
        if st.button(
            "Take next",
            key="take-next",
            shortcut="G",
            type="primary",
            help="Gives you the case of the highest priority that nobody has, and opens it",
        ):
            _take_next()
    draw_views()


def _draw_anew_if_changed() -> None:
    """A click in a part of the page changed the filters, which stand outside of that part."""
    if st.session_state.get(queue_address.CHANGED):
        st.rerun()


def _take_next() -> None:
    taken: list[int | None] = []
    chosen = queue_address.chosen()
    if not actions.act(
        lambda session, agent: taken.append(assign.take_next(session, agent, chosen)),
        "",
        quiet=True,
    ):
        st.rerun()
    (case_id,) = taken
    if case_id is None:
        actions.tell("There is no open case here that nobody has.", good=False)
        st.rerun()
    else:
        st.switch_page(CASE_PAGE, query_params={"id": str(case_id)})


def _listing(place: Place) -> None:
    """The rows of this page. It draws itself again while nobody does anything."""
    _draw_anew_if_changed()
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
        view = queue_address.view()
        status = place.chosen.status if view in ("open", "waiting") else None
        why_empty(
            filtered=view is None or queue_address.narrowed(),
            clear=queue_address.clear,
            status=status,
        )
        return
    place.more = more
    _bar(place, rows)
    if place.picked:
        draw_picked(place, len(rows))
    _news(place, len(set(now_here) - set(place.ids)))
    draw_heads(place)
    for position, row in enumerate(rows):
        draw_row(row, place, cursor=position == place.cursor)
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
            "Select", key="pick-current", shortcut="X", type="tertiary", on_click=place.pick_current
        )
        if st.button("Open", key="open-current", shortcut="O", type="tertiary"):
            st.switch_page(CASE_PAGE, query_params={"id": str(current.case.id)})
        if place.picked:
            return
        st.button(
            "Claim",
            key="claim-current",
            shortcut="M",
            type="tertiary",
            on_click=claim,
            args=(current.case.id, current.author.handle),
        )
        if current.case.status != CaseStatus.RESOLVED:
            draw_put_aside(place, [current.case.id])


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
