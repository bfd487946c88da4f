"""Replies of which we do not know the end: looked for on the network, decided by a person.

One that is sent is looked for until it is seen. One that is stuck in `sending` waits for somebody
to send it again or to give it up.
"""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from connectors.base import Connector, ConnectorError
from monitor.answer.arrival import Arrived, Wanted, note_error, note_sent
from monitor.answer.steps import check_owner, reply_of, set_case, take
from monitor.desk.cases import CaseConflictError, record
from monitor.store.db import row_count
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
    stuck = sa.and_(
        # It is looked for until a person decides, however long we were away.
        col(Reply.status) == ReplyStatus.SENDING,
        col(Reply.updated_at) <= at - STUCK_AFTER,
    )
    sent = sa.and_(col(Reply.status) == ReplyStatus.SENT, col(Reply.updated_at) > at - LOOK_FOR)
    due = session.execute(
        select(Reply.id, Reply.status, Reply.checked_at)
        .where(
            sa.or_(stuck, sent),
            col(Reply.elsewhere).is_(False),
            sa.or_(col(Reply.checked_at).is_(None), col(Reply.checked_at) < at - LOOK_EVERY),
        )
        # Who waited longest comes first: fifty that are never found must not hide the others.
        .order_by(col(Reply.checked_at).asc().nulls_first(), col(Reply.id))
        .limit(50)
    ).all()
    found = 0
    for reply_id, status, checked_at in due:
        if _claim(session, reply_id, status, checked_at):
            found += _look(session, reply_id, open_connector)
    return found


def _claim(
    session: Session, reply_id: int, status: ReplyStatus, checked_at: datetime | None
) -> bool:
    """Whether this engine is the one that looks now; committed, so no error comes first again."""
    session.rollback()
    claimed = session.execute(
        sa.update(Reply)
        .where(
            col(Reply.id) == reply_id,
            col(Reply.status) == status,
            col(Reply.checked_at).is_not_distinct_from(checked_at),
        )
        .values(checked_at=now())
        .execution_options(synchronize_session=False)
    )
    session.commit()
    return row_count(claimed) > 0


def _look(session: Session, reply_id: int, open_connector: Open) -> bool:
    reply = session.get_one(Reply, reply_id, populate_existing=True)
    before, wanted = reply.status, Wanted.of(session, reply)
    post = session.get_one(Post, reply.post_id)
    name = session.get_one(Source, post.source_id).name
    connector = open_connector(name)
    error: str | None = None
    arrived: Arrived | None = None
    if connector is None:
        error = f"The source {name} is no longer in config.toml: look yourself."
    else:
        session.rollback()  # The network may take its time: no connection waits for it.
        with closing(connector):
            try:
                arrived = wanted.find(connector)
            except ConnectorError as silent:
                error = f"We could not look on the network: {silent}"
            else:
                if arrived is None and before == ReplyStatus.SENDING:
                    error = (
                        "It is not to be found on the network. Look there yourself, then choose: "
                        "send it again, or leave it."
                    )
    if arrived is not None:
        unseen = (ReplyStatus.SENDING, ReplyStatus.SENT)
        return note_sent(session, reply, arrived, ReplyStatus.SEEN, *unseen)
    if error is not None:
        note_error(session, reply_id, before, error)
    return False


def send_again(session: Session, reply_id: int, agent: str) -> None:
    """A person saw that a stuck or failed reply is not on the network: make it a draft again.

    Before it is sent it is looked for once more, in these words too if others are written. Raises
    CaseError.
    """
    reply = reply_of(session, reply_id)
    check_owner(session, reply.case_id, agent)
    if reply.status not in (ReplyStatus.SENDING, ReplyStatus.FAILED):
        raise CaseConflictError("This reply has changed meanwhile. Look at its status.")
    _check_stuck(reply)
    case_id = reply.case_id
    try:
        take(
            session,
            reply_id,
            reply.status,
            ReplyStatus.DRAFT,
            col(Reply.updated_at) == reply.updated_at,
            error=None,
            checked_at=now(),
            tried=list(dict.fromkeys([*(reply.tried or []), reply.text])),
        )
    except IntegrityError as error:
        session.rollback()
        raise CaseConflictError("This case has a newer answer. Go on with that one.") from error
    set_case(session, case_id, ReplyStatus.DRAFT)
    record(session, case_id, "reply taken back to a draft", agent=agent)
    session.commit()


def give_up(session: Session, reply_id: int, agent: str) -> None:
    """A person decided that a stuck reply was not sent and shall not be. Raises CaseError."""
    reply = reply_of(session, reply_id)
    check_owner(session, reply.case_id, agent)
    _check_stuck(reply)
    case_id = reply.case_id
    same_try = col(Reply.updated_at) == reply.updated_at
    take(session, reply_id, ReplyStatus.SENDING, ReplyStatus.FAILED, same_try)
    set_case(session, case_id, ReplyStatus.FAILED)
    record(session, case_id, "reply given up", agent=agent)
    session.commit()


def _check_stuck(reply: Reply) -> None:
    """Raise CaseConflictError while whoever sends a reply may still be at it."""
    if reply.status == ReplyStatus.SENDING and reply.updated_at > now() - STUCK_AFTER:
        raise CaseConflictError("It is being sent at this moment. Wait a minute.")
