"""Who is not here. Somebody who is away gets no cases by themselves."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk.cases import CaseError
from monitor.store.db import insert
from monitor.store.models import Absence, now


def leave(session: Session, agent: str, until: datetime | None = None) -> None:
    """`agent` is away until a time in the future; None: until they say that they are back.

    Raises CaseError for a time that is over.
    """
    if until is not None and until <= now():
        raise CaseError("Choose a time in the future.")
    session.rollback()
    session.execute(
        insert(session, Absence)
        .values(agent=agent, until=until)
        .on_conflict_do_update(index_elements=["agent"], set_={"until": until}),
        execution_options={"synchronize_session": False},
    )
    session.commit()


def come_back(session: Session, agent: str) -> None:
    """`agent` is here again."""
    session.rollback()
    session.execute(
        sa.delete(Absence).where(col(Absence.agent) == agent),
        execution_options={"synchronize_session": False},
    )
    session.commit()


def away(session: Session) -> dict[str, datetime | None]:
    """Who is away now, and until when; None: until they say that they are back."""
    gone = session.exec(
        select(Absence).where(sa.or_(col(Absence.until).is_(None), col(Absence.until) > now()))
    )
    return {absence.agent: absence.until for absence in gone}
