"""Public answers: drafted, saved, sent at most once, looked for until they are seen.

A reply is saved as `sending` before the network is touched. If we do not learn how that ended (the
process died, the connection broke), it stays `sending`: it is looked for on the network, and a
person decides when it cannot be found. It is never sent again by itself.
"""

import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from connectors.base import Connector, ConnectorError, FatalError, SentReply
from monitor.desk.answers import native_key
from monitor.desk.cases import CaseConflictError, CaseError, record, we_answered
from monitor.store.db import row_count
from monitor.store.models import Case, CaseStatus, Post, Reply, ReplyStatus, Source, now

Open = Callable[[str], Connector | None]
"""Gives the connector of a source's name, or None where it is no longer configured."""

STUCK_AFTER = timedelta(minutes=1)
"""A reply that is `sending` for longer has lost the process that sent it."""

LOOK_EVERY = timedelta(minutes=1)

LOOK_FOR = timedelta(days=1)
"""How long we look for a sent reply on the network before we leave it at `sent`."""


def save_draft(session: Session, case_id: int, agent: str, text: str) -> Reply:
    """Keep what the agent has written so far; one draft a case. Raises CaseError."""
    if not text.strip():
        raise CaseError("Write something first.")
    _check_owner(session, case_id, agent)
    draft = session.exec(_unfinished(case_id)).first()
    if draft is None:
        case = session.get_one(Case, case_id)
        draft = Reply(
            case_id=case_id, post_id=case.post_id, agent=agent, text="", key=uuid.uuid4().hex
        )
    elif draft.status == ReplyStatus.SENDING:
        raise CaseConflictError("A reply of this case is being sent. Wait until that is settled.")
    draft.text = text.strip()
    draft.agent = agent
    session.add(draft)
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        raise CaseConflictError("Somebody else began a reply to this case just now.") from error
    _set_case(session, case_id, ReplyStatus.DRAFT)
    session.commit()
    return draft


def discard_draft(session: Session, case_id: int, agent: str) -> None:
    """Throw the case's draft away. Raises CaseError."""
    _check_owner(session, case_id, agent)
    session.execute(
        sa.delete(Reply).where(
            col(Reply.case_id) == case_id, col(Reply.status) == ReplyStatus.DRAFT
        )
    )
    _set_case(session, case_id, _latest_status(session, case_id))
    session.commit()


def send(session: Session, reply_id: int, agent: str, connector: Connector) -> Reply:
    """Send a draft once. What came of it is on the returned reply: sent, failed or sending.

    Raises CaseError where the agent does not own the case, the text is too long or the draft has
    been sent already.
    """
    reply = session.get_one(Reply, reply_id)
    _check_owner(session, reply.case_id, agent)
    length = connector.length(reply.text)
    if connector.max_length is not None and length > connector.max_length:
        raise CaseError(f"{length} characters are too many: at most {connector.max_length}.")
    post = session.get_one(Post, reply.post_id)
    # A mark on a draft means that it was on its way before: a person can be wrong about that.
    if reply.status == ReplyStatus.DRAFT and reply.checked_at:
        arrived = _arrived(reply, post, connector)
        if arrived is not None:
            _sent(session, reply, arrived, ReplyStatus.SEEN)
            return reply
    _take(session, reply_id, ReplyStatus.DRAFT, ReplyStatus.SENDING)
    _set_case(session, reply.case_id, ReplyStatus.SENDING)
    record(session, reply.case_id, "reply is being sent", agent=agent)
    session.commit()

    try:
        sent = connector.reply(post.ref, reply.text, reply.key)
    except FatalError as error:
        _not_sent(session, reply, str(error))
    except ConnectorError as error:
        # It may have arrived all the same: only a look at the network can tell.
        reply.error = f"{error} We look on the network whether it arrived."
        session.add(reply)
        session.commit()
    else:
        _sent(session, reply, sent, ReplyStatus.SENT)
    return reply


