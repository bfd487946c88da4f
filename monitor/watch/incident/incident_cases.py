"""Which cases an incident has: put in by hand, taken out, merged."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk.cases import CaseConflictError, CaseError, record
from monitor.store.db import insert
from monitor.store.models import (
    Case,
    Incident,
    IncidentApart,
    IncidentCase,
    IncidentStatus,
    Post,
    now,
)
from monitor.watch.incident.incident_steps import STANDS, begin, hold, members, titled
from monitor.watch.incident.proposing import tells_of, told


def open_by_hand(session: Session, agent: str, title: str, case_id: int) -> int:
    """Make an incident of a case. Returns its id. Raises CaseError, CaseConflictError."""
    begin(session)
    incident = _new(session, agent, titled(title))
    _take_in(session, incident, case_id, agent)
    session.commit()
    return incident.id


def add(session: Session, incident_id: int, case_id: int, agent: str) -> None:
    """Put a case into an incident by hand. Raises CaseError, CaseConflictError."""
    incident = hold(session, incident_id)[0]
    _take_in(session, incident, case_id, agent)
    session.commit()


def split(
    session: Session, incident_id: int, case_ids: Sequence[int], agent: str, title: str = ""
) -> int | None:
    """Take cases out of an incident: it is not proposed to them again.

    With a title they make an incident of their own, whose id is returned. Raises CaseError, and
    CaseConflictError where one of them is not in the incident any more.
    """
    if not case_ids:
        raise CaseError("Choose the cases to take out first.")
    incident = hold(session, incident_id)[0]
    inside = set(members(session, incident_id))
    if not set(case_ids) <= inside:
        session.rollback()
        raise CaseConflictError("One of these cases is not in this incident any more.")
    if set(case_ids) == inside:
        session.rollback()
        raise CaseError("An incident needs a case: leave one, or say that it is none.")
    session.execute(
        sa.delete(IncidentCase).where(
            col(IncidentCase.incident_id) == incident_id, col(IncidentCase.case_id).in_(case_ids)
        )
    )
    _keep_apart(session, incident_id, case_ids)
    for case_id in case_ids:
        record(session, case_id, "taken out of an incident", agent=agent, detail=told(incident))
    made = _new(session, agent, titled(title)) if title.strip() else None
    if made:
        for case_id in case_ids:
            _take_in(session, made, case_id, agent)
    _see_again(session, incident)
    session.commit()
    return made.id if made else None


def merge(session: Session, incident_id: int, into_id: int, agent: str) -> None:
    """Let an incident go on in another one, with all its cases. Raises CaseError."""
    if incident_id == into_id:
        raise CaseError("Choose another incident.")
    held = {one.id: one for one in hold(session, incident_id, into_id)}
    incident, into = held[incident_id], held[into_id]
    case_ids = members(session, incident_id)
    session.execute(
        sa.update(IncidentCase)
        .where(col(IncidentCase.incident_id) == incident_id)
        .values(incident_id=into_id, added_by=agent)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        sa.delete(IncidentApart).where(
            col(IncidentApart.incident_id) == into_id, col(IncidentApart.case_id).in_(case_ids)
        )
    )
    apart = select(IncidentApart.case_id).where(IncidentApart.incident_id == incident_id)
    _keep_apart(session, into_id, session.exec(apart).all())
    incident.status, incident.merged_into = IncidentStatus.MERGED, into_id
    incident.closed_by, incident.closed_at = agent, now()
    if into.status == IncidentStatus.PROPOSED:
        into.status, into.reporter = IncidentStatus.OPEN, agent
    session.add_all((incident, into))
    for case_id in case_ids:
        record(session, case_id, "joined an incident", agent=agent, detail=told(into))
    _see_again(session, into)
    session.commit()


def _new(session: Session, agent: str, title: str) -> Incident:
    incident = Incident(
        title=title,
        status=IncidentStatus.OPEN,
        reporter=agent,
        first_seen_at=now(),
        last_seen_at=now(),
    )
    session.add(incident)
    session.flush()
    return incident


def _take_in(session: Session, incident: Incident, case_id: int, agent: str) -> None:
    """Put a case in that no standing incident has."""
    if session.get(Case, case_id, with_for_update=True) is None:
        session.rollback()
        raise CaseError("There is no such case.")
    held = session.exec(
        select(Incident)
        .join(IncidentCase, col(IncidentCase.incident_id) == col(Incident.id))
        .where(IncidentCase.case_id == case_id)
    ).first()
    if held and held.status in STANDS and held.status != IncidentStatus.PROPOSED:
        session.rollback()
        raise CaseConflictError(
            f"Case {case_id} is in incident {held.id} already: take it out there first, or merge "
            "the two incidents."
        )
    session.execute(sa.delete(IncidentCase).where(col(IncidentCase.case_id) == case_id))
    session.execute(
        sa.delete(IncidentApart).where(
            col(IncidentApart.case_id) == case_id, col(IncidentApart.incident_id) == incident.id
        )
    )
    try:
        session.add(IncidentCase(case_id=case_id, incident_id=incident.id, added_by=agent))
        session.flush()
    except sa.exc.IntegrityError as error:
        session.rollback()
        raise CaseConflictError("The case joined an incident just now. Look again.") from error
    record(session, case_id, "joined an incident", agent=agent, detail=told(incident))
    _see_again(session, incident)


def _see_again(session: Session, incident: Incident) -> None:
    """When its cases' posts were written, first and last."""
    first, last = session.execute(
        sa.select(sa.func.min(col(Post.created_at)), sa.func.max(col(Post.created_at))).where(
            tells_of(incident.id)
        )
    ).one()
    if first and last:
        incident.first_seen_at, incident.last_seen_at = first, last
        session.add(incident)


def _keep_apart(session: Session, incident_id: int, case_ids: Iterable[int]) -> None:
    for case_id in case_ids:
        session.execute(
            insert(session, IncidentApart)
            .values(case_id=case_id, incident_id=incident_id)
            .on_conflict_do_nothing()
        )
