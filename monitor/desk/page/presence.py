"""Who is at a case now: leases that end by themselves. A warning to colleagues, never a wall."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from monitor.store.db import insert
from monitor.store.models import Presence, now

LEASE = timedelta(seconds=30)
"""How long somebody counts as here after their last sign of life: a page gives one every 10 s."""


def here(session: Session, case_id: int, agent: str, writing: bool) -> None:
    """Say that `agent` is at a case, for the length of a lease, and whether they write.

    Their own leases that have ended are taken away. Nothing happens where the case is gone.
    """
    session.rollback()
    at = now()
    said = {"writing": writing, "until": at + LEASE}
    statement = insert(session, Presence).values(case_id=case_id, agent=agent, **said)
    options = {"synchronize_session": False}
    try:
        session.execute(
            statement.on_conflict_do_update(index_elements=["case_id", "agent"], set_=said),
            execution_options=options,
        )
        # Only their own: two people never wait for each other's rows.
        session.execute(
            sa.delete(Presence).where(col(Presence.agent) == agent, col(Presence.until) < at),
            execution_options=options,
        )
        session.commit()
    except IntegrityError:
        session.rollback()


def others(session: Session, case_id: int, agent: str | None) -> Sequence[Presence]:
    """Who else is at a case now, by name."""
    return session.exec(
        select(Presence)
        .where(
            col(Presence.case_id) == case_id,
            col(Presence.agent) != (agent or ""),
            col(Presence.until) > now(),
        )
        .order_by(col(Presence.agent))
    ).all()
