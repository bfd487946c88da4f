"""An answer that was not sent, or of which nobody knows whether it was: a person decides."""

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times, widgets
from dashboard.markup import draw, foreign, link_out
from dashboard.sending import send_reply
from monitor.answer import settling
from monitor.desk.page.case_file import CaseFile
from monitor.store.models import Reply, now


def draw_under_way(file: CaseFile, reply: Reply) -> None:
    """An answer of which we do not know the end: never sent again by itself."""
    draw(foreign(reply.text, cls="text draft", name="div"))
    stuck = reply.updated_at < now() - settling.STUCK_AFTER
    if not stuck:
        draw(widgets.notice("It is being sent at this moment.", "hint"))
        return
    text = reply.error or "We lost touch while it was sent, and look for it on the network."
    asked = f" Last looked {times.relative(reply.checked_at)}." if reply.checked_at else ""
    draw(
        widgets.notice(
            f"We do not know whether this answer arrived. {text}{asked} It is not sent again by "
            "itself: the customer must not get it twice."
        )
    )
    link = link_out(file.post.url, "Look on the network ↗")
    if link:
        draw(link)
    with st.container(key="stuck", horizontal=True):
        _send_again_button(file, reply, "It is not there: send again")
        st.button(
            "Give up on it", key="give-up", on_click=_give_up, args=(reply.id,),
            help="It counts as not sent; you can write another answer",
        )  # fmt: skip


def draw_refused(file: CaseFile, reply: Reply) -> None:
    """An answer that the network did not take, and the way to try again."""
    draw(widgets.notice(f"Your answer was not sent. {reply.error or ''}".strip()))
    draw(foreign(reply.text, cls="text draft", name="div"))
    if file.source in resources.config().sources:
        _send_again_button(file, reply, "Send again")


def _send_again_button(file: CaseFile, reply: Reply, words: str) -> None:
    if not st.button(words, key="send-again", icon=":material/send:"):
        return
    source = resources.config().sources[file.source]

    def again(session: Session, agent: str) -> None:
        settling.send_again(session, reply.id, agent)
        send_reply(session, agent, reply.id, source)

    with st.spinner("Sending…"):
        actions.act(again, "", quiet=True)
    st.rerun()


def _give_up(reply_id: int) -> None:
    actions.act(
        lambda session, agent: settling.give_up(session, reply_id, agent),
        "It counts as not sent.",
    )
