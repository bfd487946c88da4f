"""Cases that are one problem: let this one go on in another, and take it out again."""

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times, widgets
from dashboard.markup import draw, foreign, tag
from monitor.desk import merge
from monitor.desk.page.case_file import CaseFile
from monitor.desk.queue import work_queue
from monitor.desk.queue.work_queue import Row
from monitor.store.models import Case, CaseStatus

CASE_PAGE = "app_pages/case.py"


def draw_merged(file: CaseFile) -> None:
    """In place of the actions of a case that goes on in another: where, and the way back."""
    case = file.case
    st.page_link(
        CASE_PAGE,
        label=f"Merged into case {case.merged_into}",
        icon=":material/merge:",
        query_params={"id": str(case.merged_into)},
    )
    st.button(
        "Take it out again",
        key="unmerge",
        on_click=_unmerge,
        args=(case.id,),
        help="It is a case of its own again, with all that belongs to it",
    )


def draw_merge(file: CaseFile) -> None:
    """The cases that go on in this one, and how this one can go on in another."""
    if file.case.merged_into is not None:
        return
    _merged_here(file)
    if file.case.status == CaseStatus.RESOLVED:
        return
    with st.popover("Merge into another case", icon=":material/merge:", key="merge-open"):
        draw(
            tag(
                "p",
                "It goes on there, with its posts, answers and notes. It can be taken out again.",
                cls="muted small",
            )
        )
        for other in file.earlier:
            if other.merged_into is None:
                words = widgets.STATUS_WORDS[other.status][0].lower()
                st.button(
                    f"Case {other.id} of this customer · {times.relative(other.opened_at)} "
                    f"· {other.outcome or words}",
                    key=f"merge-{other.id}",
                    on_click=_merge,
                    args=(file.case.id, other),
                    width="stretch",
                )
        _by_number(file)


def _merged_here(file: CaseFile) -> None:
    if not file.merged:
        return
    draw(tag("h3", f"Merged into this one ({len(file.merged)})", cls="side-title"))
    with st.container(key="merged-here", gap=None):
        for case in file.merged:
            with st.container(
                key=f"merged-{case.id}", horizontal=True, vertical_alignment="center"
            ):
                st.page_link(CASE_PAGE, label=f"Case {case.id}", query_params={"id": str(case.id)})
                st.button(
                    "Take it out",
                    key=f"unmerge-{case.id}",
                    type="tertiary",
                    on_click=_unmerge,
                    args=(case.id,),
                    help=f"Case {case.id} is a case of its own again",
                )


def _by_number(file: CaseFile) -> None:
    """Any case by its number; whose it is, is shown before it can be merged."""
    asked = st.text_input("Number of a case", key=f"merge-number-{file.case.id}", max_chars=18)
    digits = (asked or "").strip().removeprefix("#")
    if not digits:
        return
    row = _find(int(digits)) if digits.isascii() and digits.isdigit() else None
    if row is None or row.case.id == file.case.id:
        draw(widgets.notice("There is no other case of this number.", "hint"))
        return
    other = row.author.id != file.author.id
    text = " ".join(row.post.text.split())[:200]
    draw(widgets.author_line(row.author), foreign(text, cls="text", name="div"))
    if other:
        draw(
            widgets.notice(
                "This is another customer. An answer goes to the customer of that case only: "
                "merge them if somebody tells the other one too.",
                "hint",
            )
        )
    st.button(
        "Merge all the same" if other else f"Merge into case {row.case.id}",
        key="merge-number",
        on_click=_merge,
        args=(file.case.id, row.case, other),
    )


def _find(case_id: int) -> Row | None:
    """A case by its number; of a merged one, the case that it goes on in."""
    with resources.session() as session:
        found = work_queue.rows(session, [case_id])
        if found and found[0].case.merged_into is not None:
            found = work_queue.rows(session, [found[0].case.merged_into])
    return found[0] if found else None


def _merge(case_id: int, target: Case, other_author: bool = False) -> None:
    before: list[Case | None] = []

    def call(session: Session, agent: str) -> None:
        with resources.session() as apart:  # What the merge does must not show in this row.
            before.append(apart.get(Case, target.id))
        merge.merge(session, case_id, target.id, agent, other_author=other_author)

    def undo(session: Session, agent: str) -> None:
        merge.unmerge(session, case_id, agent, before[0])

    actions.act(call, f"Merged into case {target.id}.", undo=undo)


def _unmerge(case_id: int) -> None:
    actions.act(
        lambda session, agent: merge.unmerge(session, case_id, agent),
        f"Case {case_id} is a case of its own again.",
    )
