"""Replies of which we do not know the end: looked for on the network, decided by a person.

One that is sent is looked for until it is seen. One that is stuck in `sending` waits for somebody
to send it again or to give it up.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from connectors.base import Connector, ConnectorError, SentReply
from monitor.answer.replies import note_sent
from monitor.answer.steps import check_owner, set_case, take
from monitor.desk.cases import CaseConflictError, record
from monitor.store.models import Post, Reply, ReplyStatus, Source, now

Open = Callable[[str], Connector | None]
"""Gives the connector of a source's name, or None where it is no longer configured."""

STUCK_AFTER = timedelta(minutes=1)
"""A reply that is `sending` for longer has lost the process that sent it."""

LOOK_EVERY = timedelta(minutes=1)

LOOK_FOR = timedelta(days=1)
"""How long we look for a sent reply on the network before we leave it at `sent`."""


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
    name, ref, text, created_at = source.name, post.ref, reply.text, reply.created_at
    connector = open_connector(name)
    error: str | None = None
    sent: SentReply | None = None
    if connector is None:
        error = f"The source {name} is no longer in config.toml: look yourself."
    else:
        session.rollback()  # The network may take its time: no connection waits for it.
        with closing(connector):
            try:
                sent = connector.find_reply(ref, text, created_at)
            except ConnectorError as silent:
                error = f"We could not look on the network: {silent}"
            else:
                if sent is None and reply.status == ReplyStatus.SENDING:
                    error = (
                        "It is not to be found on the network. Look there yourself, then choose: "
                        "send it again, or leave it."
                    )
    reply.checked_at = now()
    reply.error = error or reply.error
    if sent is not None:
        note_sent(session, reply, sent, ReplyStatus.SEEN)
    else:
        session.add(reply)
        session.commit()
    return sent is not None


def send_again(session: Session, reply_id: int, agent: str) -> None:
    """A person saw that a stuck or failed reply is not on the network: make it a draft again.

    Before it is sent it is looked for once more. Raises CaseError.
    """
    reply = session.get_one(Reply, reply_id, populate_existing=True)
    check_owner(session, reply.case_id, agent)
    if reply.status not in (ReplyStatus.SENDING, ReplyStatus.FAILED):
        raise CaseConflictError("This reply has changed meanwhile. Look at its status.")
    if reply.status == ReplyStatus.SENDING and reply.updated_at > now() - STUCK_AFTER:
        raise CaseConflictError("It is being sent at this moment. Wait a minute.")
    try:
        take(session, reply_id, reply.status, ReplyStatus.DRAFT)
    except IntegrityError as error:
        session.rollback()
        raise CaseConflictError("This case has a newer answer. Go on with that one.") from error
    reply.error = None
    reply.checked_at = now()
    session.add(reply)
    set_case(session, reply.case_id, ReplyStatus.DRAFT)
    record(session, reply.case_id, "reply taken back to a draft", agent=agent)
    session.commit()


def give_up(session: Session, reply_id: int, agent: str) -> None:
    """A person decided that a stuck reply was not sent and shall not be. Raises CaseError."""
    reply = session.get_one(Reply, reply_id)
    check_owner(session, reply.case_id, agent)
    take(session, reply_id, ReplyStatus.SENDING, ReplyStatus.FAILED)
    set_case(session, reply.case_id, ReplyStatus.FAILED)
    record(session, reply.case_id, "reply given up", agent=agent)
    session.commit()
