"""What may happen to a case: claimed, released, snoozed, resolved, reopened.

Every transition is one conditional UPDATE whose row count is read, with its line of history, in
one commit. Who came second gets a CaseConflictError that says what is true now.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk import sla, verdicts
from monitor.desk.priority import rank
from monitor.store.db import row_count
from monitor.store.models import (
    ACTIVE,
    Case,
    CaseEvent,
    CaseStatus,
    Dismissal,
    LabelOrigin,
    Note,
    Outcome,
    Post,
    ReplyStatus,
    now,
)


class CaseError(Exception):
    """The request makes no sense. The text tells the agent what to do instead."""


class CaseConflictError(CaseError):
    """The case changed meanwhile. The text says who has it or how it stands."""


def record(
    session: Session,
    case_id: int,
    what: str,
    *,
    agent: str | None = None,
    detail: str = "",
    at: datetime | None = None,
) -> None:
    """Add a line of history. The caller commits it with the change it tells of."""
    session.add(
        CaseEvent(case_id=case_id, what=what, agent=agent, detail=detail[:2000], at=at or now())
    )


def claim(session: Session, case_id: int, agent: str) -> None:
    """Make `agent` the owner of a case that nobody has. Raises CaseConflictError."""
    _change(
        session,
        case_id,
        (col(Case.assignee).is_(None), col(Case.status) != CaseStatus.RESOLVED),
        {"assignee": agent},
    )
    record(session, case_id, "claimed", agent=agent)
    session.commit()


def release(session: Session, case_id: int, agent: str) -> None:
    """Give a case back to nobody. Raises CaseConflictError unless `agent` has it."""
    _change(session, case_id, (col(Case.assignee) == agent,), {"assignee": None})
    record(session, case_id, "released", agent=agent)
    session.commit()


def assign(session: Session, case_id: int, agent: str, to: str, held_by: str | None) -> None:
    """Hand a case from `held_by` (None: nobody) to a colleague. Raises CaseConflictError."""
    held = col(Case.assignee).is_(None) if held_by is None else col(Case.assignee) == held_by
    _change(session, case_id, (held, col(Case.status) != CaseStatus.RESOLVED), {"assignee": to})
    record(session, case_id, "assigned", agent=agent, detail=f"to {to}")
    session.commit()


def wait_for_customer(session: Session, case_id: int, agent: str) -> None:
    """Set an open case pending: the customer has the word. Raises CaseConflictError."""
    _change(session, case_id, _open_for(agent), {"status": CaseStatus.PENDING})
    sla.stop_waiting(session.get_one(Case, case_id, populate_existing=True))
    record(session, case_id, "pending", agent=agent)
    session.commit()


def snooze(session: Session, case_id: int, agent: str, until: datetime) -> None:
    """Put a case aside until a time in the future. Raises CaseError or CaseConflictError."""
    if until <= now():
        raise CaseError("Choose a time in the future.")
    _change(
        session,
        case_id,
        (_free_for(agent), col(Case.status).in_((CaseStatus.OPEN, CaseStatus.PENDING))),
        {"status": CaseStatus.SNOOZED, "snoozed_until": until, "promised_at": None},
    )
    stamp = f"until {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    record(session, case_id, "snoozed", agent=agent, detail=stamp)
    session.commit()


def reopen(session: Session, case_id: int, agent: str) -> None:
    """Bring a pending, snoozed or resolved case back into the queue, as it was before.

    A customer whom we never answered has waited all along; one whom we did answer has not. What
    its outcome said of the post is taken back.
    Raises CaseConflictError where it is open already, or its author has another standing case.
    """
    try:
        _change(
            session,
            case_id,
            (_free_for(agent), col(Case.status) != CaseStatus.OPEN),
            {
                "status": CaseStatus.OPEN,
                "snoozed_until": None,
                "resolved_at": None,
                "outcome": None,
                "dismissal": None,
            },
        )
    except sa.exc.IntegrityError as error:
        session.rollback()
        raise CaseConflictError(
            "This customer has a newer case. Go on there; this one stays closed."
        ) from error
    case = session.get_one(Case, case_id, populate_existing=True)
    if case.waiting_since is None:
        case.waiting_since = _unanswered_since(session, case)
    case.rank = rank(case)
    sla.reopened_by_hand(case)
    session.add(case)
    verdicts.erase(session, case.post_id, LabelOrigin.OUTCOME)
    record(session, case_id, "reopened", agent=agent)
    session.commit()


def resolve(
    session: Session,
    case_id: int,
    agent: str,
    outcome: Outcome,
    dismissal: Dismissal | None = None,
) -> None:
    """Close a case with its outcome; a dismissal says why. Raises CaseError, CaseConflictError.

    Where the outcome tells whether it was a complaint, the post that the queue shows is labelled.
    """
    if (outcome is Outcome.DISMISSED) != (dismissal is not None):
        raise CaseError("Say why it needs no answer.")
    _change(
        session,
        case_id,
        (_free_for(agent), col(Case.status).in_(ACTIVE)),
        {
            "status": CaseStatus.RESOLVED,
            "outcome": outcome,
            "dismissal": dismissal,
            "resolved_at": now(),
            "waiting_since": None,
            "snoozed_until": None,
        },
    )
    detail = f"{outcome}: {dismissal}" if dismissal else str(outcome)
    record(session, case_id, "resolved", agent=agent, detail=detail)
    sla.resolved(session.get_one(Case, case_id, populate_existing=True))
    complaint = verdicts.of_outcome(outcome, dismissal)
    if complaint is not None:
        post_id = session.exec(select(Case.post_id).where(col(Case.id) == case_id)).one()
        verdicts.write(session, post_id, LabelOrigin.OUTCOME, agent, complaint)
    session.commit()


def note(session: Session, case_id: int, agent: str, text: str) -> None:
    """Keep an internal remark. Raises CaseError for an empty one."""
    if not text.strip():
        raise CaseError("Write something first.")
    session.add(Note(case_id=case_id, agent=agent, text=text.strip()[:20_000]))
    session.commit()


def wake(session: Session) -> int:
    """Open the cases whose snooze is over. Returns how many."""
    at = now()
    woken = session.execute(
        sa.update(Case)
        .where(col(Case.status) == CaseStatus.SNOOZED, col(Case.snoozed_until) <= at)
        .values(status=CaseStatus.OPEN, snoozed_until=None)
        .returning(col(Case.id))
        .execution_options(synchronize_session=False)
    ).all()
    for (case_id,) in woken:
        record(session, case_id, "snooze over", at=at)
    session.commit()
    return len(woken)


def customer_wrote(session: Session, case: Case, post: Post) -> None:
    """The customer wrote (again): the case opens and the clock runs from the first unanswered word.

    The caller holds the row and commits.
    """
    heard = case.answered_at is not None and post.created_at <= case.answered_at
    if case.status == CaseStatus.RESOLVED:
        record(session, case.id, "reopened", detail="the customer wrote again")
        case.resolved_at = case.outcome = case.dismissal = None
        case.status = CaseStatus.OPEN
        sla.opened_anew(case)
    elif case.status == CaseStatus.PENDING and not heard:
        record(session, case.id, "opened again", detail="the customer answered")
        case.status = CaseStatus.OPEN
    else:
        record(session, case.id, "another post")
    if not heard:
        case.waiting_since = min(case.waiting_since or post.created_at, post.created_at)
    case.promised_at = case.compared_at = None
    case.rank = rank(case)
    session.add(case)


def we_answered(case: Case, status: ReplyStatus, at: datetime) -> None:
    """We answered in public: the customer waits no longer. The caller holds the row and commits."""
    sla.answered(case, at)
    case.reply_status = status
    case.first_answered_at = min(case.first_answered_at or at, at)
    case.answered_at = max(case.answered_at or at, at)
    if case.waiting_since is not None and case.waiting_since <= at:
        case.waiting_since = None
        if case.status == CaseStatus.OPEN:
            case.status = CaseStatus.PENDING
    case.due_at = sla.earliest(case)
    case.rank = rank(case)


def _free_for(agent: str) -> sa.ColumnElement[bool]:
    return sa.or_(col(Case.assignee).is_(None), col(Case.assignee) == agent)


def _open_for(agent: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_free_for(agent), col(Case.status) == CaseStatus.OPEN)


def _change(
    session: Session,
    case_id: int,
    conditions: Iterable[sa.ColumnElement[bool]],
    values: dict[str, object],
) -> None:
    """The one conditional UPDATE of a transition; it begins the transaction."""
    session.rollback()
    changed = session.execute(
        sa.update(Case)
        .where(col(Case.id) == case_id, *conditions)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if row_count(changed) == 0:
        session.rollback()
        raise CaseConflictError(_how_it_stands(session, case_id))


def _how_it_stands(session: Session, case_id: int) -> str:
    case = session.get(Case, case_id, populate_existing=True)
    if case is None:
        return "There is no such case any more."
    who = f"{case.assignee} has it" if case.assignee else "nobody has it"
    return f"This case changed meanwhile: it is {case.status} and {who}."


def _unanswered_since(session: Session, case: Case) -> datetime | None:
    """When the oldest post of the case that we have not answered was written."""
    posts = select(sa.func.min(col(Post.created_at))).where(col(Post.case_id) == case.id)
    if case.answered_at:
        posts = posts.where(col(Post.created_at) > case.answered_at)
    return session.exec(posts).first()
