"""What may happen to a case: claimed, released, snoozed, resolved, reopened.

Every transition is one conditional UPDATE whose row count is read, with its line of history, in
one commit. Who came second gets a CaseConflictError that says what is true now.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk import group, verdicts
from monitor.desk.clock import notices, sla
from monitor.desk.priority import rank
from monitor.store.db import row_count
from monitor.store.models import (
    ACTIVE,
    Case,
    CaseEvent,
    CaseStatus,
    Dismissal,
    LabelOrigin,
    NoticeKind,
    Outcome,
    now,
)

REOPEN_WITHIN = timedelta(days=7)
"""This soon after its end, what happens to a case is still about the same problem."""


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
    """Give a case back to nobody. Raises CaseConflictError unless `agent` has it and it stands."""
    theirs = (col(Case.assignee) == agent, col(Case.status) != CaseStatus.RESOLVED)
    _change(session, case_id, theirs, {"assignee": None})
    record(session, case_id, "released", agent=agent)
    session.commit()


def assign(
    session: Session,
    case_id: int,
    agent: str | None,
    to: str | None,
    held_by: str | None,
    *,
    quietly: bool = False,
) -> None:
    """Hand a case from `held_by` (None: nobody) to a colleague, or back to nobody.

    The monitor itself hands out as agent None. Whoever gets a case is told, unless they took it
    themselves or the caller tells them, `quietly`. Raises CaseConflictError.
    """
    held = col(Case.assignee).is_(None) if held_by is None else col(Case.assignee) == held_by
    _change(session, case_id, (held, col(Case.status) != CaseStatus.RESOLVED), {"assignee": to})
    record(session, case_id, "assigned", agent=agent, detail=f"to {to or 'nobody'}")
    if to is not None and to != agent and not quietly:
        at = now()
        text = f"{agent or 'The monitor'} handed you case {case_id}."
        notices.tell(session, to, f"assigned {case_id} {at}", NoticeKind.ASSIGNED, text, case_id)
    session.commit()


def wait_for_customer(session: Session, case_id: int, agent: str) -> None:
    """Set an open case pending: the customer has the word. Raises CaseConflictError."""
    _change(session, case_id, _open_for(agent), {"status": CaseStatus.PENDING})
    case = session.get_one(Case, case_id, populate_existing=True)
    sla.stop_waiting(case)
    case.rank = rank(case)
    session.add(case)
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
    its outcome said of the post is taken back; what an earlier outcome said stays.
    Raises CaseConflictError where it is open already, was merged, or its author has another
    standing case.
    """
    closed_at = session.exec(select(Case.resolved_at).where(col(Case.id) == case_id)).first()
    try:
        _change(
            session,
            case_id,
            (
                _free_for(agent),
                col(Case.status) != CaseStatus.OPEN,
                col(Case.merged_into).is_(None),
            ),
            {
                "status": CaseStatus.OPEN,
                "snoozed_until": None,
                "thread_due_at": now(),
                "resolved_at": None,
                "outcome": None,
                "dismissal": None,
                "cannot_help": None,
            },
        )
    except sa.exc.IntegrityError as error:
        session.rollback()
        raise CaseConflictError(
            "This customer has a newer case. Go on there; this one stays closed."
        ) from error
    case = session.get_one(Case, case_id, populate_existing=True)
    if case.waiting_since is None:
        case.waiting_since = group.unanswered_since(session, case)
    case.rank = rank(case)
    sla.reopened_by_hand(case)
    session.add(case)
    if closed_at is not None:
        verdicts.erase(session, case.post_id, LabelOrigin.OUTCOME, since=closed_at)
    record(session, case_id, "reopened", agent=agent)
    session.commit()


def resolve(
    session: Session,
    case_id: int,
    agent: str,
    outcome: Outcome,
    dismissal: Dismissal | None = None,
    details: Mapping[str, object] | None = None,
) -> None:
    """Close a case with its outcome; a dismissal says why. Raises CaseError, CaseConflictError.

    Where the outcome tells whether it was a complaint, the post that the queue shows is labelled.
    `details` are further columns of the case, which `monitor.desk.closing` has checked.
    """
    if outcome is Outcome.MERGED:
        raise CaseError("Say into which case it is merged.")
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
            **(details or {}),
        },
    )
    detail = f"{outcome}: {dismissal}" if dismissal else str(outcome)
    record(session, case_id, "resolved", agent=agent, detail=detail)
    sla.resolved(session.get_one(Case, case_id, populate_existing=True))
    complaint = verdicts.of_outcome(outcome, dismissal)
    if complaint is not None:
        post_id = session.exec(select(Case.post_id).where(col(Case.id) == case_id)).one()
        if verdicts.said(session, post_id, LabelOrigin.OUTCOME) != complaint:
            verdicts.write(session, post_id, LabelOrigin.OUTCOME, agent, complaint)
    session.commit()


def learn(
    session: Session, case_id: int, agent: str, values: Mapping[str, object], what: str, detail: str
) -> None:
    """Keep what was learned of a case, open or closed. Raises CaseConflictError."""
    _change(session, case_id, (_free_for(agent), col(Case.merged_into).is_(None)), values)
    record(session, case_id, what, agent=agent, detail=detail)
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


def _free_for(agent: str) -> sa.ColumnElement[bool]:
    return sa.or_(col(Case.assignee).is_(None), col(Case.assignee) == agent)


def _open_for(agent: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_free_for(agent), col(Case.status) == CaseStatus.OPEN)


def _change(
    session: Session,
    case_id: int,
    conditions: Iterable[sa.ColumnElement[bool]],
    values: Mapping[str, object],
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
    if case.merged_into is not None:
        return f"This case goes on in case {case.merged_into}. Go there, or take it out of it."
    who = f"{case.assignee} has it" if case.assignee else "nobody has it"
    stands = f"This case changed meanwhile: it is {case.status} and {who}."
    events = select(CaseEvent).where(col(CaseEvent.case_id) == case_id)
    last = session.exec(events.order_by(col(CaseEvent.id).desc()).limit(1)).first()
    if last is None:
        return stands
    return f"{stands} Last: {last.what}{f' by {last.agent}' if last.agent else ''}."
