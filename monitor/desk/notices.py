"""What one person at the desk is told, once."""

from sqlmodel import Session

from monitor.store.db import insert
from monitor.store.models import Notice, NoticeKind, now


def tell(
    session: Session,
    agent: str,
    key: str,
    kind: NoticeKind,
    text: str,
    case_id: int | None = None,
) -> None:
    """Tell somebody something, unless they were told under this key. The caller commits it."""
    session.execute(
        insert(session, Notice)
        .values(agent=agent, key=key, kind=kind, case_id=case_id, text=text, at=now())
        .on_conflict_do_nothing()
    )
