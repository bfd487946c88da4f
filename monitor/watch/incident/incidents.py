"""What people do with incidents: confirm, prove, tell, close.

Every change is one conditional UPDATE, or one transaction that holds the incident's row, with a
line in the history of each case that it touches. Each case keeps its own owner, thread and clock.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk.arrivals.by_hand import is_link
from monitor.desk.cases import CaseConflictError, CaseError, record
from monitor.store.db import row_count
from monitor.store.models import (
    Case,
    IncidentCase,
    IncidentStatus,
    Reproduced,
    now,
)
from monitor.watch.incident.incident_steps import (
    STANDS,
    UNDER_WAY,
    change,
    hold,
    record_all,
    titled,
)

OVER = (IncidentStatus.FIXED, IncidentStatus.NO_FAULT)

LONGEST_TEXT = 5_000


def confirm(session: Session, incident_id: int, agent: str) -> None:
    """A person says that these cases have one cause. Raises CaseConflictError."""
    values = {"status": IncidentStatus.OPEN, "reporter": agent}
    change(session, incident_id, (IncidentStatus.PROPOSED,), values)
    record_all(session, incident_id, "joined an incident", agent)
    session.commit()


def reject(session: Session, incident_id: int, agent: str) -> None:
    """A person says that these cases have nothing in common. Raises CaseConflictError.

    They stay together, so that they are not proposed again, but can be added elsewhere by hand.
    """
    values = {"status": IncidentStatus.REJECTED, "closed_by": agent, "closed_at": now()}
    change(session, incident_id, (IncidentStatus.PROPOSED,), values)
    session.commit()


def propose_again(session: Session, incident_id: int) -> None:
    """Take a rejection or a confirmation back. Raises CaseConflictError."""
    values = {
        "status": IncidentStatus.PROPOSED,
        "reporter": None,
        "closed_by": None,
        "closed_at": None,
    }
    change(session, incident_id, (IncidentStatus.REJECTED, IncidentStatus.OPEN), values)
    session.commit()


def rename(session: Session, incident_id: int, title: str) -> None:
    """Give it another title. Raises CaseError for an empty one."""
    change(session, incident_id, tuple(IncidentStatus), {"title": titled(title)})
    session.commit()


def set_evidence(session: Session, incident_id: int, agent: str, url: str, value: str) -> None:
    """Keep a link and the number that was read there, by whom and when. Raises CaseError."""
    if not is_link(url.strip()):
        raise CaseError("Paste the link of what proves it; it begins with https://")
    if not any(letter.isdigit() for letter in value):
        raise CaseError("Write the number that you read there, such as 5,210 failed logins.")
    values = {
        "evidence_url": url.strip()[:2000],
        "evidence_value": value.strip()[:300],
        "evidence_by": agent,
        "evidence_at": now(),
    }
    change(session, incident_id, STANDS, values)
    session.commit()


def describe(
    session: Session, incident_id: int, fault: str, cause: str, reproduced: Reproduced
) -> None:
    """Keep what is wrong, why, and whether we saw it ourselves. Raises CaseConflictError."""
    values = {
        "fault": fault.strip()[:LONGEST_TEXT],
        "cause": cause.strip()[:LONGEST_TEXT],
        "reproduced": reproduced,
    }
    change(session, incident_id, STANDS, values)
    session.commit()


def set_update(session: Session, incident_id: int, agent: str, text: str) -> None:
    """Keep what may be told to the customers now; an empty text takes it back.

    It is offered in every case of the incident; nothing is sent. Raises CaseConflictError.
    """
    values = {
        "update": text.strip()[:LONGEST_TEXT],
        "update_by": agent,
        "update_at": now(),
    }
    change(session, incident_id, (*UNDER_WAY, IncidentStatus.FIXED), values)
    session.commit()


def watch(session: Session, incident_id: int) -> None:
    """It is thought to be over. Raises CaseConflictError unless it is open."""
    change(session, incident_id, (IncidentStatus.OPEN,), {"status": IncidentStatus.WATCHING})
    session.commit()


def fix(session: Session, incident_id: int, agent: str) -> None:
    """It is fixed: from now on its customers are to be told. Raises CaseConflictError."""
    values = {"status": IncidentStatus.FIXED, "closed_by": agent, "closed_at": now()}
    change(session, incident_id, UNDER_WAY, values)
    record_all(session, incident_id, "incident fixed", agent)
    session.commit()


def no_fault(session: Session, incident_id: int, agent: str) -> None:
    """Close it as nothing wrong.

    Raises CaseError where `agent` reported it, or two or more customers told of it and there is
    no evidence.
    """
    incident = hold(session, incident_id)[0]
    problem = ""
    if incident.status not in UNDER_WAY:
        problem = f"It is {incident.status}: only an open incident can be closed as no fault."
    elif incident.reporter == agent:
        problem = "You reported it: somebody else has to say that nothing was wrong."
    elif authors(session, incident_id) > 1 and not (
        incident.evidence_url and incident.evidence_value
    ):
        problem = (
            "Two or more customers told of it. Add the evidence first: a link and the number that "
            "shows that nothing was wrong."
        )
    if problem:
        session.rollback()
        raise CaseError(problem)
    incident.status = IncidentStatus.NO_FAULT
    incident.closed_by, incident.closed_at = agent, now()
    session.add(incident)
    session.commit()


def reopen(session: Session, incident_id: int) -> None:
    """It is not over after all. Raises CaseConflictError unless it was."""
    values = {"status": IncidentStatus.OPEN, "closed_by": None, "closed_at": None}
    change(session, incident_id, (*OVER, IncidentStatus.WATCHING), values)
    session.commit()


def mark_followed_up(session: Session, incident_id: int, case_id: int, agent: str) -> None:
    """A person told the customer, by whatever way, that it is fixed. Raises CaseConflictError."""
    untold = col(IncidentCase.followed_up_at).is_(None)
    if not _follow_up(session, incident_id, case_id, untold, now(), agent):
        raise CaseConflictError("Somebody has told this customer meanwhile, or took the case out.")
    record(session, case_id, "told that it is fixed", agent=agent, detail=f"incident {incident_id}")
    session.commit()


def unmark_followed_up(session: Session, incident_id: int, case_id: int, agent: str) -> None:
    """Take one's own word back: the customer is on the list again. Raises CaseConflictError."""
    own = col(IncidentCase.followed_up_by) == agent
    if not _follow_up(session, incident_id, case_id, own, None, None):
        raise CaseConflictError("It was not you who told this customer, or the case was taken out.")
    record(session, case_id, "not told yet that it is fixed", agent=agent)
    session.commit()


def _follow_up(
    session: Session,
    incident_id: int,
    case_id: int,
    condition: sa.ColumnElement[bool],
    at: datetime | None,
    by: str | None,
) -> bool:
    """Write who told a customer when, if the condition still holds; whether it did."""
    session.rollback()
    changed = session.execute(
        sa.update(IncidentCase)
        .where(
            col(IncidentCase.incident_id) == incident_id,
            col(IncidentCase.case_id) == case_id,
            condition,
        )
        .values(followed_up_at=at, followed_up_by=by)
        .execution_options(synchronize_session=False)
    )
    if row_count(changed) == 0:
        session.rollback()
        return False
    return True


def authors(session: Session, incident_id: int) -> int:
    """How many customers have a case in it."""
    return session.exec(
        select(sa.func.count(sa.distinct(col(Case.author_id))))
        .join(IncidentCase, col(IncidentCase.case_id) == col(Case.id))
        .where(IncidentCase.incident_id == incident_id)
    ).one()