def _arrived(reply: Reply, post: Post, connector: Connector) -> SentReply | None:
    """An earlier try of this reply, if the network has it. Raises CaseError where it is silent."""
    try:
        return connector.find_reply(post.ref, reply.text, reply.created_at)
    except ConnectorError as error:
        raise CaseError(
            f"It was on its way once, and we cannot look whether it arrived: {error} It is not "
            "sent, so that the customer does not get it twice. Try again later."
        ) from error


def record_elsewhere(session: Session, case_id: int, agent: str, url: str, text: str = "") -> Reply:
    """Note a reply that was made on the network by hand, with its link. Raises CaseError."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise CaseError("Paste the link of your reply; it begins with https://")
    _check_owner(session, case_id, agent)
    case = session.get_one(Case, case_id, with_for_update=True)
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
    record(session, case_id, "answered on the network", agent=agent, detail=url.strip())
    session.commit()
    return reply


def settle(session: Session, open_connector: Open) -> int:
    """Look on the network for replies that are sent but not seen, or stuck. Returns how many found.

    One that is stuck and cannot be found waits for `send_again` or `give_up`, by a person.
    """
    at = now()
    due = session.exec(
        select(Reply)
        .where(
            col(Reply.status).in_((ReplyStatus.SENDING, ReplyStatus.SENT)),
            col(Reply.elsewhere).is_(False),
            # A stuck one is looked for until a person decides, however long we were away.
            sa.or_(
                col(Reply.status) == ReplyStatus.SENDING,
                col(Reply.updated_at) > at - LOOK_FOR,
            ),
            sa.or_(col(Reply.checked_at).is_(None), col(Reply.checked_at) < at - LOOK_EVERY),
        )
        # Who waited longest comes first: fifty that are never found must not hide the others.
        .order_by(col(Reply.checked_at).asc().nulls_first(), col(Reply.id))
        .limit(50)
    ).all()
    found = 0
    for reply in due:
        if reply.status == ReplyStatus.SENDING and reply.updated_at > at - STUCK_AFTER:
            continue
        found += _look(session, reply, open_connector)
    return found


def _look(session: Session, reply: Reply, open_connector: Open) -> bool:
    post = session.get_one(Post, reply.post_id)
    source = session.get_one(Source, post.source_id)
    connector = open_connector(source.name)
    reply.checked_at = now()
    sent: SentReply | None = None
    if connector is None:
        reply.error = f"The source {source.name} is no longer in config.toml: look yourself."
    else:
        with closing(connector):
            try:
                sent = connector.find_reply(post.ref, reply.text, reply.created_at)
            except ConnectorError as error:
                reply.error = f"We could not look on the network: {error}"
            else:
                if sent is None and reply.status == ReplyStatus.SENDING:
                    reply.error = (
                        "It is not to be found on the network. Look there yourself, then choose: "
                        "send it again, or leave it."
                    )
    if sent is not None:
        _sent(session, reply, sent, ReplyStatus.SEEN)
    else:
        session.add(reply)
        session.commit()
    return sent is not None


def send_again(session: Session, reply_id: int, agent: str) -> None:
    """A person saw that a stuck or failed reply is not on the network: make it a draft again.

    Before it is sent it is looked for once more. Raises CaseError.
    """
    reply = session.get_one(Reply, reply_id, populate_existing=True)
    _check_owner(session, reply.case_id, agent)
    if reply.status not in (ReplyStatus.SENDING, ReplyStatus.FAILED):
        raise CaseConflictError("This reply has changed meanwhile. Look at its status.")
    if reply.status == ReplyStatus.SENDING and reply.updated_at > now() - STUCK_AFTER:
        raise CaseConflictError("It is being sent at this moment. Wait a minute.")
    try:
        _take(session, reply_id, reply.status, ReplyStatus.DRAFT)
    except IntegrityError as error:
        session.rollback()
        raise CaseConflictError("This case has a newer draft. Go on with that one.") from error
    reply.error = None
    reply.checked_at = now()
    session.add(reply)
    _set_case(session, reply.case_id, ReplyStatus.DRAFT)
    record(session, reply.case_id, "reply taken back to a draft", agent=agent)
    session.commit()


def give_up(session: Session, reply_id: int, agent: str) -> None:
    """A person decided that a stuck reply was not sent and shall not be. Raises CaseError."""
    reply = session.get_one(Reply, reply_id)
    _check_owner(session, reply.case_id, agent)
    _take(session, reply_id, ReplyStatus.SENDING, ReplyStatus.FAILED)
    _set_case(session, reply.case_id, ReplyStatus.FAILED)
    record(session, reply.case_id, "reply given up", agent=agent)
    session.commit()


def _unfinished(case_id: int) -> SelectOfScalar[Reply]:
    return select(Reply).where(
        col(Reply.case_id) == case_id,
        col(Reply.status).in_((ReplyStatus.DRAFT, ReplyStatus.SENDING)),
    )


def _take(session: Session, reply_id: int, old: ReplyStatus, new: ReplyStatus) -> None:
    """Move a reply from one status to another, if it still is there. Raises CaseConflictError."""
    session.rollback()
    taken = session.execute(
        sa.update(Reply)
        .where(col(Reply.id) == reply_id, col(Reply.status) == old)
        .values(status=new, updated_at=now())
        .execution_options(synchronize_session=False)
    )
    if row_count(taken) == 0:
        session.rollback()
        raise CaseConflictError("This reply has changed meanwhile. Look at its status.")


def _check_owner(session: Session, case_id: int, agent: str) -> None:
    case = session.get_one(Case, case_id, populate_existing=True)
    if case.assignee != agent:
        raise CaseConflictError(
            f"{case.assignee} has this case." if case.assignee else "Claim the case first."
        )
    if case.status == CaseStatus.RESOLVED:
        raise CaseConflictError("This case is resolved. Reopen it first.")


def _set_case(session: Session, case_id: int, status: ReplyStatus) -> None:
    session.execute(
        sa.update(Case)
        .where(col(Case.id) == case_id)
        .values(reply_status=status)
        .execution_options(synchronize_session=False)
    )


def _latest_status(session: Session, case_id: int) -> ReplyStatus:
    case = session.get_one(Case, case_id)
    if case.answered_at is not None and case.waiting_since is not None:
        return ReplyStatus.CUSTOMER_ANSWERED
    latest = select(Reply).where(col(Reply.case_id) == case_id).order_by(col(Reply.id).desc())
    reply = session.exec(latest.limit(1)).first()
    return reply.status if reply else ReplyStatus.UNANSWERED


def _sent(session: Session, reply: Reply, sent: SentReply, status: ReplyStatus) -> None:
    """The network has it: note where, and stop the customer's clock."""
    first = reply.sent_at is None
    case = session.get_one(Case, reply.case_id, with_for_update=True, populate_existing=True)
    reply.status = status
    reply.external_id = sent.external_id
    reply.url = sent.url
    reply.sent_at = reply.sent_at or _not_after_now(sent.created_at)
    reply.seen_at = now() if status == ReplyStatus.SEEN else None
    reply.error = None
    reply.updated_at = now()
    session.add(reply)
    # The same post may have come in as a native answer before we learned that it is this one.
    twin = native_key(case.network, sent.external_id)
    session.execute(sa.delete(Reply).where(col(Reply.key) == twin))
    if first:
        we_answered(session, case, status, reply.sent_at)
    elif case.reply_status in (ReplyStatus.SENDING, ReplyStatus.SENT):
        case.reply_status = status  # Unless more has happened since.
    session.add(case)
    record(session, case.id, f"reply {status}", agent=reply.agent if first else None)
    session.commit()


def _not_after_now(at: datetime) -> datetime:
    """The network's clock may run ahead of ours."""
    return min(at, now())


def _not_sent(session: Session, reply: Reply, error: str) -> None:
    _take(session, reply.id, ReplyStatus.SENDING, ReplyStatus.FAILED)
    reply.error = error
    session.add(reply)
    _set_case(session, reply.case_id, ReplyStatus.FAILED)
    record(session, reply.case_id, "reply failed", agent=reply.agent, detail=error)
    session.commit()
