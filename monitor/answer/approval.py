"""Approval: an answer that waits until a lead lets it go out, or sends it back with the reason."""

from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa
from sqlmodel import Session, col

from connectors.base import Connector
from monitor.answer.arrival import arrived_before
from monitor.answer.canned import check_filled
from monitor.answer.checking import draft_check
from monitor.answer.checking.drafts import all_rules
from monitor.answer.private import how
from monitor.answer.replies import NOTHING_LISTED, deliver
from monitor.answer.steps import check_owner, check_stands, check_text, reply_of, set_case, take
from monitor.desk.cases import CaseConflictError, CaseError, record
from monitor.desk.clock import notices
from monitor.settings import Desk
from monitor.store.models import Case, Notice, NoticeKind, Reply, ReplyStatus, now

LONGEST_NOTE = 2000


def ask(
    session: Session,
    reply_id: int,
    agent: str,
    leads: Iterable[str],
    desk: Desk = NOTHING_LISTED,
    reasons: Mapping[str, str] | None = None,
) -> None:
    """Let a draft wait for a lead; its text is fixed from here on. Every other lead is told.

    `reasons` says, by rule, why a warning of the draft check is overridden. Raises CaseError where
    the agent does not own the case, there is no other lead, the text is not filled in, the draft
    check holds it back, or the draft has changed meanwhile.
    """
    reply = reply_of(session, reply_id)
    check_owner(session, reply.case_id, agent)
    others = [lead for lead in leads if lead != agent]
    if not others:
        raise CaseError('Nobody else is a lead: give a person role = "lead" in the settings.')
    check_filled(reply.text)
    detail = how(reply.text, desk.private_contact)
    words = col(Reply.text) == reply.text
    case_id = reply.case_id
    take(
        session,
        reply_id,
        ReplyStatus.DRAFT,
        ReplyStatus.WAITING,
        words,
        agent=agent,
        approver=None,
        refusal=None,
    )
    draft_check.let_pass(session, reply, agent, desk, reasons or {})
    set_case(session, case_id, ReplyStatus.WAITING)
    record(session, case_id, "approval asked", agent=agent, detail=detail)
    for lead in others:
        notices.tell(
            session,
            lead,
            f"{_key(reply_id)}{now().isoformat()}",
            NoticeKind.APPROVAL,
            f"An answer of {agent} in case {case_id} waits for you.",
            case_id,
        )
    session.commit()


def approve(
    session: Session,
    reply_id: int,
    lead: str,
    connector: Connector,
    *,
    leads: Collection[str],
    text: str,
    desk: Desk = NOTHING_LISTED,
) -> Reply:
    """Let a waiting answer go out, and send it once, as `replies.send` does.

    `text` is what the lead has read: other words are not sent. What came of it is on the returned
    reply. What the draft check only warns of, the lead has read. Raises CaseError where they are no
    lead or wrote it themselves, the case is resolved, the draft check stops the answer, or it has
    changed or waits no longer.
    """
    reply = reply_of(session, reply_id)
    _check_lead(reply, lead, leads)
    check_stands(session, session.get_one(Case, reply.case_id, populate_existing=True))
    check_text(text, connector)
    if arrived_before(session, reply, connector):
        _forget_notices(session, reply_id)
        session.commit()
        return reply
    words = col(Reply.text) == text
    take(session, reply_id, ReplyStatus.WAITING, ReplyStatus.SENDING, words, approver=lead)
    read = {rule.id: "a lead approved it" for rule in all_rules()}
    draft_check.let_pass(session, reply, lead, desk, read)
    set_case(session, reply.case_id, ReplyStatus.SENDING)
    detail = how(text, desk.private_contact)
    record(session, reply.case_id, "reply approved", agent=lead, detail=detail)
    _forget_notices(session, reply_id)
    session.commit()
    return deliver(session, reply, connector)


def refuse(session: Session, reply_id: int, lead: str, why: str, *, leads: Collection[str]) -> None:
    """Send a waiting answer back to its author, who goes on with the draft and is told why.

    Raises CaseError where they are no lead or wrote it themselves, give no reason, or the answer
    waits no longer.
    """
    why = why.strip()[:LONGEST_NOTE]
    if not why:
        raise CaseError("Say what has to change: the author reads it.")
    reply = reply_of(session, reply_id)
    _check_lead(reply, lead, leads)
    take(session, reply_id, ReplyStatus.WAITING, ReplyStatus.DRAFT, approver=lead, refusal=why)
    set_case(session, reply.case_id, ReplyStatus.DRAFT)
    record(session, reply.case_id, "reply sent back", agent=lead, detail=why)
    _forget_notices(session, reply_id)
    notices.tell(
        session,
        reply.agent,
        f"approval refused:{reply_id}:{now().isoformat()}",
        NoticeKind.APPROVAL,
        f"{lead} sent your answer in case {reply.case_id} back: {why}",
        reply.case_id,
    )
    session.commit()


def take_back(session: Session, reply_id: int, agent: str) -> None:
    """Make a waiting answer a draft again: by its author, or by who has the case now.

    Raises CaseConflictError.
    """
    reply = reply_of(session, reply_id)
    case = session.get_one(Case, reply.case_id, populate_existing=True)
    if agent not in (reply.agent, case.assignee):
        raise CaseConflictError(f"It is an answer of {reply.agent}, who can take it back.")
    take(session, reply_id, ReplyStatus.WAITING, ReplyStatus.DRAFT)
    set_case(session, reply.case_id, ReplyStatus.DRAFT)
    record(session, reply.case_id, "approval taken back", agent=agent)
    _forget_notices(session, reply_id)
    session.commit()


def _check_lead(reply: Reply, lead: str, leads: Collection[str]) -> None:
    if lead not in leads:
        raise CaseError("Only a lead decides on an answer that waits.")
    if lead == reply.agent:
        raise CaseError("You wrote it yourself: another lead has to read it, or take it back.")


def _key(reply_id: int) -> str:
    return f"approval asked:{reply_id}:"


def _forget_notices(session: Session, reply_id: int) -> None:
    """No lead is asked any longer for what is decided."""
    session.execute(
        sa.update(Notice)
        .where(
            col(Notice.key).startswith(_key(reply_id)),
            col(Notice.seen_at).is_(None),
        )
        .values(seen_at=now())
        .execution_options(synchronize_session=False)
    )
