"""What stands beside a case: why it ranks there and scores so, earlier cases, notes, history."""

from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times, widgets
from dashboard.author_box import draw_author
from dashboard.correct_box import draw_correction
from dashboard.markup import Markup, draw, foreign, join, tag
from dashboard.tag_box import draw_tags
from dashboard.why_box import draw_why
from monitor.desk import priority
from monitor.desk.page import notes
from monitor.desk.page.case_file import CaseFile
from monitor.store.models import Case, CaseEvent, Note, now

CASE_PAGE = "app_pages/case.py"

TOLD = {
    "opened": "The case was opened",
    "opened by hand": "opened it by hand",
    "added by hand": "added a post by hand",
    "claimed": "claimed it",
    "released": "gave it back",
    "assigned": "assigned it",
    "pending": "set it to wait for the customer",
    "snoozed": "snoozed it",
    "snooze over": "The snooze was over",
    "resolved": "resolved it",
    "reopened": "reopened it",
    "opened again": "The case opened again",
    "another post": "The customer posted again",
    "post edited by its author": "The author edited a post",
    "post deleted by its author": "The author deleted a post",
    "reply is being sent": "sent an answer",
    "sent despite a warning": "sent it despite a warning of the draft check",
    "reply sent": "The network took the answer",
    "reply seen": "The answer was seen on the network",
    "reply gone": "The answer was deleted on the network",
    "reply failed": "The network refused the answer",
    "changed words not sent": "An earlier try had arrived, so the changed words were not sent",
    "reply taken back to a draft": "took the answer back to a draft",
    "approval asked": "asked a lead to approve the answer",
    "approval taken back": "took the answer back before a lead decided",
    "reply approved": "approved the answer",
    "reply sent back": "sent the answer back",
    "reply given up": "gave the answer up",
    "answered on the network": "answered on the network",
    "tagged": "tagged it",
    "joined an incident": "put it into incident",
    "taken out of an incident": "took it out of incident",
    "incident fixed": "said that an incident is fixed",
    "told that it is fixed": "told the customer that it is fixed",
    "not told yet that it is fixed": "took back that the customer was told",
    "labelled": "said what a post is",
    "label taken back": "What was said of a post was taken back",
    "tag removed": "took a tag off",
    "author marked as VIP": "marked the author as VIP",
    "author no longer VIP": "took the VIP mark off the author",
    "author blocked": "blocked the author",
    "author unblocked": "let the author make cases again",
    "preference noted": "noted how the author wants to be answered",
    "taken out by hand": "took a post out again",
    "wanted": "noted what the customer wants",
    "delivered": "noted when the customer got it",
    "answered elsewhere": "answered the customer elsewhere",
    "merged": "merged it",
    "merged in": "merged another case into it",
    "unmerged": "took the cases apart",
    "promised": "promised something",
    "promise kept": "kept a promise",
    "promise dropped": "dropped a promise",
    "promise open again": "opened a promise again",
}
"""Events in words; those of a person begin with the name."""


def draw_side(file: CaseFile) -> None:
    """Everything beside the thread."""
    draw_tags(file)
    _why(file)
    draw_author(file)
    draw_why(file)
    draw_correction(file)
    _earlier(file)
    _notes(file)
    _history(file)


def _why(file: CaseFile) -> None:
    parts = priority.parts(file.case, now())
    total = sum(part.points for part in parts)
    draw(
        tag(
            "section",
            tag("h3", "Why it ranks here", tag("b", f"{total:.0f}", cls="points")),
            widgets.priority_bar(parts),
            widgets.priority_table(parts),
            _verdict(file),
            cls="side",
        )
    )


def _verdict(file: CaseFile) -> Markup:
    """What the model says about the post that the queue shows, and the model's name."""
    post = file.post
    if post.scorer is None or post.complaint is None:
        return tag("p", "The model has not read the marked post yet.", cls="muted small")
    tone = f", {post.sentiment} in tone" if post.sentiment else ""
    text = f"The marked post is a complaint with probability {post.complaint:.2f}{tone}."
    return tag("p", text, " Model: ", tag("code", post.scorer), cls="muted small")


def _earlier(file: CaseFile) -> None:
    title = f"Earlier cases ({len(file.earlier)})" if file.earlier else "Earlier cases"
    draw(tag("h3", title, cls="side-title"))
    if not file.earlier:
        draw(tag("p", "This is the author's only case.", cls="muted small"))
    with st.container(key="earlier", gap=None):
        for case in file.earlier:
            st.page_link(
                CASE_PAGE, label=_case_words(case), icon="", query_params={"id": str(case.id)}
            )


def _case_words(case: Case) -> str:
    """One of the author's cases in a line; every word of it is ours."""
    end = str(case.dismissal or case.outcome or widgets.STATUS_WORDS[case.status][0])
    return f"Case {case.id} · {times.relative(case.opened_at)} · {end}"


def _notes(file: CaseFile) -> None:
    zone = resources.config().zone
    draw(tag("h3", "Notes", tag("small", "never leave this page", cls="muted"), cls="side-title"))
    draw(*[_note(note, zone) for note in file.notes])
    with st.form(f"note-form-{file.case.id}", clear_on_submit=True, border=False):
        key = f"note-{file.case.id}"
        st.text_area(
            "Note",
            key=key,
            height=68,
            placeholder="For your colleagues; @name tells one of them",
            label_visibility="collapsed",
        )
        st.form_submit_button(
            "Add note", key="add-note", on_click=_add_note, args=(file.case.id, key)
        )


def _note(note: Note, zone: ZoneInfo) -> Markup:
    head = tag("div", tag("b", note.agent), times.ago(note.created_at, zone), cls="who")
    pieces = notes.pieces(note.text, resources.config().people)
    text = join(*(tag("mark", piece) if name else piece for piece, name in pieces))
    return tag("div", head, foreign(text, cls="text", name="div"), cls="note")


def _add_note(case_id: int, key: str) -> None:
    text = st.session_state.get(key) or ""
    people, told = resources.config().people, list[str]()

    def keep(session: Session, agent: str) -> None:
        told.extend(notes.note(session, case_id, agent, text, people))

    if actions.act(keep, "", quiet=True):
        who = f"; told: {', '.join(told)}" if told else ""
        actions.tell(f"The note is kept{who}.", good=True)


def _history(file: CaseFile) -> None:
    zone = resources.config().zone
    lines = [
        tag("li", tag("span", _event(event, zone)), times.clock(event.at, zone))
        for event in reversed(file.events)
    ]
    draw(tag("h3", "History", cls="side-title"), tag("ol", *lines, cls="history"))


def _event(event: CaseEvent, zone: ZoneInfo) -> Markup:
    words = TOLD.get(event.what, event.what)
    told = times.in_zone(event.detail, zone)
    detail = tag("span", f": {told}", cls="muted") if told else Markup("")
    if event.agent is None:
        words = words.removesuffix(" it")
        return join(words[:1].upper() + words[1:], detail)
    if words[:1].isupper():
        return join(words, detail, tag("span", f" ({event.agent})", cls="muted"))
    return join(tag("b", event.agent), " ", words, detail)
