"""Whether an answer arrived: looked for in all the words that it was tried with, and noted."""

from datetime import datetime
from typing import NamedTuple, Self

import sqlalchemy as sa
from sqlmodel import Session, col

from connectors.base import Connector, ConnectorError, SentReply
from monitor.desk.arrivals.answers import native_key
from monitor.desk.arrivals.turns import we_answered
from monitor.desk.cases import CaseConflictError, CaseError, record
from monitor.store.db import lock_writes
from monitor.store.models import Case, Post, Reply, ReplyStatus, now


class Arrived(NamedTuple):
    """What the network has of an answer, and in which words."""

    sent: SentReply
    text: str


class Wanted(NamedTuple):
    """What is looked for: an answer to a post, in its words or any that were tried before."""

    ref: str
    texts: list[str]
    since: datetime

    @classmethod
    def of(cls, session: Session, reply: Reply) -> Self:
        """All that the network has to be asked for a reply."""
        ref = session.get_one(Post, reply.post_id).ref
        return cls(ref, [reply.text, *(reply.tried or [])], reply.created_at)

    def find(self, connector: Connector) -> Arrived | None:
        """Look on the network. Raises ConnectorError."""
        for text in dict.fromkeys(self.texts):
            sent = connector.find_reply(self.ref, text, self.since)
            if sent is not None:
                return Arrived(sent, text)
        return None


def arrived_before(session: Session, reply: Reply, connector: Connector) -> bool:
    """Whether an answer that is about to go out arrived on an earlier try; if so it is seen now.

    A mark on an unfinished answer means that it was on its way before: a person can be wrong about
    how that ended. Raises CaseError where the network is silent, or the answer has changed.
    """
    before = reply.status
    if before not in (ReplyStatus.DRAFT, ReplyStatus.WAITING) or reply.checked_at is None:
        return False
    wanted = Wanted.of(session, reply)
    session.rollback()  # The network may take its time: no connection waits for it.
    try:
        arrived = wanted.find(connector)
    except ConnectorError as error:
        raise CaseError(
            f"It was on its way once, and we cannot look whether it arrived: {error} It is not "
            "sent, so that the customer does not get it twice. Try again later."
        ) from error
    if arrived is None:
        return False
    if not note_sent(session, reply, arrived, ReplyStatus.SEEN, before):
        raise CaseConflictError("This reply has changed meanwhile. Look at its status.")
    return True


def note_sent(
    session: Session, reply: Reply, arrived: Arrived, status: ReplyStatus, *before: ReplyStatus
) -> bool:
    """The network has it: note where, and stop the customer's clock; one commit.

    Returns False, with nothing noted, where the reply is none of `before` any more.
    """
    session.rollback()
    lock_writes(session)
    session.refresh(reply, with_for_update=True)
    if reply.status not in before:
        session.rollback()
        return False
    first = reply.sent_at is None
    case = session.get_one(Case, reply.case_id, with_for_update=True, populate_existing=True)
    if reply.text != arrived.text:  # An earlier try arrived: what was written since is not lost.
        record(session, case.id, "changed words not sent", agent=reply.agent, detail=reply.text)
        reply.text = arrived.text
    sent = arrived.sent
    reply.status = status
    reply.external_id = sent.external_id
    reply.url = sent.url
    # The network's clock may run ahead of ours.
    reply.sent_at = reply.sent_at or min(sent.created_at, now())
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
    return True


def note_error(session: Session, reply_id: int, status: ReplyStatus, error: str) -> None:
    """Tell why we do not know how a reply ended, if it still stands so; one commit."""
    session.rollback()
    session.execute(
        sa.update(Reply)
        .where(col(Reply.id) == reply_id, col(Reply.status) == status)
        .values(error=error)
        .execution_options(synchronize_session=False)
    )
    session.commit()
