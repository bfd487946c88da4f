"""Where a case is answered: through the network, or there by hand and recorded with its link."""

import re
from contextlib import closing
from functools import partial

import streamlit as st
from sqlmodel import Session

from connectors.base import Connector
from dashboard import actions, approval_box, resources, times, widgets
from dashboard.author_box import draw_preference
from dashboard.canned_box import draw_canned
from dashboard.draft_box import draw_draft_box
from dashboard.draft_words import changed_elsewhere, save, show_unsaved, take
from dashboard.incident_box import draw_update
from dashboard.markup import Markup, draw, foreign, link_out, tag
from dashboard.private_box import draw_switch
from dashboard.sending import PRETENDER, send_reply
from dashboard.unsent_box import draw_refused, draw_under_way
from monitor.answer import replies
from monitor.config import SourceConfig
from monitor.desk.page.case_file import CaseFile
from monitor.store.models import CaseStatus, Reply, ReplyStatus

SAVING = "Saved by itself whenever you leave the box or press Ctrl+Enter"

NO_NETWORK = (
    "This case was made by hand, so no network carries an answer to it. Answer the customer where "
    "you are in touch, then record it here: a link, or what you told them."
)


def draw_reply_box(file: CaseFile) -> None:
    """The answer to a case: being written, under way, or what to do before one can be written."""
    with st.container(key="reply-box", border=True):
        draw(tag("h3", "Answer", cls="side-title"))
        draw_preference(file)
        waiting = approval_box.waiting_reply(file)
        if waiting:
            approval_box.draw_waiting(file, waiting)
            return
        if not _may_write(file):
            show_unsaved(file.case.id)
            return
        # One of a merged case is settled there.
        own = [reply for reply in file.replies if reply.case_id == file.case.id]
        latest = own[-1] if own else None
        if latest and latest.status == ReplyStatus.SENDING:
            draw_under_way(file, latest)
            return
        if latest and latest.status == ReplyStatus.FAILED:
            draw_refused(file, latest)
        if file.case.by_hand:
            draw(widgets.notice(NO_NETWORK, "hint"))
            _by_hand(file)
            return
        source = resources.config().sources.get(file.source)
        if source is None:
            draw(widgets.notice(f"The source {file.source} is no longer in the settings.", "hint"))
            _by_hand(file)
            return
        with closing(source.open()) as connector:
            if connector.can_reply:
                _editor(file, connector)
        if not connector.can_reply:
            draw(widgets.notice(_why_by_hand(source), "hint"))
            _by_hand(file)
            return
        with st.popover("I answered on the network", icon=":material/link:", key="by-hand-open"):
            _by_hand(file)


def _may_write(file: CaseFile) -> bool:
    """Whether this person may answer this case now; says what to do first where not."""
    case, me = file.case, actions.me()
    if case.merged_into is not None:
        draw(tag("p", f"It goes on in case {case.merged_into}: answer there.", cls="muted"))
    elif case.status == CaseStatus.RESOLVED:
        draw(tag("p", "This case is resolved. Reopen it to answer.", cls="muted"))
    elif me is None:
        draw(tag("p", "Choose your name first, at the top left.", cls="muted"))
    elif case.assignee is None:
        draw(tag("p", "Claim the case to answer it.", cls="muted"))
    elif case.assignee != me:
        draw(tag("p", tag("b", case.assignee), " has this case and answers it.", cls="muted"))
        draft = _draft(file)
        if draft:
            draw(tag("p", f"{draft.agent} has written so far:", cls="muted"))
            draw(foreign(draft.text, cls="text draft", name="div"))
    else:
        return True
    return False


def _draft(file: CaseFile) -> Reply | None:
    return next((reply for reply in file.replies if reply.status == ReplyStatus.DRAFT), None)


