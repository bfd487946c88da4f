"""Tells one person at the desk something, once."""

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
    """Tell somebody something, once for each `key`. The caller commits."""
    statement = insert(session, Notice).values(
        agent=agent, key=key, kind=kind, text=text, case_id=case_id, at=now()
    )
    session.execute(statement.on_conflict_do_nothing(index_elements=["agent", "key"]))
