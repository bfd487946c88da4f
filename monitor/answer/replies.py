"""Public answers: drafted, saved, sent at most once.

A reply is saved as `sending` before the network is touched. If we do not learn how that ended (the
process died, the connection broke), it stays `sending`: it is looked for on the network, and a
person decides when it cannot be found (`monitor.answer.settling`). It is never sent again by
itself.
"""

import uuid
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from connectors.base import Connector, ConnectorError, FatalError
from monitor.answer.arrival import Arrived, arrived_before, note_error, note_sent
from monitor.answer.checking import draft_check
from monitor.answer.private import how
from monitor.answer.steps import (
    BUSY,
    approved,
    check_owner,
    check_text,
    latest_status,
    reply_of,
    set_case,
    take,
    unfinished,
)
from monitor.desk.arrivals.by_hand import is_link
from monitor.desk.arrivals.turns import we_answered
from monitor.desk.cases import CaseConflictError, CaseError, record
from monitor.settings import Desk
from monitor.store.db import lock_writes, row_count
from monitor.store.models import Case, DraftOverride, Post, Reply, ReplyStatus, now

NOTHING_LISTED = Desk()


def save_draft(
    session: Session, case_id: int, agent: str, text: str, before: str | None = None
) -> Reply:
    """Keep what the agent has written so far; one draft a case, whoever owns it.

    `before` is the draft that they began with, "" for none: where it says something else by now,
    nothing is written over and CaseConflictError tells what it says. An approval is for the
    approved words: it ends with the first other one. Raises CaseError.
    """
    text = text.strip()
    if not text:
        raise CaseError("Write something first.")
    session.rollback()
    lock_writes(session)
    check_owner(session, case_id, agent)
    draft = session.exec(unfinished(case_id).with_for_update()).first()
    present = draft.text if draft else ""
    if before is not None and present not in (before, text):
        session.rollback()
        raise CaseConflictError(_draft_changed(present))
    if draft is None:
        case = session.get_one(Case, case_id)
        draft = Reply(
            case_id=case_id, post_id=case.post_id, agent=agent, text="", key=uuid.uuid4().hex
        )
        session.add(draft)
    elif draft.status != ReplyStatus.DRAFT:
        busy = BUSY[draft.status]
        session.rollback()
        raise CaseConflictError(busy)
    approver = None if draft.text != text and draft.refusal is None else draft.approver
    try:
        session.flush()
        # What waits for a lead, or is on its way, is not changed by a page that is late.
        kept = session.execute(
            sa.update(Reply)
            .where(col(Reply.id) == draft.id, col(Reply.status) == ReplyStatus.DRAFT)
            .values(text=text, agent=agent, approver=approver, updated_at=now())
        )
    except IntegrityError as error:
        session.rollback()
        raise CaseConflictError("Somebody else began a reply to this case just now.") from error
    if row_count(kept) == 0:
        session.rollback()
        raise CaseConflictError("This reply has changed meanwhile. Look at its status.")
    set_case(session, case_id, ReplyStatus.DRAFT)
    session.commit()
    return draft


def discard_draft(session: Session, case_id: int, agent: str, before: str | None = None) -> None:
    """Throw the case's draft away, unless it says something else than `before` by now.

    Raises CaseError.
    """
    session.rollback()
    lock_writes(session)
    check_owner(session, case_id, agent)
    draft = session.exec(unfinished(case_id).with_for_update()).first()
    if draft and before is not None and draft.text != before:
        present = draft.text
        session.rollback()
        raise CaseConflictError(_draft_changed(present))
    if draft and draft.status == ReplyStatus.DRAFT:
        # One that was on its way once may have been sent despite a warning.
        session.execute(sa.delete(DraftOverride).where(col(DraftOverride.reply_id) == draft.id))
        session.execute(sa.delete(Reply).where(col(Reply.id) == draft.id))
    set_case(session, case_id, latest_status(session, case_id))
    session.commit()