def _editor(file: CaseFile, connector: Connector) -> None:
    case_id, draft = file.case.id, _draft(file)
    done = sum(reply.status != ReplyStatus.DRAFT for reply in file.replies)
    key = (
        f"reply-{case_id}-{done}"  # A new box after each answer, the same one while it is written.
    )
    kept = draft.text if draft else ""
    if key not in st.session_state:
        take(key, kept)
    approval_box.draw_refusal(draft)
    draw_canned(file, key, partial(save, case_id, key))
    draw_update(file, key, partial(save, case_id, key))
    text: str = st.text_area(
        "Your answer",
        key=key,
        height=130,
        label_visibility="collapsed",
        placeholder="Write to the customer. It is public: no order numbers, no addresses.",
        on_change=save,
        args=(case_id, key),
    )
    changed_elsewhere(case_id, key, kept)
    checked = draw_draft_box(file, text, key)
    length, most = connector.length(text.strip()), connector.max_length
    too_long = most is not None and length > most
    draw_switch(key, partial(save, case_id, key))
    with st.container(key="reply-buttons", horizontal=True, vertical_alignment="center"):
        if approval_box.must_ask(draft, text):
            st.button(
                "Ask for approval", key="ask", type="primary", icon=":material/how_to_reg:",
                disabled=too_long or checked.blocked, on_click=approval_box.ask,
                args=(case_id, key, checked.reasons),
                help="A lead reads your answer before it goes out",
            )  # fmt: skip
        elif st.button(
            _send_words(connector),
            key="send",
            type="primary",
            icon=":material/send:",
            disabled=too_long or checked.blocked,
        ):
            _send(file, key, text, checked.reasons)
        if draft:
            st.button("Discard draft", key="discard", type="tertiary", on_click=_discard,
                      args=(case_id, key))  # fmt: skip
        draw(_counter(length, most, too_long), width="content")
        if draft:
            whose = "Draft" if draft.agent == actions.me() else f"Draft of {draft.agent},"
            at = times.clock(draft.updated_at, resources.config().zone)
            draw(
                tag("span", f"{whose} saved ", at, cls="muted small", title=SAVING), width="content"
            )
    if connector.name == PRETENDER:
        draw(
            tag(
                "p",
                "This is the demo: it pretends to send. Nothing leaves this machine.",
                cls="muted small",
            )
        )


def _counter(length: int, most: int | None, too_long: bool) -> Markup:
    limit = f" of {most:,}" if most is not None else ""
    over = f", {length - most:,} too many" if too_long and most is not None else ""
    return tag(
        "span",
        f"{length:,}{limit} characters{over}",
        cls="small too-long" if too_long else "small muted",
        title="As the network counts them; counted anew when you leave the box or press Ctrl+Enter",
    )


def _send_words(connector: Connector) -> str:
    if connector.name == PRETENDER:
        return "Pretend to send"
    company = re.sub(r"([^\w\s])", r"\\\1", resources.config().company.name)
    return f"Send publicly as {company}"


def _discard(case_id: int, key: str) -> None:
    done = actions.act(
        lambda session, agent: replies.discard_draft(session, case_id, agent),
        "The draft is gone.",
    )
    if done:
        take(key, "")


def _send(file: CaseFile, key: str, text: str, reasons: dict[str, str]) -> None:
    """Keep the draft, then send it; what came of it is told by the page that is drawn next."""

    def keep_and_send(session: Session, agent: str) -> None:
        before = st.session_state[f"{key}-before"]
        draft = replies.save_draft(session, file.case.id, agent, text, before)
        st.session_state[f"{key}-before"] = draft.text
        send_reply(session, agent, draft.id, resources.config().sources[file.source], reasons)

    with st.spinner("Sending…"):
        # An answer to words that are not the customer's last ones is not sent.
        actions.act(actions.if_unchanged(file.case.id, keep_and_send), "", quiet=True)
    st.rerun()


def _why_by_hand(source: SourceConfig) -> str:
    needed = ", ".join(source.connector.secrets)
    lacks = f" It may once it has its secrets ({needed})." if needed else ""
    return f"The source {source.name} reads only.{lacks} Answer on the network and record the link."


def _by_hand(file: CaseFile) -> None:
    """Record an answer that was made on the network, with its link."""
    told = file.case.by_hand
    link = link_out(
        file.post.url, "Open what they sent ↗" if told else "Open the post on the network ↗"
    )
    steps = "" if told else "Answer there, then paste the link of your answer."
    draw(tag("p", link, " ", steps, cls="small"))
    link_words = "Link of your answer, if it has one" if told else "Link of your answer"
    text_words = "What you told them" if told else "What you wrote, if you like"
    with st.form(f"by-hand-{file.case.id}", border=False):
        st.text_input(link_words, key="by-hand-link", placeholder="https://")
        st.text_area(text_words, key="by-hand-text", height=68)
        st.form_submit_button(
            "Record the answer", key="record", on_click=_record, args=(file.case.id,)
        )


def _record(case_id: int) -> None:
    url = st.session_state.get("by-hand-link") or ""
    text = st.session_state.get("by-hand-text") or ""
    done = actions.act(
        lambda session, agent: replies.record_elsewhere(session, case_id, agent, url, text),
        "Recorded: the customer has been answered.",
    )
    if done:
        st.session_state["by-hand-link"] = st.session_state["by-hand-text"] = ""
