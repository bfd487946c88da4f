"""An answer that waits for a lead: taken back by its author, let out or sent back by a lead."""

from contextlib import closing

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times, widgets
from dashboard.markup import draw, foreign, tag
from dashboard.sending import PRETENDER, tell_sent
from monitor.answer import approval, replies, steps
from monitor.config import SourceConfig
from monitor.desk.page.case_file import CaseFile
from monitor.store.models import CaseStatus, Reply, ReplyStatus


def waiting_reply(file: CaseFile) -> Reply | None:
    """The answer of a case that waits for a lead."""
    return next((reply for reply in file.replies if reply.status == ReplyStatus.WAITING), None)


def draw_waiting(file: CaseFile, reply: Reply) -> None:
    """What waits, since when, and what the one who looks may do about it."""
    me, config = actions.me(), resources.config()
    since = times.clock(reply.updated_at, config.zone)
    whose = "Your answer" if reply.agent == me else f"The answer of {reply.agent}"
    draw(tag("p", f"{whose} waits for a lead since ", since, "."))
    draw(foreign(reply.text, cls="text draft", name="div"))
    if me is None:
        draw(tag("p", "Choose your name first, at the top left.", cls="muted"))
        return
    with st.container(key="approval", horizontal=True, vertical_alignment="center"):
        if me in config.leads and me != reply.agent:
            _decide(file, reply)
        if me in (reply.agent, file.case.assignee):
            st.button(
                "Take back", key="take-back", on_click=_take_back, args=(reply.id,),
                icon=":material/undo:", help="It is a draft again, and you can go on writing",
            )  # fmt: skip


def draw_refusal(draft: Reply | None) -> None:
    """Why a lead sent the draft back, above the box in which it is mended."""
    if draft and draft.refusal:
        said = tag("b", f"{draft.approver} sent it back: ")
        draw(tag("div", said, foreign(draft.refusal), cls="notice doubt", role="status"))


def must_ask(draft: Reply | None, text: str) -> bool:
    """Whether the one who sits here has to ask a lead before this text goes out."""
    if actions.me() not in resources.config().needs_approval:
        return False
    return draft is None or draft.text != text.strip() or not steps.approved(draft)


def ask(case_id: int, key: str, reasons: dict[str, str]) -> None:
    """Keep what stands in the box `key`, then let it wait for a lead."""
    config = resources.config()
    text = st.session_state.get(key) or ""

    def keep_and_ask(session: Session, agent: str) -> None:
        draft = replies.save_draft(session, case_id, agent, text)
        approval.ask(session, draft.id, agent, config.leads, config.desk, reasons)

    actions.act(keep_and_ask, "A lead is asked: it goes out once they approve it.")


def _decide(file: CaseFile, reply: Reply) -> None:
    source = resources.config().sources.get(file.source)
    if source is None:
        draw(widgets.notice(f"The source {file.source} is no longer in the settings.", "hint"))
    elif file.case.status == CaseStatus.RESOLVED:
        draw(tag("p", "This case is resolved. Reopen it to answer.", cls="muted"))
    else:
        pretends = source.connector.name == PRETENDER
        st.button(
            "Approve and pretend to send" if pretends else "Approve and send publicly",
            key="approve",
            type="primary",
            icon=":material/send:",
            on_click=_approve,
            # The words on this page: what the author writes meanwhile does not go out.
            args=(reply.id, reply.text, source),
        )
    with (
        st.popover("Send back with a note", icon=":material/reply:", key="send-back-open"),
        st.form(f"send-back-{reply.id}", border=False),
    ):
        key = f"send-back-why-{reply.id}"
        st.text_area("What has to change", key=key, height=90, max_chars=approval.LONGEST_NOTE)
        st.form_submit_button(
            "Send it back", key="send-back", on_click=_refuse, args=(reply.id, reply.agent, key)
        )


def _approve(reply_id: int, text: str, source: SourceConfig) -> None:
    config = resources.config()

    def let_out(session: Session, lead: str) -> None:
        with closing(source.open()) as connector:
            sent = approval.approve(
                session,
                reply_id,
                lead,
                connector,
                leads=config.leads,
                text=text,
                desk=config.desk,
            )
        tell_sent(sent, source)

    actions.act(let_out, "", quiet=True)


def _refuse(reply_id: int, author: str, key: str) -> None:
    why = st.session_state.get(key) or ""
    leads = resources.config().leads
    actions.act(
        lambda session, lead: approval.refuse(session, reply_id, lead, why, leads=leads),
        f"{author} has it back with your note.",
    )


def _take_back(reply_id: int) -> None:
    actions.act(
        lambda session, agent: approval.take_back(session, reply_id, agent),
        "It is a draft again.",
    )