def send(
    session: Session,
    reply_id: int,
    agent: str,
    connector: Connector,
    desk: Desk = NOTHING_LISTED,
    reasons: Mapping[str, str] | None = None,
    *,
    needs_approval: bool = False,
) -> Reply:
    """Send a draft once. What came of it is on the returned reply: sent, failed or sending.

    `reasons` says, by rule, why a warning of the draft check is overridden. The history says so
    where the text leads to the private contact. Raises CaseError where the agent does not own the
    case, has to have it approved first, the text is too long or not filled in, the draft check
    holds it back, or the draft has changed or been sent already.
    """
    reply = reply_of(session, reply_id)
    check_owner(session, reply.case_id, agent)
    if needs_approval and not approved(reply):
        raise CaseError("A lead has to approve this answer first: ask for it.")
    text = reply.text
    check_text(text, connector)
    if arrived_before(session, reply, connector):
        return reply
    detail = how(text, desk.private_contact)
    words = col(Reply.text) == text
    take(session, reply_id, ReplyStatus.DRAFT, ReplyStatus.SENDING, words)
    # The row is ours now: what is checked is what goes out.
    draft_check.let_pass(session, reply, agent, desk, reasons or {})
    set_case(session, reply.case_id, ReplyStatus.SENDING)
    record(session, reply.case_id, "reply is being sent", agent=agent, detail=detail)
    session.commit()
    return deliver(session, reply, connector)


def deliver(session: Session, reply: Reply, connector: Connector) -> Reply:
    """Give a reply that was just committed as `sending` to the network, once, and note what came.

    Only whoever took it to `sending` calls this.
    """
    ref, text, key = session.get_one(Post, reply.post_id).ref, reply.text, reply.key
    session.rollback()  # The network may take its time: no connection waits for it.
    try:
        sent = connector.reply(ref, text, key)
    except FatalError as error:
        _not_sent(session, reply, str(error))
    except ConnectorError as error:
        # It may have arrived all the same: only a look at the network can tell.
        told = f"{error} We look on the network whether it arrived."
        note_error(session, reply.id, ReplyStatus.SENDING, told)
    else:
        # Settling may have seen it first, or a person given it up: the network knows better.
        lost = (ReplyStatus.SENDING, ReplyStatus.FAILED)
        note_sent(session, reply, Arrived(sent, text), ReplyStatus.SENT, *lost)
    return reply


def record_elsewhere(session: Session, case_id: int, agent: str, url: str, text: str = "") -> Reply:
    """Note a reply made by hand, with its link, or words for a case by hand. Raises CaseError."""
    check_owner(session, case_id, agent)
    present = session.exec(unfinished(case_id)).first()
    if present and present.status == ReplyStatus.WAITING:
        raise CaseConflictError(BUSY[ReplyStatus.WAITING])
    case = session.get_one(Case, case_id, with_for_update=True)
    linked = is_link(url.strip())
    if not linked and (url.strip() or not (case.by_hand and text.strip())):
        words = " Or write what you told them." if case.by_hand else ""
        session.rollback()
        raise CaseError(f"Paste the link of your reply; it begins with https://{words}")
    reply = Reply(
        case_id=case_id,
        post_id=case.post_id,
        agent=agent,
        text=text.strip(),
        status=ReplyStatus.SENT,
        key=uuid.uuid4().hex,
        elsewhere=True,
        sent_at=now(),
        url=url.strip(),
    )
    session.add(reply)
    we_answered(session, case, ReplyStatus.SENT, now())
    session.add(case)
    what = "answered on the network" if linked else "answered elsewhere"
    record(session, case_id, what, agent=agent, detail=url.strip())
    session.commit()
    return reply


def _draft_changed(present: str) -> str:
    says = f"it says now: “{present}”" if present else "it was thrown away"
    return f"The draft changed meanwhile: {says}. Nothing was written over: choose what stays."


def _not_sent(session: Session, reply: Reply, error: str) -> None:
    take(session, reply.id, ReplyStatus.SENDING, ReplyStatus.FAILED)
    reply.error = error
    session.add(reply)
    set_case(session, reply.case_id, ReplyStatus.FAILED)
    record(session, reply.case_id, "reply failed", agent=reply.agent, detail=error)
    session.commit()
