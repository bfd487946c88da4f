"""The steps of an answer from one status to the next, and whose answer it is to make."""

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from connectors.base import Connector
from monitor.answer.canned import check_filled
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.store.db import row_count
from monitor.store.models import Case, CaseStatus, Reply, ReplyStatus, now

BUSY = {
    ReplyStatus.WAITING: "The answer of this case waits for a lead. Take it back first.",
    ReplyStatus.SENDING: "A reply of this case is being sent. Wait until that is settled.",
}
"""Why a case's unfinished answer cannot be written on."""


def take(
    session: Session,
    reply_id: int,
    old: ReplyStatus,
    new: ReplyStatus,
    *conditions: sa.ColumnElement[bool],
    **values: object,
) -> None:
    """Move a reply from one status to another, if it still is there.

    It begins the transaction, which the caller commits. Raises CaseConflictError.
    """
    session.rollback()
    taken = session.execute(
        sa.update(Reply)
        .where(col(Reply.id) == reply_id, col(Reply.status) == old, *conditions)
        .values(status=new, updated_at=now(), **values)
        .execution_options(synchronize_session=False)
    )
    if row_count(taken) == 0:
        session.rollback()
        raise CaseConflictError("This reply has changed meanwhile. Look at its status.")


def set_case(session: Session, case_id: int, status: ReplyStatus) -> None:
    """Show on a case how its latest reply stands. The caller commits it."""
    session.execute(
        sa.update(Case)
        .where(col(Case.id) == case_id)
        .values(reply_status=status)
        .execution_options(synchronize_session=False)
    )


def reply_of(session: Session, reply_id: int) -> Reply:
    """A reply as it stands now. Raises CaseConflictError where it was thrown away."""
    reply = session.get(Reply, reply_id, populate_existing=True)
    if reply is None:
        session.rollback()
        raise CaseConflictError("There is no such answer any more. Look at the case again.")
    return reply


def check_owner(session: Session, case_id: int, agent: str) -> None:
    """Raise CaseConflictError unless the agent has this case and it still stands."""
    case = session.get(Case, case_id, populate_existing=True)
    if case is None:
        session.rollback()
        raise CaseConflictError("There is no such case any more.")
    assignee = case.assignee
    if assignee != agent:
        session.rollback()
        raise CaseConflictError(
            f"{assignee} has this case." if assignee else "Claim the case first."
        )
    check_stands(session, case)


def check_stands(session: Session, case: Case) -> None:
    """Raise CaseConflictError where a case is resolved; the transaction ends, and its locks."""
    if case.status == CaseStatus.RESOLVED:
        session.rollback()
        raise CaseConflictError("This case is resolved. Reopen it first.")


def unfinished(case_id: int) -> SelectOfScalar[Reply]:
    """The answer of a case that is being written, waits or is on its way: one at most."""
    return select(Reply).where(
        col(Reply.case_id) == case_id,
        col(Reply.status).in_((ReplyStatus.DRAFT, ReplyStatus.WAITING, ReplyStatus.SENDING)),
    )


def latest_status(session: Session, case_id: int) -> ReplyStatus:
    """How the newest reply of a case stands, or that the customer wrote after it."""
    case = session.get_one(Case, case_id)
    if case.answered_at is not None and case.waiting_since is not None:
        return ReplyStatus.CUSTOMER_ANSWERED
    latest = select(Reply).where(col(Reply.case_id) == case_id).order_by(col(Reply.id).desc())
    reply = session.exec(latest.limit(1)).first()
    return reply.status if reply else ReplyStatus.UNANSWERED


def approved(reply: Reply) -> bool:
    """Whether a lead let these words go out."""
    return reply.approver is not None and reply.refusal is None


def check_text(text: str, connector: Connector) -> None:
    """Raise CaseError where a text is longer than the network takes, or not filled in."""
    length = connector.length(text)
    if connector.max_length is not None and length > connector.max_length:
        raise CaseError(f"{length} characters are too many: at most {connector.max_length}.")
    check_filled(text)
