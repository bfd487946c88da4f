"""What one person at the desk is told, once, until they have seen it."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.db import insert
from monitor.store.models import Notice, NoticeKind, now

SHOWN = 100
"""The newest notices that anybody looks through."""


def tell(
    session: Session, agent: str, key: str, kind: NoticeKind, text: str, case_id: int | None = None
) -> None:
    """Tell a person something, once for each key: a second time nothing happens.

    The caller commits it with what it tells of.
    """
    values = {"agent": agent, "key": key, "kind": kind, "text": text, "case_id": case_id}
    statement = insert(session, Notice).values(at=now(), **values)
    session.execute(statement.on_conflict_do_nothing(index_elements=["agent", "key"]))


def unseen(session: Session, agent: str) -> list[Notice]:
    """What a person has not seen yet, the newest first."""
    found = select(Notice).where(col(Notice.agent) == agent, col(Notice.seen_at).is_(None))
    return list(session.exec(found.order_by(col(Notice.id).desc()).limit(SHOWN)))


def mark_seen(session: Session, agent: str, ids: Sequence[int]) -> None:
    """A person has seen these notices; those of others stay as they are."""
    session.execute(
        sa.update(Notice)
        .where(col(Notice.id).in_(ids), col(Notice.agent) == agent, col(Notice.seen_at).is_(None))
        .values(seen_at=now())
        .execution_options(synchronize_session=False)
    )
    session.commit()
