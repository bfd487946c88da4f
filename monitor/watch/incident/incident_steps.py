"""Steps that all changes of incidents are made of."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk.cases import CaseConflictError, CaseError, record
from monitor.store.db import lock_writes, row_count
from monitor.store.models import Incident, IncidentCase, IncidentStatus
from monitor.watch.incident.proposing import LIVE, told

UNDER_WAY = (IncidentStatus.OPEN, IncidentStatus.WATCHING)
STANDS = (*LIVE, IncidentStatus.FIXED)

LONGEST_TITLE = 120


def titled(title: str) -> str:
    """A title as it is kept. Raises CaseError for an empty one."""
    if not title.strip():
        raise CaseError("Write a title first.")
    return " ".join(title.split())[:LONGEST_TITLE]


def begin(session: Session) -> None:
    """Begin a transaction of several statements."""
    session.rollback()
    lock_writes(session)


def hold(session: Session, *ids: int) -> list[Incident]:
    """The rows of standing incidents, held until the end of the transaction that begins here.

    Raises CaseConflictError where one does not stand any more.
    """
    begin(session)
    found = session.exec(
        select(Incident)
        .where(col(Incident.id).in_(ids))
        .order_by(col(Incident.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    gone = next((one for one in found if one.status not in STANDS), None)
    if len(found) < len(ids) or gone:
        session.rollback()
        raise CaseConflictError(how_it_stands(gone))
    return list(found)


def members(session: Session, incident_id: int) -> Sequence[int]:
    """The cases of an incident."""
    return session.exec(
        select(IncidentCase.case_id).where(IncidentCase.incident_id == incident_id)
    ).all()


def record_all(session: Session, incident_id: int, what: str, agent: str) -> None:
    """A line in the history of each of its cases."""
    incident = session.get_one(Incident, incident_id, populate_existing=True)
    for case_id in members(session, incident_id):
        record(session, case_id, what, agent=agent, detail=told(incident))


def change(
    session: Session,
    incident_id: int,
    statuses: tuple[IncidentStatus, ...],
    values: Mapping[str, object],
) -> None:
    """The one conditional UPDATE of a change; it begins the transaction.

    Raises CaseConflictError where the incident has none of `statuses`.
    """
    session.rollback()
    changed = session.execute(
        sa.update(Incident)
        .where(col(Incident.id) == incident_id, col(Incident.status).in_(statuses))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if row_count(changed) == 0:
        session.rollback()
        raise CaseConflictError(how_it_stands(session.get(Incident, incident_id)))


def how_it_stands(incident: Incident | None) -> str:
    """Why nothing was changed."""
    if incident is None:
        return "There is no such incident any more."
    if incident.status == IncidentStatus.MERGED:
        return f"This incident goes on in incident {incident.merged_into}."
    return f"This incident changed meanwhile: it is {incident.status}."
