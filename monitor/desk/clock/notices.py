"""What people at the desk are told: each thing once, whichever engine notices it."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.db import insert, row_count
from monitor.store.models import Notice, NoticeKind, now


def tell(
    session: Session, agent: str, key: str, kind: NoticeKind, text: str, case_id: int | None = None
) -> bool:
    """Tell somebody something, once a `key`. Returns whether it is new. The caller commits."""
    told = (
        insert(session, Notice)
        .values(agent=agent, key=key, kind=kind, text=text[:2000], case_id=case_id, at=now())
        .on_conflict_do_nothing(index_elements=["agent", "key"])
        .returning(Notice.id)
    )
    return session.execute(told).first() is not None


def unseen(session: Session, agent: str, limit: int = 100) -> Sequence[Notice]:
    """What somebody has been told and has not seen, newest first."""
    return session.exec(
        select(Notice)
        .where(col(Notice.agent) == agent, col(Notice.seen_at).is_(None))
        .order_by(col(Notice.id).desc())
        .limit(limit)
    ).all()


def mark_seen(session: Session, agent: str, ids: Sequence[int]) -> int:
    """Somebody has seen these notices of theirs. Returns how many were new to them."""
    changed = session.execute(
        sa.update(Notice)
        .where(col(Notice.id).in_(ids), col(Notice.agent) == agent, col(Notice.seen_at).is_(None))
        .values(seen_at=now())
        .execution_options(synchronize_session=False)
    )
    session.commit()
    return row_count(changed)
