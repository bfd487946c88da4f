"""How a case had ended: kept by whoever opens it again, so that the undo can end it as before."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk.cases import record
from monitor.desk.clock import sla
from monitor.desk.priority import rank
from monitor.store.models import (
    CannotHelp,
    Case,
    CaseEvent,
    CaseStatus,
    Dismissal,
    Outcome,
    ReplyStatus,
)

QUIET = ("labelled", "label taken back")
"""Events that leave a case as it was."""


@dataclass(frozen=True)
class Ended:
    """The end of a resolved case."""

    case_id: int
    outcome: Outcome | None
    dismissal: Dismissal | None
    cannot_help: CannotHelp | None
    resolved_at: datetime | None
    resolution_due_at: datetime | None
    reply_status: ReplyStatus

    @classmethod
    def of(cls, case: Case) -> "Ended | None":
        """How a case ended; None: it stands."""
        if case.status != CaseStatus.RESOLVED:
            return None
        return cls(
            case_id=case.id,
            outcome=case.outcome,
            dismissal=case.dismissal,
            cannot_help=case.cannot_help,
            resolved_at=case.resolved_at,
            resolution_due_at=case.resolution_due_at,
            reply_status=case.reply_status,
        )


def end_again(session: Session, case: Case, ended: Ended, agent: str) -> None:
    """Let a case that was opened again by mistake be resolved, as it was before.

    The caller holds the row, knows that nothing has happened to it since, and commits.
    """
    case.status, case.outcome, case.dismissal = CaseStatus.RESOLVED, ended.outcome, ended.dismissal
    case.cannot_help, case.resolved_at = ended.cannot_help, ended.resolved_at
    case.resolution_due_at, case.reply_status = ended.resolution_due_at, ended.reply_status
    case.snoozed_until = None
    sla.wait_since(case, None)
    case.rank = rank(case)
    session.add(case)
    record(session, case.id, "resolved", agent=agent, detail=f"{ended.outcome}, as before")


def untouched_since(session: Session, case_id: int, what: str, detail: str) -> bool:
    """Whether this event happened to a case, and nothing that matters after it."""
    of_case = col(CaseEvent.case_id) == case_id
    last = select(sa.func.max(col(CaseEvent.id))).where(
        of_case, col(CaseEvent.what) == what, col(CaseEvent.detail) == detail
    )
    event_id = session.exec(last).one()
    if event_id is None:
        return False
    later = select(CaseEvent.id).where(
        of_case, col(CaseEvent.id) > event_id, col(CaseEvent.what).not_in(QUIET)
    )
    return session.exec(later.limit(1)).first() is None
